"""One run over the machine: which roots, under one lock, with what earlier runs proved; and how two runs differ."""

from __future__ import annotations

import fcntl
import os
from contextlib import closing, contextmanager
from hashlib import blake2b
from time import monotonic, sleep, time

from bk.engine.errors import BkError
from bk.engine.inventory import store
from bk.engine.inventory.ecosystems import EVERY
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.place import Budget
from bk.engine.inventory.reach import Reach, vanished
from bk.engine.inventory.run import COMPLETE, ERROR, PARTIAL, Diff, Run
from bk.engine.inventory.view import readers
from bk.engine.inventory.walk import Walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bk.engine.inventory.ecosystems import Ecosystem
    from bk.engine.state import State

BASELINE, PROJECT, DEEP = "baseline", "project", "deep"
PROFILES = (BASELINE, PROJECT, DEEP)
WAIT_S = 600.0
DEPTH_MAX = 1 << 16
# What readers may know of the environment; a reading depends on it, so nothing else is handed to them.
KNOWN_ENV = ("COMPOSER_CACHE_DIR", "PIPX_BIN_DIR")


def scan(
    state: State,
    *,
    profile: str = BASELINE,
    roots: Sequence[str] = (),
    tell: Callable[[int, int, str], None] | None = None,
    limits: Limits | None = None,
    env: Mapping[str, str] | None = None,
    ecosystems: Mapping[str, Ecosystem] = EVERY,
    wait: float = WAIT_S,
) -> Run:
    """Look at the machine once. `tell(directories, items, path)` is called as it goes.

    `baseline` visits where managers put things for the whole user, `project` the given roots alone, `deep` both and,
    when no root is given, the whole home.
    """
    if profile not in PROFILES:
        raise BkError("there is no such profile", profile, f"one of {', '.join(PROFILES)}")
    limits = limits or Limits()
    env = os.environ if env is None else env
    if profile == PROJECT and not roots:
        raise BkError("a project scan needs a root", "none was given", "--root PATH")
    given = [os.path.abspath(os.path.expanduser(root)) for root in roots]
    missing = [(root, "it is no directory") for root in given if not os.path.isdir(root)]
    wanted = _resolved(_roots(state, profile, given, env, ecosystems), limits.depth)
    names = sorted(root for root, _ in wanted)
    told = {name: env[name] for name in KNOWN_ENV if env.get(name)}
    with _alone(state, wait), closing(store.opened(state)) as book:
        run = Run(store.begin(book, profile, names, _now()), profile, names, _now())
        writer = store.Writer(book, run.id, _view(state, profile, told, ecosystems))
        walk = Walk(
            writer,
            Budget(limits),
            home=state.home,
            env=told,
            profile=profile,
            ecosystems=ecosystems,
            never=(state.root,),
            tell=tell,
        )
        run.status = ERROR
        run.why = "it was interrupted"
        try:
            walk.run(wanted)
            run.problems = [*missing, *walk.problems, *writer.problems][: store.PROBLEMS_MAX]
            run.notes = [*walk.notes, *writer.notes][: store.PROBLEMS_MAX]
            run.reach = Reach(walk.done, walk.blind | writer.blind)
            run.why = walk.limit
            run.status = PARTIAL if run.why or run.problems else COMPLETE
        finally:
            writer.close()
            run.ended = _now()
            run.counts = dict(sorted(writer.counts.items()))
            run.directories, run.reused = walk.directories, walk.reused
            store.end(book, run)
    return run


def diff(state: State, a: Run, b: Run) -> Diff:
    """What changed from run a to run b. What b did not see is proven gone where b looked at all of its place, where the
    file that told of it tells of something else, and where nothing is there any more."""
    before, after = store.apart(state, a.id, b.id)
    was = {item.key: item for item in before}
    now = {item.key: item for item in after}
    gone = [item for key, item in was.items() if key not in now]
    spoke = {item.observed for item in after}
    return Diff(
        [item for key, item in now.items() if key not in was],
        gone,
        [(was[key], item) for key, item in now.items() if key in was and was[key] != item],
        proven=all(
            b.reach.covers(item.observed)
            or (item.observed in spoke and not b.reach.spoiled(item.observed))
            or vanished(item.observed)
            for item in gone
        ),
    )


def _roots(
    state: State, profile: str, given: Sequence[str], env: Mapping[str, str], ecosystems: Mapping[str, Ecosystem]
) -> Iterator[tuple[str, int]]:
    """The places to begin with and how deep to go, as they are named."""
    for root in given:
        yield root, DEPTH_MAX
    if profile == DEEP and not given:
        yield state.home, DEPTH_MAX
    if profile != PROJECT:
        for ecosystem in ecosystems.values():
            for place in ecosystem.places(state.home, env):
                yield (place, DEPTH_MAX) if isinstance(place, str) else place


def _resolved(wanted: Iterable[tuple[str, int]], depth: int) -> list[tuple[str, int]]:
    """Roots without the links that lead to them: below them none is followed. What lies deeper goes first, so that a
    root inside another is not visited twice."""
    known: dict[str, int] = {}
    for path, down in wanted:
        if os.path.isabs(path) and "\0" not in path:
            real = os.path.realpath(path)
            if os.path.isdir(real):
                known[real] = max(known.get(real, 0), min(down, depth))
    return sorted(known.items(), reverse=True)


def _view(state: State, profile: str, told: Mapping[str, str], ecosystems: Mapping[str, Ecosystem]) -> bytes:
    """What a reading depends on besides the files: the readers' own code, the home, and how thoroughly they look."""
    view = (state.home, profile == DEEP, sorted(told.items()), sorted(ecosystems), os.geteuid())
    return blake2b(readers() + repr(view).encode(errors="surrogateescape"), digest_size=16).digest()


@contextmanager
def _alone(state: State, wait: float) -> Iterator[None]:
    """One scan at a time: two would read the same trees, and each would call the other's run a killed one."""
    os.makedirs(state.root, mode=0o700, exist_ok=True)
    handle = os.open(f"{state.root}/inventory.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        until = monotonic() + wait
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if monotonic() >= until:
                    raise BkError(
                        "another scan is running", f"it holds {state.root}/inventory.lock", "wait for it to end"
                    ) from None
                sleep(0.05)
        yield
    finally:
        os.close(handle)


def _now() -> int:
    return int(time() * 1000)
