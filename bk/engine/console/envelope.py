"""Envelopes, as a person may make them of what was confirmed here, and as anybody may have them checked."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from bk.engine.canonical import canonical
from bk.engine.console.deed import Deed, clean
from bk.engine.console.gate import require_admin
from bk.engine.console.installation import ready
from bk.engine.corpus import reading, replay
from bk.engine.corpus.claim import claims
from bk.engine.corpus.envelope import BYTES_MAX, Envelope
from bk.engine.corpus.shapes import IMPORTED, Event, Label, Sealed, ident
from bk.engine.corpus.signing import Signer, instant, key_id, raw, signer
from bk.engine.corpus.store import Corpus
from bk.engine.corpus.verifier import Accepted, EnvelopeError
from bk.engine.corpus.verifier import verify as checked
from bk.engine.errors import USAGE, BkError
from bk.engine.notes import PublicKey
from bk.engine.state import State
from bk.text import inert

Json = Any
FILE_MAX = 16 << 20
ENVELOPES_MAX = 10_000
IDS_SHOWN = 20


class Made:
    """What an export made, as the exact bytes of each envelope, and what it left out and why."""

    __slots__ = ("documents", "left", "packages", "path")

    def __init__(self) -> None:
        self.documents: list[bytes] = []
        self.packages: list[str] = []
        self.left: list[tuple[str, str]] = []
        self.path = ""

    def told(self) -> dict[str, Json]:
        """For a program."""
        import json

        said = [json.loads(document) for document in self.documents]
        left = [{"event": event, "why": why} for event, why in self.left]
        return {"envelopes": said, "left_out": left, "path": clean(self.path)}


class Checked:
    """What one line of a file came to: an envelope that is believed, or the error that says why not."""

    __slots__ = ("accepted", "error", "line")

    def __init__(self, line: int, accepted: Accepted | None, error: EnvelopeError | None) -> None:
        self.line = line
        self.accepted = accepted
        self.error = error

    def told(self) -> dict[str, Json]:
        """For a program."""
        if self.accepted is not None:
            return {"line": self.line, "accepted": True, **self.accepted.told()}
        assert self.error is not None
        return {"line": self.line, "accepted": False, "kind": self.error.kind, "detail": self.error.detail}


def export(
    event: str = "", *, everything: bool = False, to: str = "", admin: bool, env: Mapping[str, str] | None = None
) -> Made:
    """Sign what one event, or everything that was confirmed malicious here, is worth telling; in the ledger first."""
    require_admin(admin, env)
    if everything == bool(event):
        raise BkError("what is to be exported?", "one event, or all of them", "an EVENT, or --all", code=USAGE)
    state, now = ready(env), time.time_ns() // 1_000_000
    made = Made()
    with Corpus(state) as corpus:
        found = _chosen(_every(corpus) if everything else [_one(corpus, event)], made)
    if not found and not everything:
        raise BkError("there is nothing to tell of that event", made.left[0][1], "`bk corpus show` explains its label")
    key = signer(state)
    names = [f"{claim.package} {claim.version}".strip() for claim, _, _ in found]
    said = {"event_id": event[:64], "count": len(found), "key_id": key_id(key.public), "claims": names[:IDS_SHOWN]}
    with Deed(state, "envelope_export", to=clean(to), **said) as deed:
        made.documents = _sealed(state, key, found, now)
        made.packages, made.path = names, to
        deed.add(digest=sha256(b"".join(made.documents)).hexdigest())
        if to:
            _write(to, b"".join(made.documents))
    return made


def verify(
    path: str, keys: Sequence[str] = (), *, spend: bool = True, env: Mapping[str, str] | None = None
) -> list[Checked]:
    """Check a file that holds one envelope, or one on each line, against these keys, or else this installation's own.

    With `spend` each envelope that is believed is used up: the same one is refused from then on.
    """
    state, now = ready(env), time.time_ns() // 1_000_000
    pinned = [_pinned(text) for text in keys] or [signer(state).public]
    results: list[Checked] = []
    for number, data in _documents(_read(path)):
        if len(results) == ENVELOPES_MAX:
            raise BkError("the file holds too many envelopes", f"{path}: more than {ENVELOPES_MAX:,}", "split it")
        try:
            accepted = checked(data, pinned, now, (lambda: replay.opened(state)) if spend else None)
        except EnvelopeError as error:
            results.append(Checked(number, None, error))
        else:
            results.append(Checked(number, accepted, None))
    return results


def key(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The public half of the key that signs here, in each form that a verifier may want."""
    public = signer(ready(env)).public
    return {"key": str(public), "issuer": public.name, "key_id": key_id(public), "ed25519": raw(public)}


