"""Where a download lands when the address names the file: what is run from there comes from another machine."""

from __future__ import annotations

from bk.engine.lower import network
from bk.engine.lower.paths import joined
from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Scope

_ARIA_TAKES = names(
    "-d --dir -o --out -i --input-file -l --log -j --max-concurrent-downloads -s --split -x --max-connection-per-server"
    " -k --min-split-size -t --timeout -m --max-tries --header --referer -U --user-agent --http-user --http-passwd"
    " --all-proxy --load-cookies --save-cookies --checksum -T --torrent-file -M --metalink-file"
)
_GH_TAKES = names(
    "-R --repo -p --pattern -O --output -D --dir -A --archive -n --name --hostname -X --method -f --raw-field -F"
    " --field -H --header -q --jq -t --template --cache --input --preview -u --upstream-remote-name --filename"
)


def base(url: str, *, query: bool = False) -> str:
    """The file name that a program takes from an address; wget keeps the query in it."""
    path = url.partition("#")[0].partition("://")[2] or url
    path, mark, rest = path.partition("?")
    name = path.rpartition("/")[2] if "/" in path else ""
    if query:
        name = (name or "index.html") + mark + rest
    return Dim(name) if type(url) is Dim and "*" in name else name


def lands(url: str, folder: str, scope: Scope, *, query: bool = False, sure: bool = True) -> None:
    """The file below `folder`; the folder itself is noted when the server may choose another name."""
    name = base(url, query=query)
    if name:
        scope.touch(joined(folder, name) if folder else name, "write")
    if not sure or not name or type(name) is Dim:
        scope.touch(folder or ".", "write")


def aria2c(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`-d DIR -o NAME URL…`."""
    folder = out = ""
    urls: list[str] = []
    listed = False
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word[:1] != "-":
            urls.append(word)
            continue
        name, equals, value = word.partition("=")
        if not equals and word[:2] != "--" and len(word) > 2:
            name, value = word[:2], word[2:]
        elif not equals and word in _ARIA_TAKES:
            value = args[index] if index < end else ""
            index += 1
        if name in ("-d", "--dir"):
            folder = value
        elif name in ("-o", "--out"):
            out = value
        elif name in ("-i", "--input-file"):
            scope.touch(value, "read")
            listed = True
    for url in urls:
        network.connect(url, scope, method="GET")
        if out:
            scope.touch(joined(folder, out) if folder else out, "write")
        else:
            lands(url, folder, scope)
    if listed:
        scope.touch(folder or ".", "write")


def gh(args: Sequence[str], scope: Scope) -> None:
    """`gh release download`, `gh run download`, `gh repo clone`, `gh gist clone` leave files here."""
    words: list[str] = []
    folder = out = pattern = ""
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word == "--":
            break
        if word[:1] != "-":
            words.append(word)
            continue
        name, equals, value = word.partition("=")
        if not equals and word in _GH_TAKES:
            value = args[index] if index < end else ""
            index += 1
        if name in ("-D", "--dir"):
            folder = value
        elif name in ("-O", "--output"):
            out = value
        elif name in ("-p", "--pattern"):
            pattern = value
    verb = " ".join(words[:2])
    if verb in ("release download", "run download"):
        network.connect("https://github.com", scope, method="GET")
        if out:
            scope.touch(out, "write")
        elif pattern and not any(letter in pattern for letter in "*?["):
            scope.touch(joined(folder, pattern) if folder else pattern, "write")
        else:
            scope.touch(folder or ".", "write", tree=bool(folder))
    elif verb in ("repo clone", "gist clone") and len(words) > 2:
        network.connect("https://github.com", scope, method="GET")
        clone(words[2:], scope)


def clone(operands: Sequence[str], scope: Scope) -> None:
    """The folder that a clone fills: the one that is named, else what the address ends in."""
    if not operands:
        return
    url = operands[0]
    name = operands[1] if len(operands) > 1 else url.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    if len(operands) < 2:
        name = name.removesuffix(".git")
        name = Dim(name) if type(url) is Dim else name
    if name:
        scope.touch(name, "write", tree=True)
