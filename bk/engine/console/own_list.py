"""For maintainers, by way of the command line: keys that sign the list of compromised releases, and the list itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bk.engine.errors import USAGE, BkError
from bk.engine.own import publish as publishing
from bk.engine.own.listing import Listed
from bk.engine.own.publish import Published


def mint(name: str, path: str) -> str:
    """A new key: its secret half goes into the file, the public half is the answer."""
    return publishing.mint(name, path)


def public_half(path: str) -> str:
    """The public half of the key in a file."""
    return publishing.public_half(path)


def publish(
    folder: str,
    keys: Sequence[str],
    *,
    version: str = "",
    digest: str = "",
    ident: str = "",
    reason: str = "",
    severity: str = "critical",
    date: str = "",
    withdraw: Sequence[str] = (),
    days: int = publishing.DAYS,
) -> Published:
    """Sign a folder's list anew, perhaps with an entry more or less."""
    add: list[Listed] = []
    if version or digest:
        if not ident or not reason:
            raise BkError("an entry needs an id and a reason", "people will ask", "--id … --reason …", code=USAGE)
        day = date or time.strftime("%Y-%m-%d", time.gmtime())
        add.append(Listed(ident, version=version, digest=digest, reason=reason, date=day, severity=severity))
    elif ident or reason:
        raise BkError("which release is meant?", "an entry names one", "--version … or --digest …", code=USAGE)
    return publishing.publish(folder, keys, add=add, withdraw=withdraw, days=days)
