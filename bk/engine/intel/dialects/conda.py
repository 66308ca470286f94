"""Conda: another namespace with mostly the same names, asked in its own way and compared as Python packages are."""

from __future__ import annotations

from bk.engine.intel.dialects.python import Python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Choice


class Conda(Python):
    """The rules of conda's match specifications, as far as an index of another namespace can be asked at all."""

    __slots__ = ()

    def one(self, text: str) -> str:
        """`name=1.2` means everything that begins so; only two equals signs mean one version."""
        return super().one(text) if text.startswith("==") else ""

    def term(self, op: str, text: str) -> Choice | None:
        """A bare version is a prefix."""
        if op in ("", "=") and self.key(text) is not None:
            text += ".*"
        return super().term(op, text)


DIALECT = Conda()
