"""Every command of `bk`, as data: help, dispatch, completion and the nearest-match hint all read this list."""

from __future__ import annotations

# name -> (module that has `app`, one line of help)
TRY = {
    "check": ("bk.cli.check", "ask what bk would say to a tool call, and why"),
    "dashboard": ("bk.tui.launch", "watch decisions and incidents live in the terminal"),
    "explain": ("bk.cli.explain", "say what a command would do, what objects to it, and what to do instead"),
    "selftest": ("bk.cli.selftest", "send over a hundred calls through the real hook and compare the answers"),
}
LOOK = {
    "audit": ("bk.cli.audit", "read, search, verify and export the record of every decision"),
    "catalogs": ("bk.cli.catalogs", "known-bad packages: who lists them, how fresh that is, sync, look up"),
    "corpus": ("bk.cli.corpus", "what happened and what it turned out to be: look, label, take back, adjudicate"),
    "diag": ("bk.cli.diag", "say how each part of this installation is, why, and what to do"),
    "envelope": ("bk.cli.envelope", "signed claims about what was confirmed here, for others: write, check, key"),
    "incidents": ("bk.cli.incidents", "installed things that something speaks against, and what you decide"),
    "inventory": ("bk.cli.inventory", "what is installed, as the last scans saw it"),
    "quarantine": ("bk.cli.quarantine", "what was taken out of use: look, put back, keep a copy, delete"),
    "remediate": ("bk.cli.remediate", "how to be rid of a package for good: commands and a patch, nothing is done"),
    "scan": ("bk.cli.scan", "look at what is installed and hold it against the catalogs"),
    "self": ("bk.cli.own", "this very release: whether a signed list says that it is compromised"),
    "simulate": ("bk.simulate", "what a change would have meant for recorded calls; or judge a file of calls"),
    "version": ("bk.cli.version", "versions, and the path of the hook to give to a client"),
}
STEER = {
    "allow": ("bk.cli.allow", "exceptions: let a rule pass within a scope, or one stopped call once"),
    "config": ("bk.cli.config", "read and change settings; see where each value comes from"),
    "engine": ("bk.cli.engine", "start, stop and install the resident engine"),
    "hooks": ("bk.cli.hooks", "have clients ask bk before they act, and see whether they really do"),
    "mcp": ("bk.cli.mcp", "MCP servers: who each one is, whether it changed, and what its tools say"),
    "overlay": ("bk.cli.overlay", "packages that are stopped on this machine whatever catalogs say"),
    "rules": ("bk.cli.rules", "what is stopped and why: read rules, try them, write your own"),
    "shim": ("bk.cli.shim", "package managers that ask bk first, whoever calls them"),
    "trust": ("bk.cli.trust", "projects in which you need not be asked"),
}
GROUPS = (("Try these first", TRY), ("Look", LOOK), ("Steer", STEER))
NOUNS = {**TRY, **LOOK, **STEER}


def nearest(word: str) -> str:
    """The command that was probably meant, or ""."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, NOUNS, 1, 0.5)), "")
