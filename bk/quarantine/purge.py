"""Deleting what is held, for good: the one place that can, and only the console may import it, for a person."""

from __future__ import annotations

import os
import stat

from bk.quarantine.kernel import nothing
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.store import Books, witnessed
from bk.quarantine.tree import removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.state import State
    from bk.quarantine.record import Held

DOOMED = "doomed"


def purge(state: State, ident: str, *, told: Callable[[str], None] = nothing) -> Held:
    """Delete the payload of one item that is held, or whose purge was cut off. Its digest stays in the books.

    Links in it are removed and never followed; what is not in the item's own payload cannot be reached.
    """
    with Books(state) as books:
        held = books.item(ident)
        if held.state not in ("held", "purging"):
            raise HoldRefusedError("not_held", f"{ident} is {held.state}")
        if held.state == "held":
            wrong = witnessed(state, books.items, held)
            if wrong:
                raise HoldRefusedError("tampered", wrong, "`bk quarantine verify` says more")
            books.move_to(held, "purging")
        told("purging")
        where = books.place(held)
        try:
            if "payload" in os.listdir(where):
                os.rename("payload", DOOMED, src_dir_fd=where, dst_dir_fd=where)
                os.fsync(where)
            told("doomed")
            if DOOMED in os.listdir(where):
                info = os.stat(DOOMED, dir_fd=where, follow_symlinks=False)
                if not stat.S_ISDIR(info.st_mode):
                    raise HoldRefusedError("tampered", f"{ident}: its payload is no directory")
                removed(where, DOOMED.encode(), device=info.st_dev, inode=info.st_ino)
            os.fsync(where)
        finally:
            os.close(where)
        told("deleted")
        books.move_to(held, "purged")
        books.drop_place(held)
        told("purged")
        return held
