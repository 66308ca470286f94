"""Which machine a connection really reaches, however its name or address is spelled, and what is known of it."""

from __future__ import annotations

import re

from bk.engine.checks.patterns import Pattern
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Names that stand for every host below them.
_PASTES = """
pastebin.com hastebin.com ghostbin.com ghostbin.co paste.ee rentry.co dpaste.com dpaste.org termbin.com ix.io sprunge.us
0x0.st x0.at paste.rs controlc.com privatebin.net justpaste.it snippet.host bpa.st paste.c-net.org p.ip.fi bin.sh
pasteio.com cl1p.net transfer.sh file.io bashupload.com oshi.at gofile.io anonfiles.com
catbox.moe tmpfiles.org uguu.se temp.sh envs.sh filebin.net keep.sh pomf.lain.la send.vis.ee wormhole.app
"""
_CATCHERS = """
webhook.site requestbin.com requestbin.net requestcatcher.com hookbin.com beeceptor.com pipedream.net postb.in
ptsv2.com ptsv3.com smee.io interact.sh interactsh.com burpcollaborator.net oastify.com oast.fun oast.pro oast.live
oast.site oast.online oast.me dnslog.cn ceye.io canarytokens.com dnsbin.zhack.ca requestrepo.com webhook-test.com
typedwebhook.tools mockbin.io
"""
_TUNNELS = """
ngrok.io ngrok.app ngrok.dev ngrok-free.app ngrok-free.dev trycloudflare.com loca.lt localtunnel.me serveo.net
localhost.run lhr.life lhr.rocks pinggy.io pinggy.link bore.pub bore.digital tunnelto.dev tmate.io telebit.cloud
pagekite.me playit.gg portmap.io
"""
_POOLS = """
supportxmr.com minexmr.com minergate.com monerohash.com nanopool.org zergpool.com 2miners.com hashvault.pro c3pool.com
c3pool.org f2pool.com antpool.com ethermine.org slushpool.com braiins.com poolin.me poolin.com moneroocean.stream
herominers.com unmineable.com nicehash.com miningpoolhub.com prohashing.com flexpool.io hiveon.net xmrpool.eu
dwarfpool.com viabtc.com woolypooly.com rplant.xyz zpool.ca mining-dutch.nl p2pool.io
"""
DENIED: dict[str, str] = {
    name: what
    for what, text in (
        ("a place where anybody can read what is left", _PASTES),
        ("a catcher of requests, made to receive what is sent to it", _CATCHERS),
        ("a tunnel to a machine that nobody knows", _TUNNELS),
        ("a pool for mining", _POOLS),
    )
    for name in text.split()
}
POOLS = names(_POOLS)
METADATA = names(
    "169.254.169.254 169.254.170.2 169.254.170.23 169.254.0.23 100.100.100.200 192.0.0.192 168.63.129.16"
    " fd00:ec2::254 fd00:ec2::23 fd20:ce::254 metadata.google.internal metadata.goog metadata instance-data"
    " instance-data.ec2.internal metadata.azure.internal metadata.tencentyun.com metadata.packet.net"
)
# Names under which anybody's machine or page appears: the name before them says nothing of who answers.
_SHARED = names(
    "github.io gitlab.io vercel.app netlify.app workers.dev pages.dev herokuapp.com fly.dev onrender.com web.app"
    " firebaseapp.com cloudfront.net azurewebsites.net blogspot.com surge.sh repl.co glitch.me deno.dev"
)
MAX_NAME = 256  # no longer name can be resolved
_HERE = names("localhost ::1 :: 0.0.0.0 ip6-localhost ip6-loopback host.docker.internal")
_NEAR = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".intranet", ".corp", ".svc", ".cluster.local")
_SPELLED = Pattern(r"^(?:[a-z][a-z\d+.-]*:)?[/\\]*(?:[^/?#\\@]*@)?(\[[^\]]*\]|[^/?#\\:]*)", re.IGNORECASE)
_CLEAN = Pattern(r"[\w.*\-]+|\[?[\da-fA-F:.]+\]?(?:%\w+)?")
_WORD = Pattern(r"[a-z\d](?:[a-z\d.-]*[a-z\d])?")
_NUMBER = Pattern(r"0x[\da-f]*|\d+")
_ESCAPED = Pattern(r"%([\da-fA-F]{2})")
_EMBEDDED = Pattern(r"(?:^|[.-])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})\.(?:nip|sslip|xip)\.io$")
_DOTS = Pattern("[。．｡]")
_INVISIBLE = Pattern("[\x00-\x20\x7f\u00ad\u200b-\u200f\u2060\ufeff]")


def spelled(name: str) -> str:
    """One spelling for each host: lower case, plain letters, no trailing dot, addresses in their usual form."""
    text = name.strip("[]")
    if "%" in text:
        text = _ESCAPED.re.sub(lambda match: chr(int(match[1], 16)), text)
    if not text.isascii():
        import unicodedata

        text = unicodedata.normalize("NFKC", _DOTS.re.sub(".", text))
    text = _INVISIBLE.re.sub("", text).lower().rstrip(".")
    if ":" in text:
        return _six(text.partition("%")[0])
    if text[:1].isdigit():
        return _four(text) or text
    return text


