"""How each ecosystem spells, orders and asks for versions: one module a dialect, loaded when a listed name needs it.

All of it is written by hand, against each ecosystem's own rules, and the tests hold it against each ecosystem's own
implementation. Libraries were weighed and left out of the run time, even for the rare entry with a real range. In one
process, `packaging` cost 17 ms until its first answer and `univers` 46 to 70, where a dialect costs 2 to 5. One
spelling has to serve the compiler of the index and the look-up alike, or a listed version is missed. And no maintained
library reads Composer's, NuGet's or RubyGems' requests as their managers do, or tells "perhaps" from "no".
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Dialect

MODULES = {
    "npm": "npm",
    "cargo": "cargo",
    "go": "go",
    "pypi": "python",
    "conda": "conda",
    "rubygems": "ruby",
    "packagist": "composer",
    "nuget": "nuget",
    "maven": "maven",
    "editor-extension": "extension",
    "deb": "debian",
}
_KNOWN: dict[str, Dialect] = {}


def of(ecosystem: str) -> Dialect:
    """The dialect of an ecosystem; one without rules of its own gets the plain one."""
    found = _KNOWN.get(ecosystem)
    if found is None:
        name = f"{__name__}.{MODULES.get(ecosystem, 'plain')}"
        module = __import__(name, fromlist=["DIALECT"])
        found = _KNOWN[ecosystem] = module.DIALECT
    return found
