"""Where data comes from and where it goes: what a command takes in, hands on, and leaves behind in files."""

from __future__ import annotations

from bk.engine.lower.paths import resolve
from bk.engine.lower.scope import Stream, union
from bk.engine.model import Connect, Opaque, Touch
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Scope
    from bk.engine.lower.shell import Shell
    from bk.engine.model import Action, Run

MAX_TEXTS = 4
MAX_LINKS = 4
MAX_PARENTS = 16
MAX_FIFOS = 64

# Programs that leave the same data under another name.
CARRIES = names("cp mv ln link install ditto gcp gmv rsync mount copy move mklink copy-item move-item cpio")
LINKS = names("ln link mount mklink")
CLIPBOARD = "/dev/clipboard"  # what is copied in one command is pasted in another
COPIES = names("pbcopy wl-copy xclip xsel clip clip.exe")
PASTES = names("pbpaste wl-paste xclip xsel")
# Programs whose result is the answer of another machine, not what they were given to send.
ANSWERS = names(
    "curl wget http https xh httpie fetch aria2c lynx w3m links iwr irm invoke-webrequest invoke-restmethod"
)
_DECODERS = names(
    "gunzip zcat gzcat bunzip2 bzcat unxz xzcat unlzma lzcat unzstd zstdcat lz4cat uncompress uudecode unzip funzip"
    " unbrotli rev"
)
_DECODES = {
    "base64": ("-d", "-D", "--decode", "-di", "-id"),
    "base32": ("-d", "--decode"),
    "basenc": ("-d", "--decode"),
    "gbase64": ("-d", "--decode"),
    "xxd": ("-r", "-rp", "-pr", "-revert"),
    "openssl": ("-d", "-decode"),
    "gzip": ("-d", "-dc", "-cd", "--decompress", "--uncompress"),
    "pigz": ("-d", "-dc", "--decompress"),
    "bzip2": ("-d", "-dc", "-cd", "--decompress"),
    "xz": ("-d", "-dc", "-cd", "--decompress"),
    "zstd": ("-d", "-dc", "-cd", "--decompress"),
    "lz4": ("-d", "-dc", "-cd"),
    "brotli": ("-d", "-dc", "--decompress"),
    "gpg": ("-d", "--decrypt"),
    "gpg2": ("-d", "--decrypt"),
    "age": ("-d", "--decrypt"),
    "certutil": ("-decode", "-decodehex"),
    "ascii85": ("-d",),
}
_ENVIRONMENT = names("env printenv set export declare typeset compgen")

# A program that prints a credential, by its first words.
_SECRETS = {
    "gh": ("auth token", "auth status -t", "auth status --show-token"),
    "glab": ("auth token", "auth status -t"),
    "aws": (
        "sts get-session-token",
        "sts assume-role",
        "configure export-credentials",
        "configure get",
        "secretsmanager get-secret-value",
        "secretsmanager batch-get-secret-value",
        "ssm get-parameter",
        "ecr get-login-password",
    ),
    "gcloud": ("auth print", "auth application-default print-access-token", "secrets versions access"),
    "az": ("account get-access-token", "keyvault secret show"),
    "op": ("read", "item get", "document get", "inject"),
    "bw": ("get", "list", "export"),
    "pass": ("show",),
    "gopass": ("show",),
    "lpass": ("show", "export"),
    "secret-tool": ("lookup", "search"),
    "security": ("find-generic-password", "find-internet-password", "dump-keychain", "export"),
    "git": ("credential fill", "credential-store get", "credential-cache get", "credential-osxkeychain get"),
    "gpg": ("--export-secret",),
    "gpg2": ("--export-secret",),
    "kubectl": ("get secret", "config view --raw", "create token"),
    "vault": ("read", "kv get", "print token"),
    "doppler": ("secrets",),
    "infisical": ("secrets", "export"),
    "heroku": ("config", "auth:token"),
    "fly": ("auth token",),
    "flyctl": ("auth token",),
    "sops": ("-d", "--decrypt", "decrypt"),
    "ansible-vault": ("view", "decrypt"),
    "keyring": ("get",),
    "chamber": ("export", "read", "env"),
    "docker": ("config inspect", "secret inspect"),
    "terraform": ("output",),
    "pbpaste": ("",),
    "history": ("",),
}


class Written:
    """What this call has put into a file: every text it may hold, where that came from, and what it is a copy of."""

    __slots__ = ("links", "origins", "texts")

    def __init__(self) -> None:
        self.texts: tuple[str, ...] = ()
        self.origins: tuple[str, ...] = ()
        self.links: tuple[str, ...] = ()


def of_path(scope: Scope, path: str, *, tree: bool = False) -> tuple[str, ...]:
    """The origins of what a file holds: the file itself, and what this call or this session has put into it."""
    if path.startswith("/proc/") and path.endswith("/environ"):
        return ("env:*",)
    found: tuple[str, ...] = (("tree:" if tree else "file:") + path,)
    if scope.written:
        found = _of_written(scope, path, tree, found, 0)
    trail = scope.look.trail
    if trail:
        found = union(found, trail.get(path, ()))
        if tree:
            below = path.rstrip("/") + "/"
            for name in trail:
                if name.startswith(below):
                    found = union(found, trail.get(name, ()))
    return found


