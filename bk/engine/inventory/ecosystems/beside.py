"""What lies beside a place and belongs to what is in it: commands above a store, archives next to a tree."""

from __future__ import annotations

import os
import stat

from bk.engine.inventory.place import GONE, stamp_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.inventory.place import Place


def seen(place: Place, path: str) -> int:
    """The kind and mode of an entry elsewhere, remembered as something the place depends on; 0 where it is not there.

    One that is reached through a link is not there.
    """
    place.stamps[path] = GONE
    try:
        if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path):
            return 0
        info = os.lstat(path)
    except (OSError, ValueError):
        return 0
    place.stamps[path] = stamp_of(info)
    return info.st_mode


def plain_file(place: Place, path: str) -> bool:
    """Whether a regular file lies there."""
    return stat.S_ISREG(seen(place, path))


def link_into(place: Place, path: str, folder: str) -> bool:
    """Whether a link lies there that leads into a folder."""
    if not stat.S_ISLNK(seen(place, path)):
        return False
    try:
        target = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
    except OSError:
        return False
    return target == folder or target.startswith(folder + "/")
