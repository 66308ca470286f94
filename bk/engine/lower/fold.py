"""Constant folding: what an expression of a one-liner comes to, when all its parts are written out."""

from __future__ import annotations

import re

from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Value: TypeAlias = "str | int | list[Value] | Named | Ref | Dark | None"

MAX_TEXT = 65_536


class Ref:
    """A name that is not a known value: a module, a function, a method (`os.system`). `base` is what it hangs on."""

    __slots__ = ("base", "name")

    def __init__(self, name: str, base: Value = None) -> None:
        self.name = name
        self.base = base


class Dark:
    """A value nobody knows, with where it comes from (`Action.takes`)."""

    __slots__ = ("origins",)

    def __init__(self, origins: tuple[str, ...] = ()) -> None:
        self.origins = origins


class Where(str):
    """A path object: its methods are a path's and not a text's."""

    __slots__ = ()


class Made(str):
    """A text that was decoded or put together from characters: somebody did not want it read."""

    __slots__ = ()


class Named(dict[str, "Value"]):
    """Named arguments or an object literal."""

    __slots__ = ()


class Mixed(Dim):
    """A text with unknown parts that come from somewhere."""

    __slots__ = ("origins",)
    origins: tuple[str, ...]


def mixed(text: str, *values: Value) -> str:
    """A text that is not wholly known, with where its unknown parts come from."""
    made = Mixed(text)
    made.origins = origins(*values)
    return made


NOTHING = Dark()


def origins(*values: Value) -> tuple[str, ...]:
    """Where the unknown parts of some values come from."""
    found: dict[str, None] = {}
    for value in values:
        if isinstance(value, Dark):
            found.update(dict.fromkeys(value.origins))
        elif isinstance(value, Made):
            found["decoded"] = None
        elif isinstance(value, Mixed):
            found.update(dict.fromkeys(value.origins))
        elif isinstance(value, list):
            found.update(dict.fromkeys(origins(*value)))
        elif isinstance(value, Ref):
            if value.name in ENVIRONMENTS:
                found["env:*"] = None
            elif value.base is not None:
                found.update(dict.fromkeys(origins(value.base)))
    return tuple(found)


ENVIRONMENTS = frozenset(
    ("os.environ", "process.env", "ENV", "$ENV", "%ENV", "$_ENV", "Deno.env", "environ", "Bun.env")
)
_HOMES = frozenset(("HOME", "USERPROFILE"))


