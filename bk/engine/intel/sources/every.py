"""Every feed that bk knows, in the order in which people are shown them."""

from __future__ import annotations

from bk.engine.intel.sources.aikido import Aikido
from bk.engine.intel.sources.bumblebee import Bumblebee
from bk.engine.intel.sources.datadog import DataDog
from bk.engine.intel.sources.github import GitHub
from bk.engine.intel.sources.lists import PlainList
from bk.engine.intel.sources.org import Organisation
from bk.engine.intel.sources.ossf import Ossf
from bk.engine.intel.sources.osv_feed import Osv
from bk.engine.intel.sources.socket import Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources.source import Source

SOURCES: tuple[Source, ...] = (
    Osv(),
    Bumblebee(),
    DataDog(),
    Ossf(),
    GitHub(),
    Aikido(),
    Socket(),
    Organisation(),
    PlainList(),
)


def by_name(name: str) -> Source | None:
    """The feed of this name."""
    return next((source for source in SOURCES if source.name == name), None)