def _one(corpus: Corpus, event: str) -> tuple[Event, Label | None]:
    found = corpus.event(event)
    return found, corpus.current_of(found.cluster)


def _every(corpus: Corpus) -> Iterator[tuple[Event, Label | None]]:
    """What was confirmed here, with the event that its label is about, or else its cluster's first."""
    for cluster, label in corpus.confirmed():
        if label.source != IMPORTED:
            yield corpus.event(label.event) if label.event else corpus.events_of(cluster.id, 1)[0], label


def _chosen(events: Iterable[tuple[Event, Label | None]], made: Made) -> list[tuple[Envelope, Event, Label]]:
    """One claim for each package version, the one that most sources stand behind."""
    best: dict[tuple[str, str], tuple[Envelope, Event, Label]] = {}
    for event, label in events:
        try:
            if label is None:
                raise ValueError("it is unresolved: nobody has said yet what it was")
            for claim in claims(event, label):
                key = (claim.package, claim.version)
                if key not in best or claim.sources > best[key][0].sources:
                    best[key] = (claim, event, label)
        except ValueError as error:
            made.left.append((event.id, inert(str(error), 300)))
    return [best[key] for key in sorted(best)]


def _sealed(state: State, key: Signer, found: list[tuple[Envelope, Event, Label]], now: int) -> list[bytes]:
    """The signed documents, kept here before they are anywhere else."""
    documents: list[bytes] = []
    with Corpus(state, write=True) as corpus, corpus.transaction():
        for claim, _, label in found:
            document = key.sign(claim, now)
            signing, body = document["signing"], canonical(document) + b"\n"
            nonce, key_ident = signing["nonce"], signing["key_id"]
            corpus.put_envelope(
                Sealed(
                    ident("envelope", [key_ident, nonce]),
                    label=label.id,
                    issuer=signing["issuer"],
                    key_id=key_ident,
                    nonce=nonce,
                    at_ms=now,
                    until_ms=instant(signing["expires_at"]),
                    body=body,
                )
            )
            documents.append(body)
    return documents


def _write(path: str, data: bytes) -> None:
    """A new file for its owner alone; nothing that is there is written over."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
    except OSError as error:
        raise BkError("the file cannot be written", f"{path}: {error.strerror}", "name a new file") from error


def _pinned(text: str) -> PublicKey:
    """A key as it was typed, or from the file that was named."""
    try:
        if "+" not in text and os.path.isfile(text):
            with open(text, encoding="utf-8") as file:
                text = file.read(4096)
        return PublicKey.parse(text)
    except (ValueError, OSError) as error:
        raise BkError(
            "that is no key", inert(text, 80), "NAME+ID+BASE64, as `bk envelope key` shows it", code=USAGE
        ) from error


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise BkError("the file cannot be read", f"{path}: it is not a plain file", code=USAGE)
            data = file.read(FILE_MAX + 1)
    except OSError as error:
        raise BkError("the file cannot be read", f"{path}: {error.strerror}", code=USAGE) from error
    if len(data) > FILE_MAX:
        raise BkError("the file is too large", f"{path}: more than {FILE_MAX:,} bytes", "split it")
    return data


def _documents(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each envelope with its line: every line one when the first line is one by itself, else the whole file."""
    lines = data.split(b"\n")
    held = [number for number, line in enumerate(lines, 1) if line.strip()]
    if len(held) < 2 or not _whole(lines[held[0] - 1]):
        yield (held or [1])[0], data
        return
    for number in held:
        yield number, lines[number - 1]


def _whole(line: bytes) -> bool:
    try:
        return bool(reading.object_of(line, BYTES_MAX))
    except reading.Unreadable:
        return False
