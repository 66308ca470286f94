"""The frames between a hook client and the engine. One request and one reply a connection, no further round trip.

request: `BKH1` · u32 meta length · u32 body length · meta · body
reply:   `BKR1` · u8 status · u8 exit code · u16 zero · u32 stdout length · u32 stderr length · stdout · stderr

Numbers are big-endian. Meta is `key 0x1f value 0x1e` again and again, UTF-8. The native client has the same rules in C;
`tests/unit/hook_client` holds the two together.
"""

from __future__ import annotations

from bk.hook.request import VARIABLES, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_MAGIC = b"BKH1"
REPLY_MAGIC = b"BKR1"
REQUEST_HEAD = 12
REPLY_HEAD = 16
MAX_META = 65536
MAX_BODY = (1 << 20) + 1  # one byte over the limit tells that there was more
MAX_STDOUT = 1 << 20
MAX_STDERR = 64 << 10
MAX_DEADLINE_MS = 30000

ANSWER, BUSY, VERSION, DRAINING = range(4)

_KEYS = frozenset(("harness", "event", "cwd", "home", "nonce", "deadline", *(f"env.{name}" for name in VARIABLES)))
_NEEDED = frozenset(("harness", "event", "cwd", "home", "nonce", "deadline"))
_HEX = frozenset("0123456789abcdef")


class BadFrame(ValueError):  # noqa: N818 - it names the frame, as Refusal names the call
    """Bytes that are not a frame. The message says which rule they break."""


def encode_request(  # noqa: PLR0917 - the frame's own order
    harness: bytes,
    event: bytes,
    cwd: bytes,
    home: bytes,
    nonce: bytes,
    env: Mapping[bytes, bytes],
    body: bytes,
    deadline_ms: int,
) -> bytes:
    """A request as it goes over the wire; raises BadFrame for a value that no frame can hold."""
    pairs = [(b"harness", harness), (b"event", event), (b"cwd", cwd), (b"home", home), (b"nonce", nonce)]
    pairs.append((b"deadline", b"%d" % deadline_ms))
    for variable in VARIABLES:
        value = env.get(variable.encode())
        if value is not None:
            pairs.append((b"env." + variable.encode(), value))
    meta = b""
    for key, value in pairs:
        if not _is_text(value):
            raise BadFrame(f"it is not UTF-8 or holds a separator: {key.decode()}")
        meta += b"%b\x1f%b\x1e" % (key, value)
        if len(meta) > MAX_META:
            raise BadFrame(f"the environment is too large: {key.decode()}")
    if len(body) > MAX_BODY:
        raise BadFrame("the body is too large to be sent")
    return b"".join((REQUEST_MAGIC, len(meta).to_bytes(4), len(body).to_bytes(4), meta, body))


def _is_text(value: bytes) -> bool:
    if b"\x1e" in value or b"\x1f" in value or b"\0" in value:
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode_request(buffer: bytes | bytearray) -> Request | None:
    """The request in `buffer`, None while more bytes are needed; raises BadFrame as soon as it cannot be one."""
    if buffer[:4] != REQUEST_MAGIC[: len(buffer)]:
        raise BadFrame("not a request of this protocol version")
    if len(buffer) < REQUEST_HEAD:
        return None
    meta_len = int.from_bytes(buffer[4:8])
    body_len = int.from_bytes(buffer[8:12])
    if meta_len > MAX_META:
        raise BadFrame("the meta is too long")
    if body_len > MAX_BODY:
        raise BadFrame("the body is too long")
    end = REQUEST_HEAD + meta_len + body_len
    if len(buffer) < end:
        return None
    if len(buffer) > end:
        raise BadFrame("bytes follow the request")
    at = REQUEST_HEAD + meta_len
    meta = _decode_meta(bytes(buffer[REQUEST_HEAD:at]))
    return Request(
        meta["harness"],
        meta["event"],
        meta["cwd"],
        meta["home"],
        meta["nonce"],
        {name: meta[f"env.{name}"] for name in VARIABLES if f"env.{name}" in meta},
        bytes(buffer[at:end]),
        int(meta["deadline"]),
    )


def _decode_meta(data: bytes) -> dict[str, str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadFrame("the meta is not UTF-8") from None
    if "\0" in text:
        raise BadFrame("the meta holds a NUL")
    if not text.endswith("\x1e"):
        raise BadFrame("the meta ends within a line")
    meta: dict[str, str] = {}
    for line in text[:-1].split("\x1e"):
        key, mark, value = line.partition("\x1f")
        if not mark or "\x1f" in value:
            raise BadFrame("a line of the meta is not one key and one value")
        if key not in _KEYS:
            raise BadFrame("the meta has a key this version does not know")
        if key in meta:
            raise BadFrame(f"the meta has {key} twice")
        meta[key] = value
    if not meta.keys() >= _NEEDED:
        raise BadFrame(f"the meta lacks {', '.join(sorted(_NEEDED - meta.keys()))}")
    if len(meta["nonce"]) != 32 or not _HEX.issuperset(meta["nonce"]):
        raise BadFrame("the nonce is not 32 hex digits")
    digits = meta["deadline"]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= MAX_DEADLINE_MS):
        raise BadFrame("the deadline is not a number of milliseconds")
    if not (meta["cwd"].startswith("/") and meta["home"].startswith("/")):
        raise BadFrame("cwd and home must be absolute")
    return meta


def encode_reply(status: int, exit_code: int, stdout: bytes, stderr: bytes) -> bytes:
    """A reply as it goes over the wire; raises BadFrame when it would break the caps that clients hold it to."""
    if len(stdout) > MAX_STDOUT or len(stderr) > MAX_STDERR:
        raise BadFrame("the reply is too long")
    sizes = len(stdout).to_bytes(4) + len(stderr).to_bytes(4)
    return b"".join((REPLY_MAGIC, bytes((status, exit_code, 0, 0)), sizes, stdout, stderr))


def decode_reply(buffer: bytes | bytearray) -> tuple[int, int, bytes, bytes] | None:
    """(status, exit code, stdout, stderr), or None while more bytes are needed; raises BadFrame for anything else."""
    if buffer[:4] != REPLY_MAGIC[: len(buffer)]:
        raise BadFrame("it is not a reply")
    if len(buffer) < REPLY_HEAD:
        return None
    status, exit_code = buffer[4], buffer[5]
    if status > DRAINING or buffer[6] or buffer[7]:
        raise BadFrame("its head makes no sense")
    out_len = int.from_bytes(buffer[8:12])
    err_len = int.from_bytes(buffer[12:16])
    if out_len > MAX_STDOUT or err_len > MAX_STDERR:
        raise BadFrame("it says that it is too long")
    middle = REPLY_HEAD + out_len
    end = middle + err_len
    if len(buffer) < end:
        return None
    if len(buffer) > end:
        raise BadFrame("bytes follow it")
    return status, exit_code, bytes(buffer[REPLY_HEAD:middle]), bytes(buffer[middle:end])
