"""The only process that fetches catalogs or builds an index: one at a time, out of everybody's way, and talkative.

    python -m bk.engine.catalogs.worker VERB …

Each line on stdout is JSON: `{"step": …, "source": …, "done": n, "total": m, "detail": …}` while it works, and at the
end `{"result": {…}}`, with `error` in it when it could not do what was asked. Exit code 0 or 1.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sys

from bk.engine.errors import FAILED, OK, BkError
from bk.engine.intel.yielding import yielding
from bk.engine.state import State, locate
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.catalogs.job import Job
    from bk.engine.model import Json

LOCK = "worker.lock"
BAD = ("failed", "held")
SHOWN = 600


def main(argv: Sequence[str]) -> int:
    """Do one verb and say how it ended."""
    wanted = _words().parse_args(argv)
    os.umask(0o077)
    try:
        state = locate(os.environ, os.getcwd())
        state.ensure()
        yielding()
        lock = _lock(state)
    except BkError as error:
        return _told_error(error)
    try:
        said = _work(state, wanted)
    except BkError as error:
        return _told_error(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _told_error(BkError("the catalogs could not be worked on", f"{where}{error.strerror or error}"))
    except Exception as error:  # noqa: BLE001 - whoever asked reads lines, not tracebacks; the run's entry has it too
        return _told_error(BkError("a defect in bk", f"{type(error).__name__}: {error}", "report this"))
    finally:
        os.close(lock)
    if said["ok"]:
        _say({"result": said})
        return OK
    _say({"result": said, "title": "not everything could be done", "detail": inert(_troubles(said), SHOWN),
          "next_step": "bk catalogs status"})  # fmt: skip
    return FAILED


def _words() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog="bk.engine.catalogs.worker")
    words.add_argument("--by", default=f"person:{os.getuid()}")
    verbs = words.add_subparsers(dest="verb", required=True)
    sync = verbs.add_parser("sync")
    sync.add_argument("--force", action="store_true")
    sync.add_argument("names", nargs="*")
    bring = verbs.add_parser("import")
    bring.add_argument("paths", nargs="+")
    bring.add_argument("--as", dest="name", default="")
    bring.add_argument("--sha256", default="")
    bring.add_argument("--vouch", default="")
    verbs.add_parser("accept").add_argument("name")
    verbs.add_parser("forget").add_argument("name")
    verbs.add_parser("rollback").add_argument("number", nargs="?", type=int, default=0)
    verbs.add_parser("self").add_argument("--source", default="")
    verbs.add_parser("adjudicate")
    verbs.add_parser("rebuild")
    verbs.add_parser("verify")
    export = verbs.add_parser("export")
    export.add_argument("file")
    export.add_argument("--key", default="")
    export.add_argument("--days", type=int, default=90)
    return words


def _work(state: State, wanted: argparse.Namespace) -> dict[str, Json]:
    """Run the verb; `ok` is whether everything went as it should."""
    from bk.engine.catalogs.job import Job

    with Job(state, verb=wanted.verb, by=wanted.by, say=_say) as job:
        said = _done(job, wanted)
        if wanted.verb in ("sync", "rollback") or said.get("activated"):
            said["corpus"] = _adjudicate(job)
            said["responder"] = _respond(job)
    bad = [each for each in said.get("sources", {}).values() if each["outcome"] in BAD]
    return {"ok": not bad and not said.get("problems") and not said.get("lost"), **said}


def _adjudicate(job: Job) -> dict[str, Json]:
    """What happened here, held against what is in force now, before what is installed is. The catalogs stay as they are
    whatever goes wrong here."""
    from bk.engine.corpus.now import adjudicate

    job.tell("corpus")
    try:
        return adjudicate(job.state, job.values, job.now_ms()).told()
    except Exception as error:  # noqa: BLE001 - it is told and recorded, and the next run tries again
        why = str(error) if isinstance(error, BkError | OSError) else f"{type(error).__name__}: {error}"
        job.record("corpus failed", level="warn", detail=inert(why, SHOWN))
        return {"problem": inert(why, SHOWN)}


def _respond(job: Job) -> dict[str, Json]:
    """What is installed, held against what is in force now. Whatever goes wrong here, the catalogs stay as they are."""
    from bk.engine.inventory import store
    from bk.engine.responder.alone import alone
    from bk.engine.responder.round import look, respond

    job.tell("scan")
    try:
        run = look(job.state, job.values)
        job.tell("respond", detail=f"{run.total} packages")
        with alone(job.state):
            told = {"inventory": run.status, **respond(job.state, job.values, run).told()}
        _switched(job, sorted({item.root for item in store.items(job.state, run) if item.root}))
        return told
    except Exception as error:  # noqa: BLE001 - it is told and recorded, and the next run tries again
        why = str(error) if isinstance(error, BkError | OSError) else f"{type(error).__name__}: {error}"
        job.record("responder failed", level="warn", detail=inert(why, SHOWN))
        return {"problem": inert(why, SHOWN)}


def _switched(job: Job, projects: list[str]) -> None:
    """Clients that have stopped asking us, here or in a project: nobody else would tell."""
    from bk.engine.wiring.switched import news

    program = os.path.join(os.path.dirname(sys.executable), "bk-hook")
    job.keep(news(job.state, projects, path=os.environ.get("PATH", ""), program=program))


def _troubles(said: Mapping[str, Json]) -> str:
    """What did not go as it should, in one line."""
    visits = said.get("sources", {}).items()
    told = [f"{name} {each['outcome']}: {each['detail']}" for name, each in visits if each["outcome"] in BAD]
    return "; ".join([*told, *said.get("problems", ()), *(f"{name} was lost" for name in said.get("lost", ()))])


def _done(job: Job, wanted: argparse.Namespace) -> dict[str, Json]:
    from bk.engine.catalogs import person
    from bk.engine.catalogs.importing import bring
    from bk.engine.catalogs.run import sync

    match wanted.verb:
        case "sync":
            _own_release(job, force=wanted.force)
            return sync(job, wanted.names, force=wanted.force)
        case "import":
            return bring(job, wanted.paths, name=wanted.name, digest=wanted.sha256, vouch=wanted.vouch)
        case "accept":
            return person.accept(job, wanted.name)
        case "forget":
            return person.forget(job, wanted.name)
        case "rollback":
            return person.rollback(job, wanted.number)
        case "self":
            return _self(job, wanted.source)
        case "adjudicate":
            told = _adjudicate(job)
            job.end(told, ok="problem" not in told, generation=0)
            return {"corpus": told, **({"problems": [told["problem"]]} if "problem" in told else {})}
        case "rebuild":
            return person.rebuild(job)
        case "verify":
            return person.verify(job)
        case _:
            return person.export(job, wanted.file, key=wanted.key, days=wanted.days)


def _own_release(job: Job, *, force: bool) -> None:
    """Before all else: whether this very release may be trusted. What comes of it is said by `bk self status`."""
    from bk.engine.own import standing

    if force or standing.due(job.state, job.values, job.now_ms()):
        from bk.engine.own.refresh import refresh

        job.tell("self", detail=refresh(job.state, job.values, job.now_ms()).word)


def _self(job: Job, source: str) -> dict[str, Json]:
    """Ask only for the list of compromised releases of bk."""
    from bk.engine.own.refresh import refresh

    outcome = refresh(job.state, job.values, job.now_ms(), source=source)
    job.end(outcome.told(), ok=outcome.ok, generation=0)
    return outcome.told()


def _lock(state: State) -> int:
    """The one lock of all workers, held as long as this process lives."""
    path = f"{state.intel}/{LOCK}"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise BkError("the catalogs are being worked on already", path, "wait for that to end") from error
    return fd


def _say(line: dict[str, Json]) -> None:
    """One line; who asked may have stopped listening, which is no reason to stop halfway."""
    try:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), 1)


def _told_error(error: BkError) -> int:
    told = {
        "title": inert(error.title, 200),
        "detail": inert(error.detail, 600),
        "next_step": inert(error.next_step, 300),
    }
    _say({"result": {"ok": False, "error": told}, **told})
    return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