def word(value: Value) -> str:
    """A value as a word: unknown parts as `**`."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    return Dim("**")


def added(left: Value, right: Value) -> Value:
    """Concatenation; an unknown side leaves the known one visible."""
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    if isinstance(left, (str, int)) and isinstance(right, (str, int)):
        return same(left, right, f"{left}{right}")
    if isinstance(left, str) or isinstance(right, str):
        return mixed(f"{word(left)}{word(right)}", left, right)
    return Dark(origins(left, right))


def same(one: Value, two: Value, text: str) -> str:
    """A text made from others: as dim or as suspicious as they are."""
    if len(text) > MAX_TEXT:
        return mixed(text[:MAX_TEXT] + "**", one, two)
    if isinstance(one, Dim) or isinstance(two, Dim):
        return mixed(text, one, two)
    if type(one) is Made or type(two) is Made:
        return Made(text)
    return text


def under(base: Value, *parts: Value) -> Value:
    """Path joining; a part that is absolute starts anew."""
    text: str | None = None
    dim = made = False
    for value in (base, *parts):
        piece = word(value)
        dim = dim or isinstance(piece, Dim)
        made = made or type(piece) is Made
        if text is None or (piece[:1] in "/~" and piece):
            text = str(piece)
        elif piece:
            text = f"{text.rstrip('/')}/{piece}" if text else str(piece)
    text = text or ""
    return Dim(text) if dim else Where(text)


def decoded(how: str, value: Value) -> Value:
    """Base64, base32, hexadecimal, rot13, reversed: decoded when known, and marked either way."""
    if not isinstance(value, str) or isinstance(value, Dim):
        return Dark(("decoded", *origins(value)))
    text = str(value)[:MAX_TEXT]
    try:
        if how == "hex":
            return Made(bytes.fromhex(re.sub(r"\\x|[\s:,]", "", text)).decode(errors="replace"))
        if how in ("base64", "base32"):
            import base64

            if how == "base32":
                return Made(base64.b32decode(text).decode(errors="replace"))
            padded = text.replace("-", "+").replace("_", "/").strip()
            return Made(base64.b64decode(padded + "=" * (-len(padded) % 4)).decode(errors="replace"))
    except ValueError:
        return Dark(("decoded",))
    if how == "rot13":
        return Made(text.translate(_ROT13))
    if how == "uri":
        return Made(re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), text))
    return Dark(("decoded",))


_ROT13 = {first + index: first + (index + 13) % 26 for first in (ord("a"), ord("A")) for index in range(26)}


def characters(values: Sequence[Value]) -> Value:
    """`chr(114)+chr(109)`, `String.fromCharCode(…)`, `bytes([…])`."""
    flat: list[Value] = []
    for value in values:
        flat.extend(value) if isinstance(value, list) else flat.append(value)
    if all(isinstance(one, int) and 0 <= one < 0x110000 and not 0xD800 <= one < 0xE000 for one in flat):
        return Made("".join(chr(one) for one in flat if isinstance(one, int)))
    return Dark(("decoded",))


def joined(separator: Value, values: Value) -> Value:
    """`sep.join(list)` and `list.join(sep)`."""
    if isinstance(values, str) and separator == "":
        return values
    if not isinstance(values, list) or not isinstance(separator, str):
        return Dark(origins(separator, values))
    pieces = [word(one) for one in values]
    if sum(map(len, pieces)) + len(separator) * len(pieces) > MAX_TEXT:
        return Dark(("unknown",))
    text = str(separator).join(pieces)
    if any(isinstance(one, Dim) for one in pieces):
        return Dim(text)
    return Made(text) if any(type(one) is Made for one in pieces) else text


_DECODERS = {
    "b64decode": "base64", "urlsafe_b64decode": "base64", "standard_b64decode": "base64", "decodebytes": "base64",
    "a2b_base64": "base64", "atob": "base64", "base64_decode": "base64", "decode64": "base64",
    "strict_decode64": "base64", "urlsafe_decode64": "base64", "decode_base64": "base64", "b32decode": "base32",
    "fromhex": "hex", "unhexlify": "hex", "a2b_hex": "hex", "hex2bin": "hex", "str_rot13": "rot13", "b16decode": "hex",
    "decompress": "packed", "gzinflate": "packed", "gzuncompress": "packed", "gzdecode": "packed", "inflate": "packed",
    "a85decode": "packed", "b85decode": "packed", "uncompress": "packed", "decodeURIComponent": "uri",
    "inflateSync": "packed", "gunzipSync": "packed", "rawurldecode": "uri", "urldecode": "uri", "unescape": "uri",
    "convert_uudecode": "packed", "uudecode": "packed", "inflateRawSync": "packed", "brotliDecompressSync": "packed",
}  # fmt: skip
_FORMS = {"base64": "base64", "base64url": "base64", "hex": "hex"}
_JOINERS = frozenset(("path.join", "path.resolve", "File.join", "joinpath", "catfile", "catdir", "File::Spec.catfile"))
_PATHS = names(
    "Path PurePath PosixPath pathlib.Path Pathname Pathname.new File.new-path file.path normalizePath path.normalize"
    " path.abspath path.realpath path.expanduser path.expandvars fspath File.expand_path File.realpath realpath"
    " fs.realpathSync path.normpath NSString fileURLWithPath"
)
_SAME = names(
    "decode encode strip toString trim chomp lstrip rstrip to_s to_str str String bytes bytearray freeze dup resolve"
    " absolute expanduser as_posix valueOf Buffer.alloc-text rstrip! chop utf8 slice-all to_path"
)
_BELOW = names(
    "glob rglob iterdir listdir scandir walk readdir readdirSync children each_child entries glob.glob glob.iglob"
    " Dir.glob Dir.entries Dir.children find globSync"
)


_TEMPORARY = names("mkdtemp mktmpdir mktemp TemporaryDirectory NamedTemporaryFile mkdtempSync tempdir tempfile")


def pure(name: str, base: Value, args: Sequence[Value], home: str) -> Value:
    """The value of a call without effects; None when it is not one of these."""
    last = name.rpartition(".")[2]
    first = args[0] if args else None
    how = _DECODERS.get(last)
    if how is not None:
        return decoded(how, first if first is not None else base)
    if last == "from" and name.endswith("Buffer.from") and args:
        form = args[1] if len(args) > 1 else None
        if isinstance(first, list):
            return characters(first)
        return decoded(_FORMS[form], first) if isinstance(form, str) and form in _FORMS else first
    if last in ("chr", "fromCharCode", "fromCodePoint") or (last in ("bytes", "bytearray") and isinstance(first, list)):
        return characters(args)
    if last == "map" and len(args) > 1 and isinstance(first, Ref) and first.name == "chr" and isinstance(args[1], list):
        return characters(args[1:])
    if last in ("pack", "unpack", "unpack1"):
        return _packed(last, base, args)
    if last in ("join", "implode") and name not in _JOINERS and not name.endswith("path.join"):
        if isinstance(base, list):
            return joined(first if first is not None else "", base)
        if isinstance(base, str):
            return joined(base, first)
        if len(args) > 1 and isinstance(first, str):
            return joined(first, args[1] if isinstance(args[1], list) else list(args[1:]))
        return NOTHING
    if name in _JOINERS or ".".join(name.split(".")[-2:]) in _JOINERS or last in ("joinpath", "catfile"):
        return under(*((base, *args) if isinstance(base, str) else args)) if args else NOTHING
    if name in ("os.homedir", "Path.home", "pathlib.Path.home", "Dir.home", "homedir", "Deno.homeDir", "user_home"):
        return Where(home)
    if name in ("os.getcwd", "process.cwd", "Path.cwd", "Dir.pwd", "getcwd", "os.getcwdb", "Dir.getwd", "cwd"):
        return Where(".")
    if last in ("getpwuid", "getpwnam"):
        return [*(NOTHING,) * 5, Where(home), NOTHING, Where(home), NOTHING]
    if last in _TEMPORARY:
        return Dim("/tmp/tmp-*")  # noqa: S108 - where such calls make their folders
    if name in _PATHS or ".".join(name.split(".")[-2:]) in _PATHS:
        if isinstance(first, str):
            return under(first, *args[1:])
        return Where(".") if first is None else Dark(origins(first))
    if last in _BELOW:
        place = base if isinstance(base, str) else first
        if isinstance(place, str):
            if "*" in place:
                return Dim(place if "/" in place else f"./{place}")
            pattern = first if isinstance(base, str) and isinstance(first, str) else "**"
            return Dim(f"{place.rstrip('/')}/{pattern}")
        return Dim("./**") if name in ("os.listdir", "os.scandir") and not args else NOTHING
    if last in ("getenv", "get", "fetch") and (
        name in _GETENV or (isinstance(base, Ref) and base.name in ENVIRONMENTS)
    ):
        return variable(first, home)
    return _method(last, base, args)


_GETENV = frozenset(("os.getenv", "getenv", "os.environ.get", "ENV.fetch", "Deno.env.get", "System.get_env"))


def variable(name: Value, home: str) -> Value:
    """An environment variable's value, as far as it is known."""
    if isinstance(name, str) and name in _HOMES:
        return Where(home)
    return Dark((f"env:{name}",)) if isinstance(name, str) else Dark(("env:*",))


