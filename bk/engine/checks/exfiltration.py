"""Secrets and sensitive files on their way out: what is taken, and into which sink it goes."""

from __future__ import annotations

from bk.engine.checks.hosts import hosts, loopback, near, owner, under
from bk.engine.checks.patterns import Pattern
from bk.engine.checks.sources import FILE, MANY, SECRET, SERVICES, heaviest, issued_by, produced, raw, secrets, unnamed
from bk.engine.model import Connect, Finding, Level, Run, Touch
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.checks.sources import Source
    from bk.engine.facts import Facts
    from bk.engine.model import Action

ASKERS = names("dig nslookup host drill delv kdig ping ping6 getent traceroute tracepath mtr resolvectl dog doggo q")
MAILERS = names("mail mailx s-nail mutt neomutt sendmail msmtp ssmtp swaks")
# Programs that put files where others can fetch them, with the words that make them do so.
PUBLISHERS = {
    "gh": ("gist create", "release upload", "issue create", "issue comment", "pr create", "pr comment"),
    "glab": ("snippet create", "issue create"),
    "aws": ("s3 cp", "s3 mv", "s3 sync", "s3api put-object"),
    "gsutil": ("cp", "mv", "rsync", "-m cp", "-m rsync"),
    "gcloud": ("storage cp", "storage rsync"),
    "az": ("storage blob upload", "storage copy"),
    "azcopy": ("copy", "cp", "sync"),
    "rclone": ("copy", "copyto", "sync", "move", "rcat"),
    "mc": ("cp", "mirror", "pipe"),
    "s3cmd": ("put", "sync"),
    "ipfs": ("add",),
    "croc": ("send",),
    "wormhole": ("send",),
    "gist": ("",),
    "pastebinit": ("",),
}
_OPEN_TO_ALL = names("gist pastebinit")
_UPLOADED = Pattern(r"(?:^|=)[@<]\*\*|^--(?:upload-file|post-file|body-file)=\*\*|^-T\*\*")
_UPLOADS = frozenset(("-T", "--upload-file", "--post-file", "--body-file"))
STORES = ("rclone://", "s3://", "gs://", "az://", "azblob://", "b2://", "gdrive://", "swift://", "restic://")
SHARED = ("/tmp/", "/var/tmp/", "/dev/shm/", "/var/www/", "/srv/www/", "/srv/http/", "/usr/share/nginx/")  # noqa: S108
KEEP_ADVICE = "let the program that owns the secret use it; a person can send what has to be sent"
DATA_ADVICE = "use a client that says who receives it (https, ssh), to a host that the person named"
COPY_ADVICE = "leave it where only its owner can read it"


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """Findings for each sink, by the most valuable thing that goes into it."""
    run: Run | None = None
    home: list[str] | None = None
    for action in actions:
        if type(action) is Run:
            run = action
        uploaded = run is not None and type(action) is Touch and action.mode == "read" and _publishes(run)
        if not action.takes and not uploaded:
            continue
        if home is None:
            home = facts.home.lower().strip("/").split("/") if facts.home.strip("/") else []
        found: Finding | None = None
        if type(action) is Connect:
            found = _sent(action, run, facts, home)
        elif type(action) is Run:
            found = _handed(action, home)
        elif type(action) is Touch and uploaded and run is not None:
            found = _published(action, run, ("file:" + action.path,), home)
        elif type(action) is Touch and action.mode == "write" and action.path.startswith(SHARED):
            found = _left(action, home)
        if found is not None:
            yield found


def _sent(action: Connect, run: Run | None, facts: Facts, home: Sequence[str]) -> Finding | None:
    """Data that goes out through a connection."""
    if run is not None and run.program == "git":
        return None
    host = next(hosts(action.url, action.host))
    allow = facts.policy.get("egress.allow") or ()
    trusted = bool(allow) and bool(under(host, allow))
    bare = raw(action, run)
    found = secrets(action.takes, home)
    if found:
        worth = [_worth(secret, host, trusted=trusted, bare=bare) for secret in found]
        level = max(worth)
        return _finding(action, found[worth.index(level)], level, action.url or host) if level else None
    inside = near(host)
    if run is not None and action.sends and not inside and not trusted and _unknown_file(run):
        reason = f"sends a file that cannot be known before to {action.url or host}"
        return Finding("exfiltration/data", Level.ASK, reason, action=action, instead="write the file's name out")
    source = heaviest(action.takes, home)
    if source is None:
        program = produced(action.takes) if bare and not inside and not trusted else ""
        if not program:
            return None
        reason = f"sends what `{program}` prints through a bare socket to {action.url or host}"
        return Finding("exfiltration/socket", Level.ASK, reason, action=action, instead=DATA_ADVICE)
    source.weight = min(source.weight, MANY)  # found by a search through a tree that also holds secrets
    stored = action.url.startswith(STORES)  # a bucket has an owner, and whole trees are what it is for
    if bare or (source.weight == MANY and not inside and not trusted and not stored):
        return _finding(action, source, Level.ASK, action.url or host)
    return None


