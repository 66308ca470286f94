"""The conditions that follow a matcher: they look at the action that the matcher found, and at nothing else."""

from __future__ import annotations

from bk.engine.model import Run
from bk.engine.rules import globs, regex
from bk.engine.rules.call import EXPORTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.model import Action, Json
    from bk.engine.rules.call import Call
    from bk.engine.rules.options import Words

ROOT = frozenset(("sudo", "doas", "su", "pkexec", "run0", "gosu", "su-exec", "runuser", "runas", "gsudo", "sudoedit"))
MAX_SPAN = 3


def modified(modifiers: Sequence[Json], action: Action, call: Call, *, doubt: bool, strict: bool = False) -> bool:
    """Whether all of them hold. `doubt`: unknown words may count; `strict`: the answer would let a call go."""
    words: Words | None = None
    reading: Sequence[str] | None = None
    skip = 0
    operands: list[Json] = []
    for modifier in modifiers:
        name = modifier[0]
        other = _OTHERS.get(name)
        if other is not None:
            if not other(modifier, action, call, doubt):
                return False
            continue
        if words is None:
            if not isinstance(action, Run):
                return False
            words = call.words(action)
        if name == "with_subcommand":
            found = _subcommand(modifier[1], words, doubt=doubt, strict=strict)
            if found is None:
                return False
            reading, skip = found
        elif name in ("with_args", "with_no_args"):
            operands.append(modifier)
        elif not _flags(name, modifier[1], words, call, strict=strict):
            return False
    if not operands or words is None:
        return True
    readings = words.readings if reading is None else (reading,)
    return any(_operands(operands, one[skip:], doubt=doubt, strict=strict) for one in readings)


def _subcommand(
    patterns: Sequence[Sequence[str]], words: Words, *, doubt: bool, strict: bool
) -> tuple[Sequence[str], int] | None:
    """The reading whose first words are one of these, and how many words that is. `strict`: every reading's are."""
    best: tuple[Sequence[str], int] | None = None
    for reading in words.readings:
        longest = max((_leads(pattern, reading, doubt) for pattern in patterns), default=-1)
        if longest >= 0 and not strict:
            return reading, longest
        if longest < 0 and strict:
            return None
        best = (reading, longest) if best is None else best
    return best if strict else None


def _leads(pattern: Sequence[str], words: Sequence[str], doubt: bool) -> int:
    """How many leading words the pattern takes; -1 when it does not fit."""
    if "**" not in pattern:
        if len(words) < len(pattern):
            return -1
        for glob, word in zip(pattern, words, strict=False):
            if glob != word and not _word(glob, word.lower(), doubt and type(word) is not str and word.strip("*")):
                return -1
        return len(pattern)
    at = pattern.index("**")
    head, tail = pattern[:at], pattern[at + 1 :]
    start = _leads(head, words, doubt) if head else 0
    if start < 0:
        return -1
    for span in range(MAX_SPAN + 1):
        end = _leads(tail, words[start + span :], doubt) if tail else 0
        if end >= 0 and start + span <= len(words):
            return start + span + end
    return -1


def _word(glob: str, word: str, doubt: object) -> bool:
    if glob == word or (globs.wild(glob) and globs.matches(glob, word)):
        return True
    return bool(doubt) and globs.overlap(glob, word)


def _flags(name: str, flags: Sequence[str], words: Words, call: Call, *, strict: bool) -> bool:
    """`without_flags` lets a call go when it fails to hold, so there a flag counts only as it is written."""
    from bk.engine.rules.options import has_flag

    if name == "without_flags":
        return not any(has_flag(flag, words, strict=not strict) for flag in flags)
    for flag in flags:
        if has_flag(flag, words, strict=strict):
            call.hit.flag = flag
            return True
    return False


