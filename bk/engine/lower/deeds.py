"""What the calls of a program text do, as actions: paths used, commands started, hosts connected to, text evaluated."""

from __future__ import annotations

import re

from bk.engine.lower import inside, network
from bk.engine.lower.fold import NOTHING, Dark, Made, Named, Ref, Where, origins, word
from bk.engine.lower.paths import pathlike, resolve
from bk.engine.lower.scope import brief, union
from bk.engine.lower.sinks import HEARS, JOINTS, SOCKETS, VERBS, WIRES
from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.code import Program
    from bk.engine.lower.fold import Value

MAX_COMMANDS = 64
MAX_LITERAL = 512
_SHELL = re.compile(
    r"(?:/\S*/)?(?:(?:ba|z|da|k|a|c|tc|fi)?sh|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh)(?:\s+-i)?(?:\s*[<>0-9].*)?"
)
_WRITES = re.compile(r"[wax+>]|r\+|O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)")
_TRUE = frozenset(("true", "True", "TRUE", "T", "t"))


class Deeds:
    """The effects of one program text, emitted as they are found."""

    __slots__ = ("blind", "commands", "later", "program", "started", "unknown")

    def __init__(self, program: Program) -> None:
        self.program = program
        self.commands = 0
        self.started = False
        self.blind = False
        self.unknown: list[tuple[str, bool]] = []
        self.later: list[tuple[str, str, bool]] = []

    def act(self, kind: str, name: str, base: Value, args: Sequence[Value], start: int) -> Value:
        """One effectful call; the text literals in its brackets are spoken for."""
        plain: list[Value] = [one for one in args if not isinstance(one, Named)]
        named: dict[str, Value] = {}
        for one in args:
            if isinstance(one, Named):
                named.update(one)
        last = name.replace("::", ".").rpartition(".")[2]
        program = self.program
        if isinstance(base, str) and kind in _ON_BASE:
            plain.insert(0, base)
        program.taken.update(
            index
            for index in range(
                max(0, start - 8 if isinstance(base, str) else start), min(program.at, len(program.items))
            )
            if program.items[index].kind in ("text", "list")
        )
        if kind == "sh-base":
            return self._started(word(base), base)
        if kind in _PATHS:
            return self._paths(kind, last, plain, named)
        if kind in ("sh", "words", "argv", "execv", "execl", "spawnv", "spawnl", "tail1", "tail3"):
            return self._process(kind, plain, named)
        if kind in ("get", "post", "fetch", "host", "verb"):
            return self._network(kind, last, plain, named)
        if kind == "socket":
            return self._socket(plain, named)
        if kind in ("eval", "load"):
            return self._evaluated(kind, plain)
        return NOTHING

    def _paths(self, kind: str, last: str, plain: Sequence[Value], named: dict[str, Value]) -> Value:
        first = plain[0] if plain else next((named[key] for key in _PATH_KEYS if key in named), None)
        if kind in ("rm", "rmtree"):
            deep = kind == "rmtree" or any(
                key in ("recursive", "recurse") and _true(value) for key, value in named.items()
            )
            meant: list[Value] = [value for value in plain if not isinstance(value, (Ref, int))]
            for one in meant or [first]:
                self._use(one, "delete", tree=deep)
            return NOTHING
        if kind == "open":
            return self._opened(first, plain, named)
        if kind == "perlopen":
            return self._perl(plain)
        if kind in ("copy", "copytree", "move", "link"):
            second = plain[1] if len(plain) > 1 else named.get("dst")
            deep = kind != "copy"
            self._use(first, "read", tree=deep)
            if kind == "move":
                self._use(first, "delete", tree=deep)
            self._use(second, "write", tree=kind == "copytree")
            return NOTHING
        if kind == "chmod1":
            for one in plain[1:]:
                self._use(one, "write", via=("chmod",))
            return NOTHING
        if kind == "chmod":
            self._use(first, "write", via=("chmod",))
            return NOTHING
        if isinstance(first, str) and "://" in first[:12] and not first.startswith("file:"):
            return self._network("get", last, plain, named)
        self._use(first, kind)
        if kind == "read":
            return Where(first) if last == "file" and isinstance(first, str) else self._content(first)
        if len(plain) > 1 and last in ("writeFileSync", "writeFile", "file_put_contents", "write_text", "write"):
            self._content_of(first, plain[1])
        return NOTHING

    def _content(self, path: Value) -> Value:
        scope = self.program.shell.scope
        if not isinstance(path, str):
            return NOTHING
        return Dark(("file:" + resolve(path, scope.cwd, scope.home, scope.env),))

    def _content_of(self, path: Value, text: Value) -> None:
        """Say what is written, when it is known."""
        if (
            isinstance(path, str)
            and isinstance(text, str)
            and not isinstance(text, Dim)
            and self.program.shell.scope.actions
        ):
            action = self.program.shell.scope.actions[-1]
            if getattr(action, "mode", "") == "write":
                action.content = str(text)  # type: ignore[attr-defined]

    def _use(self, path: Value, mode: str, *, tree: bool = False, via: tuple[str, ...] = ()) -> None:
        """A path that a call uses; one that nobody knows may be any that the text names."""
        if isinstance(path, list):
            for one in path[:64]:
                self._use(one, mode, tree=tree, via=via)
        elif isinstance(path, str) and path.strip("*"):
            self.program.shell.scope.touch(Dim(path) if isinstance(path, Dim) else str(path), mode, tree=tree, via=via)
        elif path is not None:
            if isinstance(path, Ref) and path.base is None and mode in ("delete", "write") and len(self.later) < 64:
                self.later.append((path.name, mode, tree))
            self.unknown.append((mode, tree))

    def _opened(self, first: Value, plain: Sequence[Value], named: dict[str, Value]) -> Value:
        mode = plain[1] if len(plain) > 1 else named.get("mode", named.get("flag", ""))
        text = mode.name if isinstance(mode, Ref) else word(mode) if mode is not None else ""
        if isinstance(first, str) and "://" in first[:12]:
            return self._network("get", "get", [first], {})
        if isinstance(first, str) and first[:1] == "|":
            return self._started(first[1:], first)
        writes = bool(_WRITES.search(text.replace("text", "")))
        if not writes or "+" in text:
            self._use(first, "read")
        if writes:
            self._use(first, "write")
        return self._content(first) if not writes else NOTHING

    def _perl(self, plain: Sequence[Value]) -> Value:
        """`open(F, "> f")`, `open F, '|-', 'cmd'`, `open(F, "cmd |")`."""
        words = [word(one) for one in plain[1:]]
        if not words:
            return NOTHING
        how = words[0].strip()
        if len(words) > 1:
            if how in ("|-", "-|"):
                return self._process("words", list(plain[2:]), {})
            self._use(plain[2], "write" if ">" in how or "+" in how else "read")
        elif how[:1] == "|" or how[-1:] == "|":
            return self._started(how.strip("|"), plain[1])
        elif how[:2] not in ("<&", ">&"):
            path = how.lstrip("<>+ ")
            self._use(Dim(path) if isinstance(words[0], Dim) else path, "write" if how[:1] in ">+" else "read")
        return NOTHING

    def text(self, text: str, given: tuple[str, ...]) -> None:
        """A command text that the language itself runs."""
        self._started(text, Dark(given) if given else text)

    def _started(self, text: str, value: Value) -> Value:
        """A shell text, lowered as one."""
        self.started = True
        found = origins(value)
        if type(value) is Made or "decoded" in found:
            self._opaque("decoded", ("decoded",))
        if isinstance(text, Dim) and not text.strip("*"):
            self.blind = True
            if any(one.startswith("net:") for one in found):
                self._opaque("pipe-to-shell", found)
            return Dark(("run:sh",))
        self.commands += 1
        if self.commands <= MAX_COMMANDS:
            inside.text(self.program.shell, Dim(text) if isinstance(text, Dim) else str(text), ("sh -c",))
        return Dark(("run:sh", *found))

    def _process(self, kind: str, plain: Sequence[Value], named: dict[str, Value]) -> Value:
        """A program with its words, or a shell text."""
        values = list(plain)
        if kind in ("spawnv", "spawnl"):
            values = values[1:]
        if kind in ("tail1", "tail3"):
            values = values[2 if kind == "tail1" else 3 :]
        if not values:
            values = [named[key] for key in ("cmd", "args", "command") if key in named]
        if not values:
            self.started = True
            return NOTHING
        first = values[0]
        if kind in ("execv", "execl", "spawnv", "spawnl"):
            return self._run([first, *_listed(values[1:])[1:]])
        if isinstance(first, list):
            return self._run(first)
        if kind == "sh" or (len(values) == 1 and "args" not in named):
            return self._started(word(first), first)
        rest = _listed([named["args"]] if "args" in named else values[1:])
        if _true(named.get("shell")):
            return self._started(" ".join(word(one) for one in (first, *rest)), first)
        return self._run([first, *(one for one in rest if not isinstance(one, (int, Ref)))])

    def _run(self, values: Sequence[Value]) -> Value:
        self.started = True
        words = [Dim(word(one)) if isinstance(word(one), Dim) else str(word(one)) for one in values]
        if "decoded" in origins(*values):
            self._opaque("decoded", ("decoded",))
        self.commands += 1
        self.blind = self.blind or not words or not words[0].strip("*")
        if words and words[0].strip("*") and self.commands <= MAX_COMMANDS:
            inside.run(self.program.shell, words, ("exec",))
        return Dark(("run:" + (words[0] if words else ""), *origins(*values)))

    def _network(self, kind: str, last: str, plain: Sequence[Value], named: dict[str, Value]) -> Value:
        """A request: its method, whether it carries something, and what."""
        scope = self.program.shell.scope
        values = list(plain)
        method = VERBS.get(last, "")
        if kind == "post":
            method = "POST"
        verb = values[0] if len(values) > 1 and kind in ("fetch", "verb") and last == "request" else None
        if isinstance(verb, str) and "://" not in verb:
            method, values = verb.upper(), values[1:]
        url = values[0] if values else named.get("url", named.get("uri", named.get("hostname", named.get("host"))))
        told = named.get("method")
        if isinstance(told, str):
            method = told.upper()
        carried = [
            named[key]
            for key in ("data", "json", "body", "files", "params", "headers", "content", "form")
            if key in named
        ]
        sends = method in ("POST", "PUT", "PATCH") or any(
            key in named for key in ("data", "json", "body", "files", "content")
        )
        if not method and kind in ("get", "fetch", "verb"):
            sends = sends or (kind == "get" and len(values) > 1 and last == "urlopen")
            method = "POST" if sends else "GET"
        address = word(url) if isinstance(url, (str, Dark, Ref)) else ""
        sends = sends or (isinstance(address, Dim) and "://" in address)
        if not address.strip("*"):
            return Dark(("net:**",))
        before = len(scope.actions)
        network.connect(Dim(address) if isinstance(address, Dim) else address, scope, sends=sends, method=method)
        taken = union(origins(*values, *carried), ())
        for action in scope.actions[before:]:
            action.takes = union(action.takes, taken)
        host = scope.actions[-1].host if len(scope.actions) > before else "**"  # type: ignore[attr-defined]
        if last in ("urlretrieve", "getstore", "download_file", "curl_download") and len(values) > 1:
            self._use(values[1], "write")
        return Dark((f"net:{host}",))

    def _socket(self, plain: Sequence[Value], named: dict[str, Value]) -> Value:
        """A raw connection: (host, port) in either order, together or apart."""
        flat: list[Value] = []
        for one in plain:
            flat.extend(one) if isinstance(one, list) else flat.append(one)
        hosts = [one for one in flat if isinstance(one, str) and one.strip("*")]
        ports = [one for one in flat if isinstance(one, int)]
        folded = {key.lower(): value for key, value in named.items()}
        host = folded.get("host") or folded.get("hostname") or folded.get("peeraddr") or (hosts[0] if hosts else None)
        port = folded.get("port") or folded.get("peerport") or (ports[0] if ports else 0)
        if not isinstance(host, str) or (not ports and not port and ":" not in host and len(hosts) < 2):
            return NOTHING
        if not port and len(hosts) > 1 and hosts[1].isdigit():
            port = int(hosts[1])
        scope = self.program.shell.scope
        text = f"{host}:{port}" if isinstance(port, int) and port and "://" not in host and ":" not in host else host
        network.connect(Dim(text) if isinstance(host, Dim) else text, scope, sends=True)
        return Dark((f"net:{host}",))

    def _evaluated(self, kind: str, plain: Sequence[Value]) -> Value:
        """Text that becomes program text: read when it is known, and said to be dark when it is not or was hidden."""
        program = self.program
        value = plain[-1] if plain and kind == "eval" else plain[0] if plain else None
        value = plain[0] if plain and not (program.language == "js" and len(plain) > 1) else value
        found = origins(*plain)
        if any(one.startswith("net:") for one in found):
            self._opaque("pipe-to-shell", found)
        elif "decoded" in found or type(value) is Made or (kind == "load" and found):
            self._opaque("decoded", found or ("decoded",))
        elif kind == "load" or not isinstance(value, str) or isinstance(value, Dim):
            if value is None or isinstance(value, Named):
                return NOTHING
            if not any(one.startswith("file:") for one in found):
                self._opaque("computed", found)
            return NOTHING
        if isinstance(value, str) and not isinstance(value, Dim) and program.evals < 4:
            from bk.engine.lower.code import scan

            scan(program.shell, str(value), program.language, (), program.evals + 1)
        return NOTHING

    def dark(self, values: Sequence[Value], why: str) -> None:
        """A name that is put together at run time."""
        found = origins(*values)
        self._opaque("decoded" if "decoded" in found else why, found)

    def _opaque(self, why: str, given: tuple[str, ...]) -> None:
        self.program.shell.dark(why, brief(self.program.text), given)

    def finish(self) -> None:
        """Literals that no call took are mentioned; a shell wired to a socket is said to be one."""
        program = self.program
        scope = program.shell.scope
        items = program.items
        names = program.names
        mentioned: list[str] = []
        wired = not WIRES.isdisjoint(names)
        for index, item in enumerate(items):
            if item.kind != "text":
                continue
            value = item.value
            if _SHELL.fullmatch(value) and ("/" in value or self.started or wired):
                wired = True
            if index in program.taken or len(value) > MAX_LITERAL:
                continue
            text = Dim(value) if item.parts is not None else value
            if "://" in value[:12] and value[:5] != "file:":
                if not any(blank in value for blank in " \n\t"):
                    network.connect(text, scope, certain=False)
            elif _path(value):
                mentioned.append(text)
        for name, mode, tree in self.later:
            bound = program.values.get(name)  # `[remove(f) for f in …]` says afterwards what `f` is
            if isinstance(bound, (str, list)):
                self._use(bound, mode, tree=tree)
        if not mentioned and ("delete", True) in self.unknown and len(program.text) <= MAX_LITERAL:
            scope.touch(Dim("**/"), "delete", tree=True, certain=False)
        for text in mentioned:
            scope.touch(text, "read")
            for mode, tree in dict.fromkeys(self.unknown):
                if mode != "read":
                    scope.touch(text, mode, tree=tree, certain=False)
        if not SOCKETS.isdisjoint(names) and not JOINTS.isdisjoint(names):
            hears = self.blind and not HEARS.isdisjoint(names)
            if (wired and (self.started or not WIRES.isdisjoint(names))) or hears:
                self._opaque("reverse-shell", ("unknown",))


def _path(value: str) -> bool:
    return bool(value) and " " not in value and "\n" not in value and pathlike(value)


def _listed(values: list[Value]) -> list[Value]:
    """Arguments given as one list, or one by one."""
    return values[0] if len(values) > 0 and isinstance(values[0], list) else values


def _true(value: Value) -> bool:
    return (isinstance(value, Ref) and value.name in _TRUE) or (isinstance(value, int) and value == 1)


_PATHS = names("rm rmtree write read open perlopen copy copytree move link chmod chmod1")
_ON_BASE = _PATHS | {"argv"}
_PATH_KEYS = ("path", "file", "filename", "dir", "src")
