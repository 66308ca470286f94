"""What a list shows, written to a file: JSON lines, readable by its owner alone, never over an existing file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bk.engine.errors import BkError


def written(
    name: str, records: Iterator[Mapping[str, Any]], *, folder: str = "", wanted: Callable[[], bool] = lambda: True
) -> str:
    """Write them to a new file in the working directory; returns what to tell the person."""
    path = os.path.join(folder or os.getcwd(), f"bk-{name}-{time.strftime('%Y%m%d-%H%M%S')}.ndjson")
    count = 0
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            for record in records:
                if not wanted():
                    return f"stopped after {count:,}; {path} holds those"
                file.write(json.dumps(record, ensure_ascii=True, default=str) + "\n")
                count += 1
    except OSError as error:
        raise BkError("it could not be written", f"{path}: {error.strerror}", "start bk where you may write") from error
    return f"{count:,} records written to {path}"