def _operands(modifiers: Sequence[Json], words: Sequence[str], *, doubt: bool, strict: bool) -> bool:
    """`with_args` and `with_no_args`, on what follows the subcommand. `strict`: every operand must be one of these."""
    wanted = [modifier[1] for modifier in modifiers if modifier[0] == "with_args"]
    if len(wanted) < len(modifiers):
        return not words
    if not all(any(_arg(patterns, word, doubt) for word in words) for patterns in wanted):
        return False
    return not strict or all(any(_arg(patterns, word, False) for patterns in wanted) for word in words)


def _arg(patterns: Sequence[str], word: str, doubt: bool) -> bool:
    if globs.any_matches(patterns, word):
        return True
    return doubt and type(word) is not str and any(globs.overlap(glob, word) for glob in patterns)


def _option(modifier: Json, action: Action, call: Call, doubt: bool) -> bool:
    """An option whose value matches: glued, after `=`, or the next word."""
    if not isinstance(action, Run):
        return False
    names, wanted = modifier[1], modifier[2]
    words = call.words(action)
    for name, value in _given(names, words, action.argv):
        if globs.any_matches(wanted, value.lower()):
            call.hit.flag = name
            return True
        if doubt and type(value) is not str and any(globs.overlap(glob, value.lower()) for glob in wanted):
            return True
    return False


def _given(names: Sequence[str], words: Words, argv: Sequence[str]) -> list[tuple[str, str]]:
    """Every value that one of these options has; the rule knows that they take one, even where the table does not."""
    found = [(name, value) for name, value in words.values if name in names]
    for at, word in enumerate(argv):
        for name in names:
            if word == name:
                if at + 1 < len(argv):
                    found.append((name, argv[at + 1]))
            elif word.startswith(name) and len(name) > 1:
                rest = word[len(name) :]
                if rest[0] in "=:":
                    found.append((name, rest[1:]))
                elif len(name) == 2 and name[0] == "-":
                    found.append((name, rest))
    return found


def _says(modifier: Json, action: Action, call: Call, _doubt: bool) -> bool:
    """A regex on each argument and on what is known of its input."""
    pattern, needs = modifier[1], modifier[2]
    if not isinstance(action, Run):
        return False
    if needs and not regex.may_match(needs, call.said(action)):
        return False
    if any(call.search(pattern, needs, word) for word in action.argv[1:]):
        return True
    return action.stdin is not None and call.search(pattern, needs, action.stdin)


def _in_dir(modifier: Json, action: Action, call: Call, _doubt: bool) -> bool:
    cwd = action.cwd if isinstance(action, Run) else call.cwd
    for pattern in modifier[1]:
        glob = globs.placed(pattern, call.home, call.cwd)
        if globs.path_matches(glob, cwd) or globs.path_matches(glob.removesuffix("/**") + "/**", cwd):
            return True
    return False


def _as_root(_modifier: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    return any(entry.partition(" ")[0] in ROOT for entry in action.via)


def _via(modifier: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    for entry in action.via:
        label = entry.lower()
        if globs.any_matches(modifier[1], label) or globs.any_matches(modifier[1], label.partition(" ")[0]):
            return True
    return False


def _where(modifier: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    return globs.any_matches(modifier[1], action.where)


def _env(modifier: Json, action: Action, call: Call, doubt: bool) -> bool:
    if assigned(modifier[1], action.via, doubt):
        return True
    for other in call.actions:
        if type(other) is Run and other.program in EXPORTS and assigned(modifier[1], other.argv[1:], doubt):
            return True
        if other is action:
            break
    return False


def assigned(wanted: Sequence[str], words: Sequence[str], doubt: bool) -> bool:
    """Whether one of the words is `NAME=value` with this name and value."""
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not globs.any_matches(wanted[:1], name):
            continue
        if len(wanted) < 2 or globs.any_matches(wanted[1:], value):
            return True
        if doubt and "**" in value and globs.overlap(wanted[1], value):
            return True
    return False


_OTHERS: dict[str, Callable[[Json, Action, Call, bool], bool]] = {
    "with_option": _option,
    "says": _says,
    "in_dir": _in_dir,
    "as_root": _as_root,
    "via": _via,
    "where": _where,
    "env": _env,
}
