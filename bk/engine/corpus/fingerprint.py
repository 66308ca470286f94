"""Marks that are equal when two things are the same, and that do not say what the thing was. Pure.

Marks of this machine (its folders, itself) are keyed by the installation's salt. Marks of behaviour are the same
everywhere, so that installations can compare them; a path in them has lost its user first. Version 1 is kept bit for
bit as Beekeeper writes it, for import and export; version 2 is what is worth comparing.
"""

from __future__ import annotations

import re
from hashlib import sha256

from bk.engine.canonical import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

V2_DOMAIN = "bk/behaviour-signature/2"
WORDS_MAX = 32
_FLAG_MAX = 40
_CLUSTER = 16
_PORT = re.compile(r":[0-9]+\Z")
_HOME_V1 = re.compile(r"(?:/home|/Users|[A-Za-z]:/Users)/[^/]+/")
_DRIVE = re.compile(r"[a-z]:\Z")
_LONG = re.compile(r"--[a-z0-9][a-z0-9-]*")
_VERB = re.compile(r"[a-z][a-z-]{0,19}\Z")
_FOUR = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}\Z")
# Programs whose first operand is what they do, not what they do it to.
VERBED = frozenset(
    ("apt", "apt-get", "aws", "az", "brew", "bun", "cargo", "composer", "conda", "docker", "dotnet", "gcloud", "gem",
     "gh", "git", "go", "helm", "kubectl", "npm", "pip", "pip3", "pipx", "pnpm", "podman", "poetry", "systemctl",
     "terraform", "uv", "yarn")
)  # fmt: skip


def repo_fingerprint(salt: bytes, folder: str) -> str:
    """The mark of a working folder, on this installation only."""
    return _keyed(salt, folder)


def fleet_node(salt: bytes, host: str, system: str) -> str:
    """The mark of a machine (its name, and `linux`, `darwin` or `windows`), on this installation only."""
    return _keyed(salt, f"{host}\0{system}")


def cluster_id(package: str, version: str, repo: str) -> str:
    """What groups the events about one package version in one folder (`repo` is the folder's mark, or "")."""
    return sha256(_bytes(f"{package}\0{version}\0{repo}")).hexdigest()[:_CLUSTER]


def behaviour_v1(actor: str, target: str, network: str) -> str:
    """Beekeeper's signature of who did what to what: frozen, with its collisions."""
    base = actor.replace("\\", "/").rpartition("/")[2]
    path = target.replace("\\", "/")
    home = _HOME_V1.match(path)
    path = "~/" + path[home.end() :] if home else path
    parts = (_lower(base), _lower(path), _lower(_PORT.sub("", network)))
    return sha256(_bytes("\0".join(parts))).hexdigest()


def behaviour_v2(actor: str, target: str, network: str, argv: Sequence[str] = ()) -> str:
    """The signature that tells two addresses, two commands and two kinds of operand apart, whoever's home it was."""
    return sha256(canonical([V2_DOMAIN, program(actor), place(target), host(network), shape(argv)])).hexdigest()


def program(text: str) -> str:
    """A program without its folder and its `.exe`, in lower case."""
    return _lower(_whole(text).replace("\\", "/").rstrip("/").rpartition("/")[2]).removesuffix(".exe")


def place(text: str) -> str:
    """A path in lower case and normal form, every home as `~`, whose ever and on whatever system."""
    path = _lower(_whole(text).replace("\\", "/"))
    if not path:
        return ""
    words = [word for word in path.split("/") if word not in ("", ".", "?")]
    drive = words[0] if words and _DRIVE.match(words[0]) else ""
    rooted = path.startswith("/") or bool(drive)
    own = not rooted and words[:1] != [] and words[0].startswith("~")
    parts: list[str] = []
    for word in words[1:] if drive or own else words:
        if word != "..":
            parts.append(word)
        elif parts and parts[-1] != "..":
            parts.pop()
        elif not rooted:
            parts.append(word)
    if not rooted:
        return "/".join(["~", *parts] if own else parts)
    cut = _home(parts, drive=bool(drive))
    return "/".join(["~", *parts[cut:]] if cut else [drive, *parts]) or "/"


def _home(parts: Sequence[str], *, drive: bool) -> int:
    """How many leading parts of an absolute path are somebody's home; 0 when none are."""
    first = parts[0] if parts else ""
    if drive:
        return 2 if first == "users" and len(parts) > 1 else 0
    if first == "root":
        return 1
    if list(parts[:2]) == ["var", "root"]:
        return 2
    if list(parts[:3]) == ["private", "var", "root"]:
        return 3
    return 2 if first in ("home", "users") and len(parts) > 1 else 0


def host(text: str) -> str:
    """The machine in `host`, `host:port`, `[address]:port` or a URL: lower case, no port, no user, no final dot."""
    name = _lower(_whole(text)).strip()
    if "://" in name:
        name = name.partition("://")[2]
        name = re.split(r"[/?#\\]", name, maxsplit=1)[0]
    name = name.rpartition("@")[2]
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = _PORT.sub("", name)
    name = name.partition("%")[0].rstrip(".")
    return _six(name) if ":" in name else name


def _six(name: str) -> str:
    """An IPv6 address in its one spelling, an IPv4 address that is wrapped in one as itself."""
    from ipaddress import AddressValueError, IPv6Address

    try:
        address = IPv6Address(name)
    except AddressValueError:
        return name
    return str(address.ipv4_mapped or address)


def shape(argv: Sequence[str]) -> list[str]:
    """What kind of command it is: names of options, kinds of operands, never a value."""
    found: list[str] = []
    verb = bool(argv) and program(argv[0]) in VERBED
    options = True
    for word in map(_whole, argv[1:]):
        if len(found) == WORDS_MAX:
            found.append("…")
            break
        if options and word == "--":
            options = False
            found.append(word)
        elif options and word.startswith("-") and word != "-":
            found.append(_option(word))
        elif verb and _VERB.match(word):
            found.append(f"={word}")
            verb = False
        else:
            verb = False
            found.append(_operand(word))
    return found


def _option(word: str) -> str:
    """The name of a long option; the first letter of a short one, because a secret may stick to it."""
    long = _LONG.match(_lower(word))
    if long:
        return long[0][:_FLAG_MAX]
    return word[:2] if word[1:2].isascii() and word[1:2].isalpha() else "-?"


def _operand(word: str) -> str:
    if word == "-":
        return "-"
    if "://" in word:
        return "<url>"
    if "/" in word or "\\" in word or word.startswith("~") or word in (".", ".."):
        return "<path>"
    if _FOUR.match(word):
        return "<address>"
    if word.isascii() and word.isdigit():
        return "<number>"
    return "<word>" if word else "<empty>"


def _keyed(salt: bytes, text: str) -> str:
    import hmac

    if len(salt) != 32:
        raise ValueError("a salt is 32 bytes")
    return hmac.new(salt, _bytes(text), "sha256").hexdigest()


def _lower(text: str) -> str:
    """Lower case one character at a time, which is how every language can do it: one letter stays one letter."""
    if text.isascii():
        return text.lower()
    return "".join("i" if char == "\u0130" else char.lower() for char in text)


def _whole(text: str) -> str:
    """The text as UTF-8 can say it: half of a surrogate pair, as names that are not text have it, becomes U+FFFD."""
    return _bytes(text).decode()


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text).encode()
