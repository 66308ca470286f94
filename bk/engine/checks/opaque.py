"""What lowering could not see through: how dark is too dark, and what was fetched or decoded only to be run."""

from __future__ import annotations

import re

from bk.engine.checks.hosts import hosts, near, under
from bk.engine.checks.patterns import Pattern
from bk.engine.checks.sources import CODE_OPTIONS, EVALUATORS, INTERPRETERS, SHELLS, base
from bk.engine.model import Connect, Finding, Level, Opaque, Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

# Text from elsewhere, or text made unreadable on purpose, on its way into an interpreter.
_ELSEWHERE = Pattern(
    r"\b(?:curl|wget|fetch|https?|xh|aria2c|lynx|nc|ncat|socat|ftp|scp|ssh|iwr|irm|invoke-webrequest|gsutil|aws)\b|/dev/(?:tcp|udp)/",
    re.IGNORECASE,
)
_ENCODED = Pattern(r"\b(?:rev|tr|od|printf|sed|awk|perl|python3?)\b", re.IGNORECASE)
_HIDDEN = Pattern(
    r"\b(?:base64|base32|basenc|xxd|openssl|uudecode|gunzip|zcat|bzcat|xzcat|gpg)\b"
    r"|\benc(?:odedcommand)?\b.{0,8}[\w+/=]{24}",
    re.IGNORECASE,
)
_INSTALLS = Pattern(
    r"\b(?:install|add|npx|bunx|uvx|pipx|dlx|pip3?|npm|pnpm|yarn|bun|cargo|gem|composer|get|exec|create|ci|i)\b"
)
_OURS = Pattern(r"\bbk(?:-hook)?\b|\.bk\b|\bBK_")
_SECRET = Pattern(r"\.ssh|\.aws|\.gnupg|id_rsa|id_ed25519|\.env\b|credentials|shadow\b|\.netrc|\.claude")
# Words that only a destructive program would be given.
_UPROOTS = Pattern(
    r"(?:^|[\s'\"])(?:-[a-zA-Z]*r[a-zA-Z]*f[a-zA-Z]*|-[a-zA-Z]*f[a-zA-Z]*[rR][a-zA-Z]*|-Rf|-[rR]|--recursive|--no-preserve-root|-delete"
    r"|(?:/|~|\$HOME|/(?:etc|usr|home|var|boot|bin))(?:/?\*?)|of=/dev/\S+|/dev/(?:sd|nvme|disk|mapper)\S*)(?=[\s'\";]|$)"
)
# The same at the place of a command, for text that is no shell at all.
_DESTROYS = Pattern(
    r"(?:^|[;&|\n({`]|\$\()\s*(?:(?:sudo|env|command|exec|nohup|time|eval)\s+)*(?:[\w./]*/)?"
    r"(?:rm\s+-\w|shred\b|mkfs|wipefs\b|dd\s+\w+=|find\s.*\s-delete\b|git\s+(?:reset\s+--hard|clean\s+-\w*f|push\s.*(?:-f\b|--force))"
    r"|rmdir\s+/s|rd\s+/s|del\s+/[fsq]|format\s+\w:|chmod\s+-R|chown\s+-R|Remove-Item\b|truncate\b|drop\s+(?:table|database)\b)",
    re.IGNORECASE,
)
# Program text of other languages that runs what it decodes, nested or one after the other.
_STARTS = Pattern(
    r"\b(?:exec\w*|eval|system|popen\d?|run|call|check_\w+|Popen|spawn\w*|shell_exec|passthru|Function|getoutput|runpy)"
    r"\s*[(\[{\"' ]"
)
_DECODING = Pattern(
    r"\b(?:\w*b(?:64|32|16|85)decode|decode_?base64|base64_decode|decode64|fromhex|unhexlify|hex2bin|a2b_\w+|atob"
    r"|decodebytes|decompress|inflate|gz\w*inflate|str_rot13|unpack1?|pack)\b|['\"](?:base64|hex|rot_?13)['\"]",
    re.IGNORECASE,
)
_REMOTE_WHYS = frozenset(("pipe-to-shell", "downloaded", "decoded"))
AS_ROOT = names("sudo doas su pkexec runuser run0")
SHOWN = 120
MAX_CODE = 1 << 16
LOOKED_AT = 4096  # lowering keeps dark text short; a surface may hand in more

