"""What a source of threat intelligence is: where it is asked, who stands behind it, and how its files are read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources import Batch
    from bk.engine.intel.web.client import Web
    from bk.engine.provenance import Provenance


class FeedError(Exception):
    """A source gave nothing usable. `kind` is one word for programs, the text says why, and when to ask again."""

    def __init__(self, kind: str, detail: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after_s = retry_after_s


class Setting:
    """What a person has set for one source. `serial` is the highest that was ever accepted from it."""

    __slots__ = ("key", "now_ms", "serial", "token", "url", "wanted")

    def __init__(
        self,
        *,
        url: str = "",
        token: str = "",
        key: str = "",
        serial: int = 0,
        now_ms: int = 0,
        wanted: tuple[tuple[str, str, str], ...] = (),
    ) -> None:
        self.url = url
        self.token = token
        self.key = key
        self.serial = serial
        self.now_ms = now_ms
        self.wanted = wanted


class Fetched:
    """What a fetch brought: whether anything is new, who vouches for it, and the feed's serial where it has one."""

    __slots__ = ("changed", "note", "provenance", "serial")

    def __init__(self, provenance: Provenance, *, changed: bool, serial: int = 0, note: str = "") -> None:
        self.provenance = provenance
        self.changed = changed
        self.serial = serial
        self.note = note


class Source:
    """One feed. A subclass sets the facts and brings `fetch` and `parse`.

    `group` is its independence group: two sources of one group are one voice. `issues` are the beginnings of the ids
    that it alone gives out: only there may it withdraw what others repeat. `hosts` are the only ones it is asked at.
    `needs` says what a person must give first: "", "token", "url" or "url and key".
    """

    name = ""
    title = ""
    group = ""
    licence = ""
    about = ""
    needs = ""
    default = False
    issues: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:
        """Bring the files in `folder` up to date; raises FeedError."""
        raise NotImplementedError

    def parse(self, folder: str, batch: Batch) -> None:
        """Add what the files in `folder` say; raises FeedError for a file that cannot be understood."""
        raise NotImplementedError
