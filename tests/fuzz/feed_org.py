"""Facts in our own text format, as an organisation's feed carries them."""

from __future__ import annotations

from bk.engine.intel.sources import org
from tests.fuzz._feeds import altered_text, read

SEEDS = [
    b"# ecosystem\tname\tkind\tseverity\tgroups\tprovenance\tids\tdate\tsources\tversions\n"
    b"npm\tx\texact\tcritical\ta b\tsignature\tA-1 A-2\t2026-01-02\ts t\t1.0.0 1.0.1\n"
    b"pypi\ty\tevery\thigh\ta\tnone\t\t\t\t\n"
    b"go\tgithub.com/z/z\trange\tlow\ta\tpinned_origin\tB\t2026-01-02\ts\t>=1.0.0,<2.0.0\n"
]


def one(data: bytes) -> None:
    """Read `data` as facts."""
    read(org.parse, data)
    read(org.parse, altered_text(data, SEEDS))
