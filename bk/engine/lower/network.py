"""Programs that talk to other machines: where they connect, what they send and where they save."""

from __future__ import annotations

import re

from bk.engine.lower.words import Dim
from bk.engine.model import Connect
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Scope

_URL = re.compile(r"(?:([a-zA-Z][\w+.-]*)://)?(?:[^/?#@\s]*@)?(\[[\da-fA-F:.]+\]|[^/?#:\s]*)(?::(\d{1,5}))?")
_HOSTLIKE = re.compile(
    r"(?:[\w-]+\.)+[A-Za-z]{2,}(?::\d+)?(?:[/?#]\S*)?|localhost(?::\d+)?(?:/\S*)?|\d+(?:\.\d+){3}\S*"
)
_REMOTE = re.compile(r"(?:[\w.-]+@)?((?<=@)[\w.-]+|\[[\da-fA-F:]+\]|[\w.-]{2,}):(?!\\)")
_PORTS = {"http": 80, "https": 443, "ftp": 21, "ssh": 22, "git": 9418, "ws": 80, "wss": 443}

_CURL_READS = frozenset(("-K", "--config", "--netrc-file"))
_CURL_WRITES = frozenset(("-o", "--output", "-D", "--dump-header", "-c", "--cookie-jar", "--trace", "--trace-ascii"))
_CURL_SENDS = names(
    "-d --data --data-ascii --data-binary --data-urlencode --json -F --form -T --upload-file --data-raw"
    " --form-string --url-query -b --cookie -H --header"
)
_CURL_BODY = _CURL_SENDS - frozenset(("-b", "--cookie", "-H", "--header", "--url-query"))
_CURL_TAKES = names(
    "-X --request -u --user -A --user-agent -e --referer -m --max-time --connect-timeout -x --proxy -w"
    " --write-out --retry --retry-delay --retry-max-time -r --range -C --continue-at --limit-rate"
    " --resolve --interface -y -Y -z --cacert --capath -E --cert --key --ciphers --tls-max --max-redirs"
    " --max-filesize --noproxy -U --proxy-user --output-dir --unix-socket --connect-to --dns-servers"
    " --aws-sigv4 --oauth2-bearer -P --ftp-port -Q --quote --create-file-mode --request-target --stderr"
    " --pass --key-type --cert-type --proto --rate -t"
)


def connect(url: str, scope: Scope, *, sends: bool = False, certain: bool = True, method: str = "") -> None:
    """Record a connection to the host in a URL, or in a bare `host[:port][/path]`."""
    match = _URL.match(url)
    if match is None:
        return
    scheme = (match[1] or "").lower()
    host = match[2].strip("[]").rstrip(".").lower()
    port = int(match[3]) if match[3] else _PORTS.get(scheme, 0)
    sure = certain and type(url) is not Dim
    scope.emit(Connect(url, host, port, sends=sends, method=method, via=scope.via, certain=sure))


def remote(word: str, scope: Scope, *, sends: bool) -> bool:
    """Whether an operand is `host:path` or `scheme://…`; records the connection when it is."""
    if "://" in word[:12]:
        connect(word, scope, sends=sends)
        return True
    match = _REMOTE.match(word)
    if match is None or "/" in word[: match.end()]:
        return False
    scope.emit(Connect(word, match[1].strip("[]").lower(), 22, sends=sends, via=scope.via))
    return True


def curl(_name: str, args: Sequence[str], scope: Scope) -> None:
    """Uploads read files, `-o` writes one, `file://` is a read."""
    urls: list[str] = []
    sends = named = chosen = False
    method = folder = ""
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word[:1] != "-" or word == "-":
            urls.append(word)
            continue
        if _bare(word, "O", "--remote-name"):
            named = True
        if _bare(word, "J", "--remote-header-name"):
            chosen = True
        name, value, glued = _curl_option(word)
        if name in _CURL_SAYS or (word[:2] != "--" and _asks(word)):
            method = _curl_method(name, word, method)
        wants = name in _CURL_SENDS or name in _CURL_TAKES or name in _CURL_WRITES or name in _CURL_READS
        if name == "--url":
            wants = True
        if wants and not glued:
            value = args[index] if index < end else ""
            index += 1
        if name == "--output-dir":
            folder = value
        elif name == "--url":
            urls.append(value)
        elif name in _CURL_SENDS:
            sends = sends or name in _CURL_BODY
            _curl_data(name, value, scope)
        elif name in _CURL_WRITES:
            scope.touch(value, "write")
        elif name in _CURL_READS:
            scope.touch(value, "read")
        elif name in ("-X", "--request"):
            method = value.upper()
            sends = sends or method in ("POST", "PUT", "PATCH")
        if name in _CURL_BODY and not method:
            method = "PUT" if name in ("-T", "--upload-file") else "POST"
    if method == "G":  # `-G` puts the data into the address
        method = "GET"
    for url in urls:
        if url[:5].lower() == "file:":
            scope.touch(url, "read")
        else:
            connect(url, scope, sends=sends or (type(url) is Dim and "://" in url), method=method or "GET")
            if named:
                from bk.engine.lower.downloads import lands  # it imports this page

                lands(url, folder, scope, sure=not chosen)


