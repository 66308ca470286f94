"""A pass that ends by SIGKILL at its n-th statement: `python -m tests.unit.corpus.killed STATE NOW N`.

With a NOW of 0 it is the worker's own process, by the clock. An N of 0 lets it end, and tells how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from bk.engine.config.schema import BY_NAME
from bk.engine.corpus import now, questions
from bk.engine.state import State


def main(root: str, now_ms: int, most: int) -> None:
    done = 0
    real = questions.Questions._run

    def counted(self: questions.Questions, sql: str, values: tuple[Any, ...] = ()) -> Any:
        nonlocal done
        done += 1
        if done == most:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, sql, values)

    questions.Questions._run = counted  # type: ignore[method-assign]
    if now_ms:
        state = State(root, os.path.dirname(root), os.geteuid())
        now.adjudicate(state, {name: key.default for name, key in BY_NAME.items()}, now_ms)
    else:
        from bk.engine.catalogs import worker

        os.environ["BK_HOME"] = root
        if worker.main(["adjudicate"]):
            sys.exit("the worker failed")
    print(done)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