def _unknown_file(run: Run) -> bool:
    """Whether a web client uploads a file whose name is in a variable."""
    before = ""
    for word in run.argv:
        if "**" in word and (_UPLOADED.re.search(word) is not None or (before in _UPLOADS and word[:2] == "**")):
            return True
        before = word
    return False


def _worth(source: Source, host: str, *, trusted: bool, bare: bool) -> Level:
    """What sending a secret to a host is worth."""
    file = source.origin.startswith(("file:", "tree:"))
    if loopback(host):
        return Level.ASK if bare else Level.ALLOW
    if near(host):
        return Level.ASK if file or bare else Level.ALLOW
    if not file and not bare:
        if trusted or issued_by(source, host):
            return Level.ALLOW
        if unnamed(source) and owner(host) in SERVICES:
            return Level.WARN
    return Level.ASK if trusted else Level.BLOCK


def _finding(action: Action, source: Source, level: Level, sink: str) -> Finding:
    secret = source.weight == SECRET
    what = {SECRET: "a secret", MANY: "more than can be judged", FILE: "a file"}[source.weight]
    reason = f"sends {source.words} ({what}) to {sink[:160]}"
    evidence = {"source": source.origin[:200], "sink": sink[:200]}
    rule = "exfiltration/secret" if secret else "exfiltration/data"
    advice = KEEP_ADVICE if secret else DATA_ADVICE
    return Finding(rule, level, reason, action=action, evidence=evidence, instead=advice)


def _handed(run: Run, home: Sequence[str]) -> Finding | None:
    """Data in the words or on the stdin of a program that is itself the way out: names looked up, mail, uploads."""
    program = run.program.lower()
    if program in ASKERS:
        found = secrets(run.takes, home)
        if found:
            return _finding(run, found[0], Level.BLOCK, f"`{run.target[:80]}`, in the name that is looked up")
        built = any("**" in word and "." in word.strip("*") for word in run.argv[1:])
        if built and any(one.startswith(("run:", "file:", "tree:")) for one in run.takes):
            reason = f"`{run.target[:80]}` puts what was read into the name it looks up, where others can see it"
            return Finding("exfiltration/dns", Level.ASK, reason, action=run, instead=DATA_ADVICE)
        return None
    if program in MAILERS:
        found = secrets(run.takes, home)
        return _finding(run, found[0], Level.BLOCK, f"`{run.target[:80]}`") if found else None
    return _published(run, run, run.takes, home) if _publishes(run) else None


def _publishes(run: Run) -> bool:
    """Whether a program, by its first words, puts what it is given where others can fetch it."""
    verbs = PUBLISHERS.get(run.program.lower())
    if verbs is None:
        return False
    text = " ".join(word for word in run.argv[1:4] if word[:1] != "-" or word == "-m") + " "
    return any(not words or text.startswith(words + " ") for words in verbs)


def _published(action: Action, run: Run, takes: Sequence[str], home: Sequence[str]) -> Finding | None:
    """Secrets may not be uploaded; anything at all may only be asked for where everybody can read it."""
    source = heaviest(takes, home)
    if source is None:
        return None
    gist = run.program.lower() in _OPEN_TO_ALL or "gist" in run.argv[1:2]
    if source.weight == SECRET:
        return _finding(action, source, Level.BLOCK, f"`{run.target[:80]}`")
    return _finding(action, source, Level.ASK, f"`{run.target[:80]}`") if gist else None


def _left(action: Touch, home: Sequence[str]) -> Finding | None:
    """A copy of a secret in a place that everybody on the machine can read."""
    found = secrets(action.takes, home)
    if not found:
        return None
    reason = f"leaves a copy of {found[0].words} in {action.path[:160]}, which others can read"
    evidence = {"source": found[0].origin[:200], "sink": action.path[:200]}
    return Finding("exfiltration/copy", Level.WARN, reason, action=action, evidence=evidence, instead=COPY_ADVICE)
