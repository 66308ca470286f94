"""Reading the layers of rule files: what each file says, and everything that is wrong with any of them."""

from __future__ import annotations

import os
import re
import stat

from bk.engine.config.files import take, text_of, unfit
from bk.engine.errors import BkError
from bk.engine.rulebook.places import BUILT_IN, MAX_FILES, SUFFIX, SYSTEM, SYSTEM_FOLDER, files_in, folders
from bk.engine.rules.errors import RuleError, RuleErrors
from bk.engine.rules.parse import MAX_FILE, parse
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.rules.rule import Rule
    from bk.engine.state import State

MAX_BYTES = MAX_FILE * 4  # characters, as UTF-8
MAX_TOLD = 12
_STEM = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_NEARLY = re.compile(r".*\.(?:rule|Rules|RULES|rules\.txt)$")


class Source:
    """One rule file and what it says. Raises RuleErrors when that is wrong."""

    __slots__ = ("layer", "pack", "path", "rules", "shown", "text")

    def __init__(self, layer: str, path: str, text: str, *, prefix: str = "") -> None:
        stem = os.path.basename(path).removesuffix(SUFFIX)
        self.layer = layer
        self.pack = prefix + stem
        self.path = path
        self.shown = f"built-in/{stem}{SUFFIX}" if layer == BUILT_IN else path
        self.text = text
        self.rules = parse(text, file=self.shown, pack=self.pack)

    def rows(self, off: Collection[str]) -> list[Json]:
        """The rules as people look at them."""
        lines = self.text.split("\n")
        rows: list[Json] = []
        for rule in self.rules:
            ident = f"{self.pack}/{rule.name}"
            rows.append({
                "id": ident, "tier": rule.tier, "pack": self.pack, "layer": self.layer, "file": self.path,
                "line": rule.line, "why": rule.why, "nudge": rule.nudge, "severity": rule.severity,
                "tags": list(rule.tags), "ref": rule.ref, "off": ident in off, "text": _own_lines(lines, rule.line),
                "examples": [[each.bad, each.text, each.cwd] for each in rule.examples],
            })  # fmt: skip
        return rows


class Gathered:
    """Every file of the layers. `faults` are (layer, path, what is wrong); `notes` are worth knowing and no fault."""

    __slots__ = ("faults", "notes", "sources")

    def __init__(self, sources: Iterable[Source] = (), notes: Iterable[str] = ()) -> None:
        self.sources = list(sources)
        self.faults: list[tuple[str, str, BkError | RuleErrors]] = []
        self.notes = list(notes)

    def packs(self) -> dict[str, list[Rule]]:
        """The rules by pack, as they are compiled."""
        packs: dict[str, list[Rule]] = {}
        for source in self.sources:
            packs.setdefault(source.pack, []).extend(source.rules)
        return packs

    def catalogue(self, off: Collection[str]) -> list[Json]:
        """Every rule as people look at it."""
        return [row for source in self.sources for row in source.rows(off)]

    def told(self) -> list[str]:
        """A sentence for each file that is wrong."""
        return [sentence(wrong) for _, _, wrong in self.faults]

    def faults_of(self, layer: str) -> list[str]:
        """The sentences of one layer."""
        return [sentence(wrong) for of, _, wrong in self.faults if of == layer]

    def blame(self, wrong: RuleErrors) -> None:
        """Enter what showed only when everything was put together."""
        for source in self.sources:
            own = [error for error in wrong.errors if error.file == source.shown]
            if own:
                self.faults.append((source.layer, source.path, RuleErrors(own)))
        if not self.faults:
            self.faults.append((BUILT_IN, "", wrong))

    def right(self) -> Gathered:
        """The files without a fault."""
        bad = {path for _, path, _ in self.faults}
        return Gathered((source for source in self.sources if source.path not in bad), self.notes)


def gather(state: State, system: str = SYSTEM_FOLDER) -> Gathered:
    """Read the built-in, the system's and the user's rules."""
    found = Gathered()
    taken: dict[str, str] = {}
    for layer, folder in folders(state, system):
        owners = (0,) if layer == SYSTEM else (state.owner, 0)
        try:
            if layer != BUILT_IN and not _usable(folder, owners):
                continue
        except BkError as error:
            found.faults.append((layer, folder, error))
            continue
        names = files_in(folder)
        if layer == BUILT_IN and not names:
            found.faults.append((layer, folder, unfit(folder, "bk's own rules are missing", "reinstall bk")))
        if len(names) > MAX_FILES:
            many = unfit(folder, f"it holds {len(names)} rule files; {MAX_FILES} are read", "put rules together")
            found.faults.append((layer, folder, many))
        for name in names[:MAX_FILES]:
            path = f"{folder}/{name}"
            try:
                source = one(layer, path, owners)
                _no_twins(source, taken)
            except (BkError, RuleErrors) as error:
                found.faults.append((layer, path, error))
            else:
                found.sources.append(source)
        if layer != BUILT_IN:
            found.notes += _nearly(folder)
    return found