_CURL_SAYS = {"--head": "HEAD", "--get": "G", "-I": "HEAD", "-G": "G"}


def _bare(word: str, letter: str, long: str) -> bool:
    """Whether a word is a flag, alone, written out or in a cluster before a letter with a value."""
    if word[:2] == "--":
        return word in (long, long + "-all")
    if letter not in word:
        return False
    for one in word[1:]:
        if one == letter:
            return True
        option = "-" + one
        if option in _CURL_SENDS or option in _CURL_TAKES or option in _CURL_WRITES or option in _CURL_READS:
            return False
    return False


def _asks(word: str) -> bool:
    return "I" in word or "G" in word


def _curl_method(name: str, word: str, method: str) -> str:
    """`-I` and `-G` in a cluster, as far as they stand before a letter with a value."""
    if name in _CURL_SAYS:
        return _CURL_SAYS[name]
    for letter in word[1:]:
        option = f"-{letter}"
        if option in _CURL_SAYS and method in ("", "POST"):
            return _CURL_SAYS[option]
        if option in _CURL_SENDS or option in _CURL_TAKES or option in _CURL_WRITES or option in _CURL_READS:
            break
    return method


def _curl_option(word: str) -> tuple[str, str, bool]:
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value, bool(equals)
    for at in range(1, len(word)):
        letter = "-" + word[at]
        if letter in _CURL_SENDS or letter in _CURL_TAKES or letter in _CURL_WRITES or letter in _CURL_READS:
            rest = word[at + 1 :]
            return letter, Dim(rest) if type(word) is Dim else rest, bool(rest)
    return word, "", False


def _curl_data(name: str, value: str, scope: Scope) -> None:
    """Which file an option's value names, if it names one."""
    dim = type(value) is Dim
    path = ""
    if name in ("-T", "--upload-file"):
        path = value
    elif name in ("-F", "--form"):
        body = value.partition("=")[2]
        if body[:1] in "@<":
            path = body[1:].partition(";")[0]
    elif name in ("-b", "--cookie"):
        path = value if value and "=" not in value else ""
    elif name in ("--data-urlencode", "--url-query"):
        at = value.find("@")
        if at >= 0 and "=" not in value[:at]:
            path = value[at + 1 :]
    elif name not in ("--data-raw", "--form-string") and value.startswith("@"):
        path = value[1:]
    for one in path.split(",") if name in ("-F", "--form") else (path,):
        if one:
            scope.touch(Dim(one) if dim else one, "read")


_WGET_TAKES = names(
    "-t --tries -T --timeout -U --user-agent -e --execute --header --user --password -w --wait -Q -A -R"
    " -D -l --level -P --directory-prefix --method --post-data --body-data --referer --limit-rate"
    " --ca-certificate -I -X"
)