def _packed(last: str, base: Value, args: Sequence[Value]) -> Value:
    """`pack("H*", …)`, `[…].pack("c*")`, `"…".unpack1("m")`."""
    form = args[0] if args and isinstance(args[0], str) else ""
    data = base if base is not None else list(args[1:])
    single = data[0] if isinstance(data, list) and len(data) > 0 else data
    if form[:1] in ("H", "h"):
        return decoded("hex", single)
    if form[:1] in ("m", "u"):
        return decoded("base64", single)
    if form[:1] in ("c", "C", "U", "W", "a", "A") and last == "pack" and isinstance(data, list):
        return characters(data)
    return NOTHING


def _method(last: str, base: Value, args: Sequence[Value]) -> Value:
    if last in ("str", "String", "bytes") and args:
        return args[0]
    if not isinstance(base, (str, list)):
        return None
    if last in ("reverse", "reversed", "reverse!"):
        return Made(base[::-1]) if isinstance(base, str) and not isinstance(base, Dim) else base[::-1]
    if isinstance(base, list):
        return base if last in ("toArray", "list", "to_a", "flatten", "map") else None
    text = str(base)
    if last in _SAME:
        if last == "decode" and args and isinstance(args[0], str) and args[0] in ("hex", "base64", "rot13", "rot_13"):
            return decoded(args[0].replace("_", ""), base)
        return base
    if last in ("lower", "toLowerCase", "downcase"):
        return same(base, None, text.lower())
    if last in ("upper", "toUpperCase", "upcase"):
        return same(base, None, text.upper())
    if last == "split":
        if isinstance(base, Dim):
            return NOTHING
        cut = args[0] if args and isinstance(args[0], str) else None
        return list(text) if cut == "" else list(text.split(cut))
    if last in ("replace", "replaceAll", "gsub", "sub") and len(args) > 1 and type(base) is not Where:
        old, new = args[0], args[1]
        if isinstance(old, str) and isinstance(new, str) and old and len(text) * (len(new) + 1) < MAX_TEXT * 64:
            return Made(text.replace(old, new)) if not isinstance(base, Dim) else Dim(text.replace(old, new))
        return Dim(text)
    if last == "format":
        return Dim(re.sub(r"\{[^{}]*\}", "**", text)) if "{" in text else base
    if last in ("concat",):
        return added(base, args[0] if args else "")
    if last == "parent" and text.rpartition("/")[0]:
        return Where(text.rpartition("/")[0])
    if last in ("with_name", "with_suffix", "relative_to"):
        return Dim(text.rpartition("/")[0] + "/**")
    if last in ("repeat",) and args and isinstance(args[0], int):
        return same(base, None, text * min(args[0], 64))
    return None
