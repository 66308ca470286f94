"""The worker process as the console sees it: started, followed line by line, and ended cleanly when a person stops it.

Only that process fetches and builds, so that whoever asks for it can be interrupted at any moment without harm.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bk.engine.errors import BkError
from bk.text import inert

Json = Any
MODULE = "bk.engine.catalogs.worker"
MAX_LINE = 1 << 16
MAX_ERRORS = 4096
END_S = 10.0


class Work:
    """One run of the worker. Iterate over it for its steps; then `outcome` says how it ended."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        given = dict(os.environ if env is None else env)
        passed = {name: value for name, value in given.items() if not name.startswith("PYTHON")}
        words = ["--by", f"person:{os.getuid()}", *words]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the work
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", MODULE, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env=passed,
                start_new_session=True,  # a Ctrl-C is the person's word to us; we pass it on
            )
        except OSError as error:
            self._said.close()
            raise BkError("the catalog worker cannot be started", str(error), "bk diag") from error
        self.code: int | None = None
        self.result: dict[str, Json] = {}

    def __iter__(self) -> Iterator[dict[str, Json]]:
        """The steps, as they are reported; the result is kept, and what is neither is left out."""
        out = self._process.stdout
        while out is not None and (line := out.readline(MAX_LINE)):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict) and isinstance(said.get("result"), dict):
                self.result = said["result"]
            elif isinstance(said, dict) and said.get("step"):
                yield said
        self.code = self._process.wait()
        if out is not None:
            out.close()

    def end(self) -> None:
        """Ask the worker to stop, wait, and insist when it does not; what is in force stays in force."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.code = self._process.returncode

    def finished(self) -> dict[str, Json]:
        """Follow it to the end without a word; BkError when it could not do what was asked."""
        try:
            for _ in self:
                pass
        except BaseException:
            self.end()
            raise
        return self.outcome()

    def outcome(self) -> dict[str, Json]:
        """What came of it; BkError with the worker's own reason when it could not do what was asked."""
        error = self.result.get("error")
        if isinstance(error, dict):
            raise BkError(*(inert(str(error.get(name) or ""), 1000) for name in ("title", "detail", "next_step")))
        if not self.result:
            raise BkError("the catalogs could not be worked on", inert(self._errors(), 1000), "bk diag")
        return self.result

    def _errors(self) -> str:
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - MAX_ERRORS))
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"the worker ended with code {self.code}"