def remembered(rows: Iterable[Mapping[str, Json]]) -> Gathered:
    """The files of a catalogue as they were when they were good, each rule on its own line."""
    lines: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        held = lines.setdefault((row["layer"], row["file"]), [])
        held += [""] * (row["line"] - 1 - len(held))
        held += row["text"].split("\n")
    return Gathered(Source(layer, path, "\n".join(held)) for (layer, path), held in lines.items())


def one(layer: str, path: str, owners: Sequence[int], *, cap: int = MAX_BYTES, prefix: str = "") -> Source:
    """One file of a layer; BkError when it cannot be read, RuleErrors when it is wrong."""
    stem = os.path.basename(path).removesuffix(SUFFIX)
    if _STEM.fullmatch(stem) is None:
        raise unfit(path, "its name is the pack's: letters a-z, digits, - and _ are allowed", "rename it")
    if layer == BUILT_IN:
        text = _own(path)
    else:
        taken = take(path, cap, owners, shared=bool(prefix))
        if taken is None:
            raise unfit(path, "it is gone", "look again")
        text = taken
    return Source(layer, path, text, prefix=prefix)


def sentence(wrong: BkError | RuleErrors) -> str:
    """What is wrong with a file, on one line."""
    if isinstance(wrong, BkError):
        return inert(wrong.detail or wrong.title, 300)
    more = f" (and {len(wrong.errors) - 1} more)" if len(wrong.errors) > 1 else ""
    return inert(str(wrong.errors[0]), 300) + more


def _no_twins(source: Source, taken: dict[str, str]) -> None:
    """A rule cannot take the place of another: neither a typo nor a copy may hide one."""
    twins = [rule for rule in source.rules if f"{source.pack}/{rule.name}" in taken]
    if twins:
        lines = source.text.split("\n")
        raise RuleErrors([
            RuleError(
                source.shown, rule.line, 1,
                f"{source.pack}/{rule.name} is a rule of {taken[f'{source.pack}/{rule.name}']} already:"
                " give this one another name, or the file",
                source=lines[rule.line - 1],
            )
            for rule in twins
        ])  # fmt: skip
    taken.update((f"{source.pack}/{rule.name}", source.shown) for rule in source.rules)


def _usable(folder: str, owners: Sequence[int]) -> bool:
    """Whether there is a folder of rules; BkError for one that others could have put there."""
    try:
        info = os.lstat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unfit(folder, error.strerror or "it cannot be looked at", "make it readable for you") from error
    if stat.S_ISLNK(info.st_mode):
        raise unfit(folder, "it is a symbolic link", "replace it by a real folder")
    if not stat.S_ISDIR(info.st_mode):
        raise unfit(folder, "it is not a folder", "replace it by a folder")
    if info.st_uid not in owners:
        raise unfit(folder, f"it belongs to uid {info.st_uid}", f"chown it to uid {owners[0]}")
    if info.st_mode & 0o022:
        raise unfit(folder, f"others may write in it (mode {info.st_mode & 0o777:o})", f"chmod go-w {folder}")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise unfit(folder, "it cannot be read", f"chmod u+rx {folder}")
    return True


def _own(path: str) -> str:
    """A built-in pack. It is trusted as far as the program beside it is."""
    try:
        with open(path, "rb") as file:
            return text_of(file.read(), path)
    except OSError as error:
        raise unfit(path, error.strerror or "it cannot be read", "reinstall bk") from error


def _nearly(folder: str) -> list[str]:
    """Files that were probably meant to be rules."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    told = f"is not read: rule files end in {SUFFIX}"
    return [inert(f"{folder}/{name} {told}", 300) for name in names if _NEARLY.match(name)]


def _own_lines(lines: Sequence[str], line: int) -> str:
    """A rule's text: its header and what is indented below it."""
    end = line
    while end < len(lines) and (not lines[end] or lines[end][0] in " \t"):
        end += 1
    return "\n".join(lines[line - 1 : end]).rstrip()


def by_ident(rows: Iterable[Mapping[str, Json]]) -> dict[str, Mapping[str, Json]]:
    """A catalogue by id."""
    return {row["id"]: row for row in rows}