def of_word(scope: Scope, word: str) -> tuple[str, ...]:
    """The same for a file as a word names it."""
    return of_path(scope, resolve(word, scope.cwd, scope.home, scope.env))


def _of_written(scope: Scope, path: str, tree: bool, found: tuple[str, ...], depth: int) -> tuple[str, ...]:
    """The file, or the nearest folder above it that was filled or linked as a whole."""
    at = path
    for _ in range(MAX_PARENTS):
        file = scope.written.get(at)
        if file is not None:
            found = union(found, file.origins)
            if at != path and depth < MAX_LINKS:
                for link in file.links:
                    found = union(found, ("file:" + link + path[len(at) :],))
        at = at.rpartition("/")[0]
        if not at:
            break
    if tree:
        below = path.rstrip("/") + "/"
        for known, file in scope.written.items():
            if known.startswith(below):
                found = union(found, file.origins)
    return found


def texts(scope: Scope, path: str, *, wish: bool = True) -> tuple[str, ...]:
    """Every text that a file may hold when it is used: written by this call, else on disk (asked for with `wish`)."""
    return _texts(scope, path, wish, 0)


def _texts(scope: Scope, path: str, wish: bool, depth: int) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    file = scope.written.get(path)
    if file is not None:
        found = file.texts
        if depth < MAX_LINKS:
            for link in file.links:
                found = union(found, _texts(scope, link, wish, depth + 1))
        if found:
            return found
    look = scope.look
    text = look.text(path) if wish else look.files.get(path)
    return found if text is None else (text,)


def known(scope: Scope, stream: Stream, *, wish: bool = False) -> str | None:
    """The whole text of a stream, through the files behind it; with `wish` they are asked for."""
    if stream.text is not None or not stream.paths:
        return stream.text
    pieces = [texts(scope, path, wish=wish) for path in stream.paths]
    return "".join(one for piece in pieces for one in piece) if all(pieces) else None


def write(scope: Scope, action: Touch, origins: tuple[str, ...], *, add: str | None = None) -> None:
    """Note what a file gets, and say it on the action. `add` is a text put at its end."""
    if origins:
        action.takes = union(action.takes, origins)
    content = action.content if add is None else add
    if content is None and not origins:
        return
    file = _file(scope, action.path)
    file.origins = union(file.origins, action.takes)
    if content is not None and content not in file.texts:
        if add is not None and file.texts:
            file.texts = (file.texts[-1] + add, *file.texts[:-1])
        else:
            file.texts = (content, *file.texts)[:MAX_TEXTS]


def _file(scope: Scope, path: str) -> Written:
    file = scope.written.get(path)
    if file is None:
        file = scope.written[path] = Written()
    return file


_STDIN_ENDS = ("=-", "=.", "T-", "T.", "K-")


def _curl_listens(run: Action) -> bool:
    """Whether curl may read its stdin: a word says so, or a word is not known."""
    argv: Sequence[str] = getattr(run, "argv", ())
    return not run.certain or any(
        word in ("-", ".")
        or word.endswith(_STDIN_ENDS)
        or "@-" in word
        or "<-" in word
        or "stdin" in word
        or "/fd/" in word
        for word in argv
    )


def settle(shell: Shell, mark: int, name: str, stdin: Stream | None, out: Stream | None) -> Stream | None:
    """One command has been lowered: tell its actions what goes into them, and its output where it comes from.

    `mark` is the index of its Run. Data goes in through stdin and through its words, and from the files it reads.
    """
    scope = shell.scope
    actions = scope.actions
    taken = shell.woven
    if stdin is not None and name == "curl" and not _curl_listens(actions[mark]):
        stdin = None  # without a word that names stdin it sends nothing of it
    if stdin is not None:
        if stdin.origins:
            taken = union(taken, stdin.origins)
        run: Run = actions[mark]  # type: ignore[assignment]
        run.stdin = stdin.text if not stdin.paths else known(scope, stdin)
        run.takes = taken
    elif taken:
        actions[mark].takes = taken
    if name in COPIES and taken:
        file = _file(scope, CLIPBOARD)
        file.origins = union(file.origins, taken)
    elif name in PASTES and CLIPBOARD in scope.written:
        taken = union(taken, scope.written[CLIPBOARD].origins)
    if shell.heard or shell.drains:
        if len(actions) > mark + 1 or name in TELLING:
            taken = _spread(shell, mark, name, taken)
    else:
        for index in range(mark + 1, len(actions)):
            action = actions[index]
            if type(action) is not Touch or action.mode == "write":
                taken = _spread(shell, mark, name, taken)
                break
    if shell.drains:
        _drained(shell, taken)
    if not shell.heard:
        return out
    made = union(taken, ("run:" + name,))
    if out is None:
        return Stream(None, (), "", made)
    if out is stdin:
        return Stream(out.text, out.names, out.source, made)
    out.origins = union(out.origins, made)
    return out