def wget(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`-O` writes, `--post-file` and `-i` read; without `-O` the address names the file."""
    urls: list[str] = []
    sends = named = listed = deep = False
    method = folder = ""
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word[:1] != "-" or word == "-":
            urls.append(word)
            continue
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        glued = bool(equals)
        if not equals and not word.startswith("--") and len(word) > 2:
            for at in range(1, len(word)):
                if word[at] in "OioaPtTUe":
                    name, value, glued = "-" + word[at], word[at + 1 :], at + 1 < len(word)
                    break
        pathy = name in ("-O", "--output-document", "-o", "--output-file", "-a", "-i", "--input-file")
        posts = name in ("--post-file", "--body-file")
        if (pathy or posts or name in _WGET_TAKES) and not glued:
            value = args[index] if index < end else ""
            index += 1
        if posts:
            sends = True
            scope.touch(value, "read")
        elif name in ("--post-data", "--body-data"):
            sends = True
        elif name == "--method":
            method = value.upper()
        elif word == "--spider":
            method = method or "HEAD"
        elif pathy:
            named = named or name in ("-O", "--output-document")
            listed = listed or name in ("-i", "--input-file")
            scope.touch(value, "read" if name in ("-i", "--input-file") else "write")
        elif name in ("-P", "--directory-prefix"):
            folder = value
            scope.touch(value, "write")
        elif word in ("-r", "-m", "-p", "--recursive", "--mirror", "--page-requisites", "--content-disposition"):
            deep = True
    for url in urls:
        connect(
            url,
            scope,
            sends=sends or (type(url) is Dim and "://" in url),
            method=method or ("POST" if sends else "GET"),
        )
        if not named and method != "HEAD":
            from bk.engine.lower.downloads import lands  # it imports this page

            lands(url, folder, scope, query=True, sure=not deep)
    if listed and not named:
        scope.touch(folder or ".", "write")


_NETCAT_TAKES = names(
    "-e -c -p -s -w -i -o -x -X -q -g -G -I -O -T -V -M -m -P --exec --sh-exec --lua-exec --source --source-port --wait"
    " --idle-timeout --output --hex-dump --proxy --proxy-type --proxy-auth --max-conns --allow --deny --ssl-cert"
    " --ssl-key"
    " --delay"
)


def _netcat_operands(args: Sequence[str]) -> list[str]:
    """Host and port: what is neither an option nor an option's value."""
    found: list[str] = []
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word[:1] != "-" or len(word) < 2:
            found.append(word)
        elif word in _NETCAT_TAKES or (word[1:2] != "-" and f"-{word[-1]}" in _NETCAT_TAKES and word[1:].isalpha()):
            index += 1
    return found


def raw_socket(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`nc host port` and its like: whatever stands on stdin leaves."""
    operands = _netcat_operands(args) if _name != "socat" else [word for word in args if word[:1] != "-"]
    if any(word[:1] == "-" and word[1:2] != "-" and "U" in word for word in args):
        for word in operands[:1]:
            scope.touch(word, "write")
        return
    if _name == "socat":
        for word in operands:
            kind, _, rest = word.partition(":")
            if kind.lower().startswith(("unix", "file", "open", "create", "gopen", "pipe", "abstract")):
                scope.touch(rest.split(",", 1)[0], "read")
    for word in operands[:2] if _name == "socat" else operands[:1]:
        host = word.partition(":")[2] if _name == "socat" else word
        if not host or (_name == "socat" and "/" in host):
            continue
        port = operands[1] if _name != "socat" and len(operands) > 1 and operands[1].isdigit() else ""
        connect(f"{host}:{port}" if port and len(port) < 6 else host, scope, sends=True)


def ssh(_name: str, args: Sequence[str], scope: Scope) -> None:
    """The host; `-F` is read and `-E` written. A key given with `-i` is used, not shown."""
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word[:1] == "-":
            letter = word[:2]
            if letter in ("-F", "-E"):
                value = word[2:] or (args[index] if index < end else "")
                scope.touch(value, "read" if letter == "-F" else "write")
            if len(word) == 2 and letter[1:] in "bcDeFIiJLlmOopQRSWwBE":
                index += 1
            continue
        host = word.rpartition("@")[2]
        connect(f"ssh://{host}" if "://" not in host else host, scope, sends=True)
        return


def httpie(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`http POST url name=value name@file`: fields after the URL are sent."""
    operands: list[str] = []
    takes = False
    for word in args:
        if takes:
            takes = False
        elif word[:1] == "-" and len(word) > 1:
            takes = word in _HTTPIE_TAKES
            if word in ("-o", "--output", "--download"):
                takes = word != "--download"
        else:
            operands.append(word)
    method = ""
    if operands and operands[0].isalpha() and operands[0].upper() in _METHODS:
        method = operands.pop(0).upper()
    if not operands:
        return
    fields = [field for field in operands[1:] if "==" not in field and not _HEADER.match(field)]
    url = operands[0]
    if url[:1] == ":":
        url = "localhost" + (url if url[1:2].isdigit() else url[1:])
    connect(url, scope, sends=bool(fields), method=method or ("POST" if fields else "GET"))
    for field in operands[1:]:
        at = field.find("@")
        if at >= 0 and "=" not in field[:at]:
            scope.touch(field[at + 1 :], "read")
        elif "=@" in field:
            scope.touch(field.partition("=@")[2], "read")


_METHODS = names("GET POST PUT PATCH DELETE HEAD OPTIONS TRACE CONNECT PURGE PROPFIND")
_HEADER = re.compile(r"[\w-]+:(?!=)")
_HTTPIE_TAKES = names(
    "-a --auth -A --auth-type -p --print -s --style --session --session-read-only --proxy --verify --cert --cert-key"
    " --timeout --max-redirects -o --output --pretty --raw --boundary --format-options --response-charset"
)


def hostlike(word: str) -> bool:
    """Whether a string is a URL or looks like a host to connect to."""
    return bool(re.match(r"[a-zA-Z][\w+.-]*://\S+$", word)) or _HOSTLIKE.fullmatch(word) is not None
