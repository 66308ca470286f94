"""What a person decides about catalogs: accept what was kept back, go back, build anew, look, take along, forget."""

from __future__ import annotations

import os
import shutil
import time

from bk.engine.catalogs import accepted, assembly, feeds
from bk.engine.catalogs.activation import KEPT, activate, keep, meta_of, self_check
from bk.engine.catalogs.feeds import folder
from bk.engine.catalogs.store import Held, Row
from bk.engine.corpus.promote import publish
from bk.engine.corpus.store import Corpus
from bk.engine.errors import USAGE, BkError
from bk.engine.intel import compact, generations, signed
from bk.engine.intel.index import Index
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.catalogs.accepted import Head
    from bk.engine.catalogs.job import Job
    from bk.engine.model import Json

DAY_MS = 86_400_000


def accept(job: Job, name: str) -> dict[str, Json]:
    """Put in force exactly the news of a source that was kept back and told of."""
    hold = feeds.holds(job.state, job.store).get(name)
    root = folder(name, job.state) if hold else ""
    head = accepted.head(f"{root}/{accepted.HELD}") if hold else None
    if hold is None or head is None:
        raise BkError("nothing of that source waits", inert(name, 60), "bk catalogs status", code=USAGE)
    if head.digest != hold.digest:
        raise BkError("what waits is not what was told of", root, f"bk catalogs sync {name}; then look again")
    head.growth = []  # a person looked: from here on growth counts anew
    texts = (accepted.text_of(line) for line in accepted.lines(f"{root}/{accepted.HELD}"))
    accepted.write(f"{root}/{accepted.CANDIDATE}", texts, head)
    job.record("accepted", level="warn", source=name, reason=hold.reason, added=hold.added, removed=hold.removed)
    outcome = activate(job, {name: f"{root}/{accepted.CANDIDATE}"})
    now = job.now_ms()
    os.unlink(f"{root}/{accepted.HELD}")
    with job.store:
        row = job.store.sources().get(name) or Row(name)
        row.grp, row.provenance, row.entries, row.packages = head.group, head.provenance, head.records, head.ecosystems
        row.serial, row.problem, row.kind, row.failures, row.last_success_ms = head.serial, "", "", 0, now
        job.store.put(row)
        job.store.release(name)
        job.store.beat(name, "accepted", hold.reason, now)
    said = {"generation": outcome.generation, "activated": outcome.activated, "source": name}
    job.end(said, ok=True, generation=outcome.generation)
    return said


def rollback(job: Job, number: int = 0) -> dict[str, Json]:
    """Put an earlier generation in force, and keep back whatever would undo that until a person accepts it."""
    state = job.state
    current = generations.in_force(state)
    there = [each for each in generations.listed(state) if current is None or each.number != current.number]
    older = [each for each in there if current is None or each.number < current.number]
    chosen = [each for each in there if each.number == number] if number else older[-1:]
    if not chosen:
        known = ", ".join(str(each.number) for each in there) or "none"
        raise BkError("there is no such generation to go back to", f"kept: {known}", "bk catalogs status", code=USAGE)
    target = chosen[0]
    generations.verify(target)
    wanted: dict[str, str] = dict(meta_of(target.path).get("accepted", {}))
    names = sorted({*wanted, *assembly.names(state, job.values)})
    moves = [(name, head) for name in names if (head := _differing(job, name, wanted.get(name, ""))) is not None]
    for name, _ in moves:
        digest = wanted.get(name, "")
        if digest and not os.path.exists(f"{folder(name, state)}/{KEPT}/{digest}.facts"):
            raise BkError("that generation's facts are not kept any more", f"{name}, {digest[:16]}", "bk catalogs sync")
    was = current.number if current else 0
    job.record("rolled-back", level="warn", generation=target.number, was=was, sources=[name for name, _ in moves])
    for name, head in moves:
        _move_back(job, name, head, wanted.get(name, ""), target.number)
    made = generations.rollback(state, target.number)
    said: dict[str, Json] = {"generation": made.number, "was": was, "held": [name for name, _ in moves]}
    job.end(said, ok=True, generation=made.number)
    return said


def _differing(job: Job, name: str, digest: str) -> Head | None:
    """The accepted claims of a source when they are not those of the generation; an empty head for none at all."""
    head = accepted.head(f"{folder(name, job.state)}/{accepted.NAME}")
    if head is None:
        return accepted.Head() if digest else None
    return head if head.digest != digest else None


def _move_back(job: Job, name: str, head: Head, digest: str, number: int) -> None:
    """Hold a source's present claims, and make those of the earlier generation the accepted ones."""
    root, now = folder(name, job.state), job.now_ms()
    present, held = f"{root}/{accepted.NAME}", f"{root}/{accepted.HELD}"
    before = accepted.head(f"{root}/{KEPT}/{digest}.facts") if digest else None
    units = [sum(each.units.values()) if each else 0 for each in (head, before)]
    if head.digest:
        keep(job.state, name, head.digest)
        if name not in feeds.holds(job.state, job.store):
            reason = f"a person went back to generation {number}"
            told = Held(name, reason, max(0, units[0] - units[1]), max(0, units[1] - units[0]), at_ms=now,
                        digest=head.digest)  # fmt: skip
            with job.store:
                job.store.hold(told)
            _link(present, held)
    if digest:
        _link(f"{root}/{KEPT}/{digest}.facts", present)
    elif os.path.exists(present):
        os.unlink(present)
    with job.store:
        row = job.store.sources().get(name) or Row(name)
        row.entries, row.packages = (before.records, before.ecosystems) if before else (0, {})
        job.store.put(row)
        job.store.beat(name, "rolled-back", f"generation {number}", now)