def _spread(shell: Shell, mark: int, name: str, taken: tuple[str, ...]) -> tuple[str, ...]:
    """Hand what was read to what is written and sent; returns the origins of the output."""
    scope = shell.scope
    actions = scope.actions
    sinks: list[Action] = []
    sources: list[Touch] = []
    hosts: tuple[str, ...] = ()
    for index in range(mark + 1, len(actions)):
        action = actions[index]
        kind = type(action)
        if kind is Touch:
            mode = action.mode  # type: ignore[attr-defined]
            if mode == "read":
                sources.append(action)  # type: ignore[arg-type]
            elif mode == "write":
                sinks.append(action)
        elif kind is Connect:
            if action.host:  # type: ignore[attr-defined]
                hosts = union(hosts, ("net:" + action.host,))  # type: ignore[attr-defined]
            sinks.append(action)
        elif kind is Opaque:
            sinks.append(action)
    if name in TELLING:
        taken = union(taken, _told(name, actions[mark].argv[1:]))  # type: ignore[attr-defined]
    given = taken
    read: list[str] = []
    for source in sources:
        if source.via[-1:] != ("--env-file",):
            read.append(source.path)
            given = union(given, of_path(scope, source.path, tree=source.tree))
    left = given
    if hosts:
        left = hosts if name in ANSWERS else union(given, hosts)
        left = union(left, ("run:" + name,))
    for action in sinks:
        if isinstance(action, Touch):
            if action.via[-1:] == ("chmod",):
                continue
            write(scope, action, left)
            if scope.descriptors and action.path.startswith("/dev/fd/"):
                for number, opened in scope.descriptors.items():
                    if number == action.path[8:] or "*" in action.path:
                        for connect in opened.connects:
                            connect.takes = union(connect.takes, left)
            if name in ("mkfifo", "mknod") and len(scope.fifos) < MAX_FIFOS:
                scope.fifos += (action.path,)
            if name in CARRIES:
                _carry(scope, action, name, read)
        else:
            action.takes = union(action.takes, given)
            if scope.taints:
                for origin in action.takes:
                    held = scope.taints.get(origin[4:]) if origin.startswith("env:") else None
                    if held is not None:
                        action.takes = union(action.takes, held.origins)
    return left


def through_fifos(scope: Scope) -> None:
    """A named pipe is read before or while it is written: its readers get what its writers put in, at the end."""
    given = {"file:" + path: file.origins for path in scope.fifos if (file := scope.written.get(path)) is not None}
    for _ in range(2):
        for action in scope.actions:
            for origin in action.takes:
                if origin in given:
                    action.takes = union(action.takes, given[origin])


def _carry(scope: Scope, action: Touch, name: str, read: Sequence[str]) -> None:
    """A copy or a link holds what its source holds."""
    base = action.path.rpartition("/")[2]
    same = read if len(read) == 1 else [path for path in read if path.rpartition("/")[2] == base]
    if not same or same[0] == action.path:
        return
    file = _file(scope, action.path)
    file.links = union(file.links, (same[0],))
    if name in LINKS:
        scope.links = {**scope.links, action.path: same[0]}


def _drained(shell: Shell, taken: tuple[str, ...]) -> None:
    """What a command prints or writes goes into the commands of its `>(…)`."""
    for start, end in shell.drains:
        for action in shell.scope.actions[start:end]:
            if type(action) is not Touch or action.mode == "write":
                action.takes = union(action.takes, taken)


def _told(name: str, args: Sequence[str]) -> tuple[str, ...]:
    """The origins that a program's output has because of what it does: decoding, printing secrets, the environment."""
    if name in _DECODERS or (name in _DECODES and any(word in _DECODES[name] for word in args)):
        return ("decoded",)
    if name in _ENVIRONMENT:
        operands = [word for word in args if word[:1] != "-"]
        if name == "printenv" and operands:
            return tuple("env:" + word for word in operands)
        return () if operands and name != "compgen" else ("env:*",)
    said = " ".join(args) + " "
    if name in _LISTED:
        return ("net:*",) if any(word[:2] == "-i" or word[:12] == "--input-file" for word in args) else ()
    if name == "gh" and said.startswith(_GH_ANSWERS):
        return ("net:github.com",)
    for verb in _SECRETS.get(name, ()):
        if said.startswith(verb) or (verb[:1] == "-" and " " + verb in " " + said):
            return (f"secret:{name} {verb}".rstrip(),)
    return ()


_GH_ANSWERS = ("api ", "gist view", "release download", "run download", "repo clone", "gist clone")
_LISTED = frozenset(("wget", "aria2c"))  # they may take their addresses from a file
TELLING = _DECODERS | _ENVIRONMENT | frozenset(_DECODES) | frozenset(_SECRETS) | _LISTED