LIMIT_ADVICE = "split it into smaller commands, or write long texts with a file tool"
REMOTE_ADVICE = "download it to a file, read it, then let the person run it"
DECODED_ADVICE = "write what it does in plain text"
COMPUTED_ADVICE = "write the program's name out"
SYNTAX_ADVICE = "write it in plain bash"


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """Findings for each dark spot. `parser.opaque` is the level where dark text could install or run code."""
    level: Level | None = None
    for action in actions:
        if type(action) is Run:
            if action.takes and "decoded" in action.takes and _executes(action):
                reason = f"runs text that was decoded a moment before: {_short(action.target)}"
                yield Finding("opaque/decoded", Level.BLOCK, reason, action=action, instead=DECODED_ADVICE)
            elif base(action) in INTERPRETERS:
                yield from _code(action)
            continue
        if type(action) is not Opaque:
            continue
        if level is None:
            level = Level.of(facts.policy.get("parser.opaque") or "ask")
        found = _finding(action, level, actions, facts)
        if found is not None:
            yield found


def _code(run: Run) -> Iterator[Finding]:
    """A one-liner that decodes text and runs programs: with one inside the other, what it runs is hidden."""
    for code in (*run.argv[1:], run.stdin or ""):
        decoding = _DECODING.re.search(code, 0, MAX_CODE) if len(code) > 24 else None
        if decoding is None:
            continue
        starting = _STARTS.re.search(code, 0, MAX_CODE)
        if starting is None:
            continue
        nested = any(
            _DECODING.re.search(code, one.end(), one.end() + 160) for one in _STARTS.re.finditer(code, 0, 4096)
        )
        reason = f"`{base(run)}` runs what it decodes: {_short(code.strip())}"
        level = Level.BLOCK if nested else Level.ASK
        yield Finding("opaque/decoded", level, reason, action=run, instead=DECODED_ADVICE)
        return


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _executes(run: Run) -> bool:
    """Whether what the program takes in is what it runs, and not only data for it."""
    program = base(run)
    words = run.argv[1:]
    if program in EVALUATORS:
        return True
    if program not in SHELLS and program not in INTERPRETERS:
        return False
    if program in SHELLS and any(
        word[:1] == "-" and word[1:2] != "-" and "n" in word and "c" not in word for word in words
    ):
        return False  # it only checks the syntax
    if any(word in CODE_OPTIONS or (program in SHELLS and word[:1] == "-" and "c" in word[1:]) for word in words):
        return run.stdin is None
    return not any(word[:1] != "-" for word in words)


def _finding(action: Opaque, level: Level, actions: Sequence[Action], facts: Facts) -> Finding | None:
    text = action.text[:LOOKED_AT]
    shown = _short(text)
    why = action.why
    if why in ("limit", "depth"):
        reason = f"too {'long' if why == 'limit' else 'deeply nested'} to be judged: {shown}"
        return Finding(f"opaque/{why}", Level.BLOCK, reason, action=action, instead=LIMIT_ADVICE)
    if why == "hidden":
        reason = f"a heredoc whose end cannot be told: {shown}"
        return Finding("opaque/hidden", Level.BLOCK, reason, action=action, instead="end it with a plain word")
    if why in ("reverse-shell", "forkbomb"):
        return None  # told by the check for shells
    if why in _REMOTE_WHYS or any(one[:4] == "net:" or one == "decoded" for one in action.takes):
        return _elsewhere(action, level, actions, facts)
    if why == "computed":
        return _computed(action, level, shown)
    if why == "syntax":
        risky = (
            _OURS.re.search(text) or _SECRET.re.search(text) or _INSTALLS.re.search(text) or _ELSEWHERE.re.search(text)
        )
        grave = max(level, Level.ASK) if _DESTROYS.re.search(text) else level if risky else Level.WARN
        reason = f"part of it is not plain shell and was not understood: {shown}"
        return Finding("opaque/syntax", grave, reason, action=action, instead=SYNTAX_ADVICE)
    reason = f"an argument has an unexpected shape: {shown}"
    return Finding("opaque/shape", Level.WARN, reason, action=action, instead="pass paths and commands as text")


