"""What runs behind one open page: the dashboard, read-only, spoken to by textual-serve over pipes."""

from __future__ import annotations

import sys


def main(argv: list[str]) -> int:
    """Show the installation, or a demo, until the page is closed."""
    from bk.tui.launch import opened, show

    session = opened(admin=False, sample="--demo" in argv)
    try:
        show(session, admin=False)
    finally:
        session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
