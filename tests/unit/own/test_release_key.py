"""Before a release: the key that a build carries must not be one whose secret half lies in the repository."""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from bk.engine import notes
from bk.engine.notes import PublicKey
from bk.engine.own import standing

ROOT = Path(__file__).parents[3]
_HEX = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64,136}(?![0-9A-Fa-f])")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{42,96}={0,2}")
RAW_MAX = 4096


def tracked() -> list[Path]:
    """Every file of the repository that is not somebody's environment or cache."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    if done.returncode == 0 and done.stdout:
        return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not {".venv", ".git"} & set(path.parts)]


def seeds(data: bytes) -> Iterator[bytes]:
    """Every 32 bytes that a file could mean as a secret: in hex, in any base64, at any offset of it, or raw."""
    for match in _HEX.finditer(data):
        text = match.group()
        raw = bytes.fromhex(text[: len(text) // 2 * 2].decode())
        yield from (raw[at : at + 32] for at in range(len(raw) - 31))
    for match in _BASE64.finditer(data):
        text = match.group().rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            part = text[start:]
            try:
                raw = base64.b64decode(part[: len(part) // 4 * 4] + _tail(part))
            except (ValueError, binascii.Error):
                continue
            yield from (raw[at : at + 32] for at in range(len(raw) - 31))
    if len(data) <= RAW_MAX:
        yield from (data[at : at + 32] for at in range(len(data) - 31) if not data[at : at + 32].isascii())
    if len(data) == 32:
        yield data


def _tail(part: bytes) -> bytes:
    rest = part[len(part) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def derivable(public: bytes, files: Iterable[Path]) -> list[str]:
    """The files that hold the secret half of a public key."""
    tried: set[bytes] = set()
    found = []
    for path in files:
        for seed in seeds(path.read_bytes()):
            if seed not in tried:
                tried.add(seed)
                if bytes(SigningKey(seed).verify_key) == public:
                    found.append(str(path))
    return found


def hidden(how: str, seed: bytes, secret: str) -> bytes:
    """A secret as somebody would leave it behind."""
    packed = {
        "the tool's own form": secret.encode(),
        "hex": seed.hex().encode(),
        "hex in capitals": seed.hex().upper().encode(),
        "hex with the public half": (seed + bytes(SigningKey(seed).verify_key)).hex().encode(),
        "base64": base64.b64encode(seed),
        "base64 without its end": base64.b64encode(seed).rstrip(b"="),
        "base64 for addresses": base64.urlsafe_b64encode(seed),
        "base64 of both halves": base64.b64encode(seed + bytes(SigningKey(seed).verify_key)),
        "raw": seed,
    }[how]
    return packed if how == "raw" else b'KEY = "' + packed + b'"\n'


@pytest.mark.parametrize(
    "how",
    [
        "the tool's own form", "hex", "hex in capitals", "hex with the public half", "base64",
        "base64 without its end", "base64 for addresses", "base64 of both halves", "raw",
    ],
)  # fmt: skip
def test_a_secret_that_was_left_behind_is_found(tmp_path: Path, how: str) -> None:
    text, public = notes.mint("bk-release")
    key, _ = notes.secret(text)
    path = tmp_path / "left"
    path.write_bytes(hidden(how, bytes(key), text))
    assert derivable(PublicKey.parse(public).key, [path]) == [str(path)]
    _, other = notes.mint("bk-release")
    assert derivable(PublicKey.parse(other).key, [path]) == []


def test_the_key_of_this_build_is_nowhere_in_the_repository() -> None:
    """A build without a key has nothing to prove; one with a key is proven here, over every file."""
    path = Path(standing.KEY_FILE)
    if not path.exists():
        assert standing.Build({}).key == ""
        return
    public = PublicKey.parse(path.read_text().splitlines()[0])
    assert derivable(public.key, tracked()) == []


def test_the_search_reads_the_whole_repository(tmp_path: Path) -> None:
    text, public = notes.mint("bk-release")
    left = tmp_path / "settings.toml"
    left.write_text(f'old_key = "{text}"\n')
    assert derivable(PublicKey.parse(public).key, [*tracked(), left]) == [str(left)]