def _computed(action: Opaque, level: Level, shown: str) -> Finding | None:
    text = action.text[:LOOKED_AT]
    if _OURS.re.search(text):
        reason = f"a program that cannot be known is given words that concern bk: {shown}"
        return Finding("opaque/computed", Level.BLOCK, reason, action=action, instead=COMPUTED_ADVICE)
    if _HIDDEN.re.search(text):
        reason = f"which program runs is hidden by an encoding: {shown}"
        return Finding("opaque/decoded", Level.BLOCK, reason, action=action, instead=DECODED_ADVICE)
    if _UPROOTS.re.search(text):
        reason = f"which program runs cannot be known, and it is given what only a destructive one needs: {shown}"
        return Finding("opaque/computed", max(level, Level.ASK), reason, action=action, instead=COMPUTED_ADVICE)
    if _INSTALLS.re.search(text):
        reason = f"which program runs cannot be known, and it may install something: {shown}"
        return Finding("opaque/computed", level, reason, action=action, instead=COMPUTED_ADVICE)
    return None


def _elsewhere(action: Opaque, level: Level, actions: Sequence[Action], facts: Facts) -> Finding:
    """Text that came from another machine, or out of an encoding, and is run."""
    takes, shown = action.takes, _short(action.text)
    if action.why == "decoded" or "decoded" in takes:
        reason = f"runs what comes out of an encoding: {shown}"
        return Finding("opaque/decoded", Level.BLOCK, reason, action=action, instead=DECODED_ADVICE)
    fetched = [one[4:] for one in takes if one[:4] == "net:"]
    if fetched:
        known = _installer(fetched, actions, facts)
        rule = f"opaque/{'installer' if known else 'downloaded'}"
        whose = f"{known} gives out" if known else f"comes from {', '.join(fetched)[:80]}"
        reason = f"runs what {whose}, unseen: {shown}"
        asked = _by_name_over_tls(fetched, actions) and not any(word in AS_ROOT for word in action.via)
        grave = level if known else max(level, Level.ASK) if asked else Level.BLOCK
        return Finding(rule, grave, reason, action=action, instead=REMOTE_ADVICE)
    reason = f"runs what comes out of a pipe, unseen: {shown}"
    if not takes and _ELSEWHERE.re.search(action.text):
        return Finding("opaque/downloaded", Level.BLOCK, reason, action=action, instead=REMOTE_ADVICE)
    if not takes and _HIDDEN.re.search(action.text):
        return Finding("opaque/decoded", Level.BLOCK, reason, action=action, instead=DECODED_ADVICE)
    made = (
        "unknown" in takes
        or any(one[:7] == "secret:" for one in takes)
        or _ENCODED.re.search(action.text)
        or _ELSEWHERE.re.search(action.text)
    )
    return Finding("opaque/pipe-to-shell", level if made else Level.WARN, reason, action=action, instead=REMOTE_ADVICE)


def _installer(fetched: Sequence[str], actions: Sequence[Action], facts: Facts) -> str:
    """The listed installer that everything fetched comes from, or a machine of one's own; "" when anything does not."""
    listed = facts.policy.get("egress.installers") or ()
    allowed = facts.policy.get("egress.allow") or ()
    found = ""
    for host in fetched:
        if near(host) or (allowed and under(host, allowed)):
            found = found or host
            continue
        addresses = [one.url for one in actions if type(one) is Connect and one.host == host]
        named = [_listed(url, host, listed) for url in addresses]
        if not named or not all(named):
            return ""
        found = named[0]
    return found


def _by_name_over_tls(fetched: Sequence[str], actions: Sequence[Action]) -> bool:
    """Whether all of it comes from named hosts that TLS vouches for: a person may know them. Else anybody may be it."""
    for host in fetched:
        urls = [one.url.lower() for one in actions if type(one) is Connect and one.host == host]
        if not urls or not all(url.startswith("https://") for url in urls) or host.replace(".", "").isdigit():
            return False
    return True


def _listed(url: str, host: str, listed: Sequence[str]) -> str:
    if len(list(hosts(url, host))) != 1:
        return ""  # the address can be read in two ways
    scheme, cut, rest = url.partition("://")
    if not cut or scheme.lower() != "https":
        return ""  # anybody on the way can change it
    address = host + "/" + rest.partition("/")[2].lower()
    if ".." in address or "**" in address or "\\" in address:
        return ""
    for entry in listed:
        low = entry.lower()
        if address.startswith(low) and ("/" in low or address[len(low) : len(low) + 1] == "/"):
            return low
    return ""