def _link(source: str, target: str) -> None:
    """The same content under another name, which it may replace."""
    aside = f"{target}.new"
    if os.path.lexists(aside):
        os.unlink(aside)
    os.link(source, aside)
    accepted.replace(aside, target)


def rebuild(job: Job) -> dict[str, Json]:
    """Make a generation from what is accepted, whatever state the present ones are in."""
    lost = []
    for name in assembly.names(job.state, job.values):
        path = f"{folder(name, job.state)}/{accepted.NAME}"
        try:
            for _ in accepted.lines(path):
                pass
        except BkError as error:
            os.replace(path, f"{path}.damaged")
            lost.append(name)
            job.record("facts lost", level="block", source=name, detail=error.detail)
            with job.store:
                row = job.store.sources().get(name) or Row(name)
                row.next_ms, row.kind, row.problem = 0, "damaged", error.detail
                job.store.put(row)
    outcome = activate(job, {}, anew=True)
    with Corpus(job.state) as corpus:
        publish(job.state, corpus)
    said = {"generation": outcome.generation, "activated": True, "records": outcome.records, "lost": lost}
    job.end(said, ok=not lost, generation=outcome.generation)
    return said


def verify(job: Job) -> dict[str, Json]:
    """Read every byte of the generation in force and of all accepted claims, and look for some of each source."""
    problems = []
    number = 0
    current = None
    try:
        current = generations.in_force(job.state)
        if current is not None:
            number = current.number
            job.tell("verify", detail=f"generation {number}")
            generations.verify(current)
    except BkError as error:
        problems.append(str(error))
    for name in assembly.names(job.state, job.values):
        job.tell("verify", name)
        try:
            for _ in accepted.lines(f"{folder(name, job.state)}/{accepted.NAME}"):
                pass
        except BkError as error:
            problems.append(str(error))
    if number and not problems:
        problems += _unfound(job, current.path if current else "")
    said = {"generation": number, "problems": problems}
    job.end(said, ok=not problems, generation=number)
    return said


def _unfound(job: Job, path: str) -> list[str]:
    """Whether the generation in force lacks what it was made of."""
    made = assembly.plan(job.state, job.values, {})
    if not made.is_in(meta_of(path)):
        return ["what is in force is not what it would be made of now: bk catalogs sync"]
    job.tell("check", detail="whether it finds what it must")
    for _ in made.records():
        pass
    wrong = self_check(job.state, made)
    return [f"it does not find what it must: {wrong}"] if wrong else []


def export(job: Job, path: str, *, key: str = "", days: int = 90) -> dict[str, Json]:
    """Write the facts of the generation in force into one file; with a secret key, a signed note goes beside it."""
    current = generations.in_force(job.state)
    if current is None:
        raise BkError("there is nothing to export", "no generation is in force", "bk catalogs rebuild")
    index = Index.open(current.path)
    try:
        texts = sorted(accepted.text_of(accepted.Line(record)) for record in index)
        meta = index.meta
    finally:
        index.close()
    now = job.now_ms()
    told = f"# generation {current.number}, built {meta.get('built', '')}, {len(texts)} facts"
    data = "\n".join([compact.HEAD, told, *texts, ""]).encode(errors="surrogatepass")
    _put(path, data)
    said: dict[str, Json] = {"generation": current.number, "records": len(texts), "file": path, "bytes": len(data)}
    if key:
        said["note"] = f"{path}.note"
        _put(f"{path}.note", _note(key, os.path.basename(path), data, now, days))
    job.record("exported", file=inert(path, 300), records=len(texts), signed=bool(key))
    job.end(said, ok=True, generation=current.number)
    return said


def _note(key: str, name: str, data: bytes, now: int, days: int) -> bytes:
    try:
        with open(key, encoding="ascii") as file:
            secret = file.read(4096)
        return signed.sign(
            secret,
            feed="export",
            serial=now // 1000,
            issued_ms=now,
            expires_ms=now + days * DAY_MS,
            payloads={name: data},
        )
    except (OSError, ValueError) as error:
        raise BkError("the export cannot be signed", f"{key}: {error}", "bk catalogs export --help") from error


def _put(path: str, data: bytes) -> None:
    try:
        fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.replace(f"{path}.new", path)
    except OSError as error:
        raise BkError("the file cannot be written", f"{path}: {error.strerror}") from error


def forget(job: Job, name: str) -> dict[str, Json]:
    """Take back what a person imported."""
    if name not in assembly.imports(job.state):
        known = ", ".join(assembly.imports(job.state)) or "none"
        raise BkError("there is no such import", inert(name, 60), f"imported: {known}", code=USAGE)
    job.record("forgotten", level="warn", source=name)
    aside = f"{job.state.intel}/feeds/.gone-{time.time_ns()}"
    os.rename(folder(name, job.state), aside)
    with job.store:
        job.store.forget(name)
    outcome = activate(job, {})
    shutil.rmtree(aside)
    said = {"generation": outcome.generation, "activated": outcome.activated, "source": name}
    job.end(said, ok=True, generation=outcome.generation)
    return said
