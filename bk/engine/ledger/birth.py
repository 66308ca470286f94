"""Beginning a ledger: only where there never was one, because an attacker who deletes it must not get a new one."""

from __future__ import annotations

import os

from bk.engine.ledger.chain import ORIGIN
from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.mark import Record
from bk.engine.ledger.schema import check_version, connect, create, first_lines
from bk.engine.ledger.seal import KeyFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.ledger.mark import Mark
    from bk.engine.state import State


def begin_ledger(state: State, mark: Mark, boot: bytes, *, allowed: bool) -> None:
    """Make what a ledger without entries consists of; every step can be repeated after a crash."""
    keyfile = KeyFile(f"{state.keys}/seal")
    mark.lock()
    try:
        if mark.empty():
            traces = [name for name in _traces(state) if os.path.exists(name)]
            if traces:
                raise LedgerError("missing", f"{mark.path} is gone, but {traces[0]} is there")
            if not allowed:
                raise LedgerError("missing", "nothing has been recorded yet", "run any call through bk first")
            mark.begin(Record(os.urandom(16), boot, epoch=0, segment=1, seq=0, mac=ORIGIN))
        record = mark.read()
        if record.seq:
            return
        if not keyfile.readable():
            keyfile.settle(0, os.urandom(32))
        if not os.path.exists(state.audit) or not _has_schema(state.audit):
            create(state.audit, first_lines(record.ledger, 1, 1, ORIGIN, 0)).close()
    finally:
        mark.unlock()


def _traces(state: State) -> tuple[str, ...]:
    """Files that only a ledger with a past leaves behind."""
    return (state.audit, f"{state.keys}/seal", f"{state.keys}/ledger", f"{os.path.dirname(state.mark)}/checkpoints")


def _has_schema(path: str) -> bool:
    con = connect(path)
    try:
        return check_version(con, path) > 0
    finally:
        con.close()