def hosts(url: str, host: str) -> Iterator[str]:
    """Every machine that a program may understand this URL to name; readers disagree on malformed ones."""
    first = spelled(host)
    yield first
    torn = "\\" in url or _INVISIBLE.re.search(url) is not None
    if not torn and _CLEAN.re.fullmatch(host) is not None:
        return
    match = _SPELLED.re.match(_INVISIBLE.re.sub("", url))
    if match is not None and match[1]:
        second = spelled(match[1])
        if second != first:
            yield second
    if torn:
        head = re.split(r"[?#]", url.partition("://")[2] or url, maxsplit=1)[0]
        for word in _WORD.re.findall(head.lower()):
            if "." in word and word != first:
                yield word


def under(host: str, listed: Iterable[str]) -> str:
    """The entry that names this host or a domain above it, at label boundaries; "" for none."""
    if listed.__class__ not in (dict, frozenset, set):
        listed = {entry.lower().removeprefix("*.").strip(".") for entry in listed}
    name = host[-MAX_NAME:]
    while name:
        if name in listed:
            return name
        name = name.partition(".")[2]
    return ""


def metadata(host: str) -> bool:
    """Whether a host is a cloud's metadata service, which hands credentials to whoever asks."""
    if host in METADATA:
        return True
    match = _EMBEDDED.re.search(host) if host.endswith(".io") else None
    return match is not None and ".".join(match.groups()) in METADATA


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    return host in _HERE or host.startswith("127.") or host.endswith(".localhost")


def near(host: str) -> bool:
    """Whether a host is this machine or one of a private network."""
    if loopback(host) or host.endswith(_NEAR):
        return True
    if host.startswith(("10.", "192.168.", "169.254.", "fe80:", "fc", "fd")) and ("." in host or ":" in host):
        return _four(host) != "" or ":" in host
    if host.startswith("172."):
        second = host.split(".")[1]
        return second.isdigit() and 16 <= int(second) < 32
    return False


def owner(host: str) -> str:
    """The label under which a host is registered (`api.github.com` is `github`); "" where anybody may appear."""
    labels = host.split(".")
    if len(labels) < 2 or under(host, _SHARED) or "*" in labels[-2]:
        return ""
    second = labels[-2]
    if len(labels) > 2 and len(second) <= 3 and len(labels[-1]) == 2:
        second = labels[-3]  # `example.co.uk`
    return second


def _four(text: str) -> str:
    """An IPv4 address in any of the spellings that programs read: decimal, octal, hexadecimal, fewer parts."""
    parts = text.split(".")
    if len(parts) > 4:
        return ""
    numbers: list[int] = []
    for part in parts:
        if _NUMBER.re.fullmatch(part) is None or len(part) > 14:
            return ""
        try:
            numbers.append(
                int(part, 16) if part[:2] == "0x" and len(part) > 2 else int(part, 8) if part[0] == "0" else int(part)
            )
        except ValueError:
            return ""
    *lead, last = numbers
    if any(number > 255 for number in lead) or last >= 1 << (8 * (4 - len(lead))):
        return ""
    value = last
    for at, number in enumerate(lead):
        value |= number << (8 * (3 - at))
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def _six(text: str) -> str:
    """An IPv6 address, shortened; one that carries an IPv4 address is that address."""
    head, cut, tail = text.partition("::")
    lead, end = _groups(head), _groups(tail)
    if lead is None or end is None:
        return text
    missing = 8 - len(lead) - len(end)
    if (missing != 0 and not cut) or missing < 0:
        return text
    whole = [*lead, *([0] * missing), *end]
    if whole[:5] == [0] * 5 and whole[5] in (0, 0xFFFF) and whole[6] | (whole[7] > 1):
        return _dotted(whole[6], whole[7])
    if whole[:6] == [0x64, 0xFF9B, 0, 0, 0, 0]:
        return _dotted(whole[6], whole[7])
    if whole[0] == 0x2002:
        return _dotted(whole[1], whole[2])
    written = ":".join(format(group, "x") for group in whole)
    run = max(re.findall(r"(?:^|(?<=:))0(?::0)+(?=:|$)", written), key=len, default="")
    if not run:
        return written
    before, _, after = written.partition(run)
    return f"{before.rstrip(':')}::{after.lstrip(':')}"


def _groups(text: str) -> list[int] | None:
    if not text:
        return []
    found: list[int] = []
    parts = text.split(":")
    for at, part in enumerate(parts):
        if "." in part and at == len(parts) - 1:
            four = _four(part)
            if not four:
                return None
            one, two, three, last = (int(number) for number in four.split("."))
            found += [one << 8 | two, three << 8 | last]
        elif part and len(part) <= 4 and all(char in "0123456789abcdef" for char in part):
            found.append(int(part, 16))
        else:
            return None
    return found


def _dotted(high: int, low: int) -> str:
    return f"{high >> 8}.{high & 255}.{low >> 8}.{low & 255}"
