"""The bash grammar, loaded without the packages around it.

`tree_sitter/__init__.py` and `tree_sitter_bash/__init__.py` import `typing` and `importlib.resources`, which a cold
hook call would pay for and never use; the extension modules inside them are all that parsing needs.
"""

from __future__ import annotations

import re
import sys

from bk.engine.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from tree_sitter import Parser, Tree

SMALL = 4096
PLENTY = 6000
HEREDOC_PLENTY = 1500
EXPANSION_PLENTY = 2500
MAX_BARS = 3000

_BEYOND = re.compile(r"[^\t\n\x20-\x7e]")
_parser: Parser | None = None


def parse(text: str) -> Tree | None:
    """The syntax tree of a shell text, or None when it would take longer than a decision may. Offsets are characters.

    The grammar sees every character beyond printable ASCII as a full stop, a word character without meaning. Its
    scanner hands code points to `isdigit`, which reads far outside its table for the rare ones (it crashes), and it
    takes Unicode and control blanks for blanks, which bash does not: a `#` behind one would hide what follows.
    Error recovery is quadratic in unfinished pipelines and array assignments, and unquoted heredocs are scanned again
    for every expansion in them; the budget is counted in parser steps and not in time, so that a verdict never
    depends on the machine.
    """
    parser = _parser or _load()
    source = _BEYOND.sub(".", text).encode("ascii")
    if len(source) <= SMALL:
        return parser.parse(source)
    if source.count(b"|") > MAX_BARS or source.count(b"=(") > MAX_BARS:
        return None
    budget = HEREDOC_PLENTY if b"<<" in source else EXPANSION_PLENTY if b"${" in source else PLENTY
    steps = 0

    def spent(_offset: int, _failing: bool) -> bool:
        nonlocal steps
        steps += 1
        return steps > budget

    def piece(offset: int, _point: object) -> bytes:
        return source[offset : offset + 65536]

    try:
        return parser.parse(piece, progress_callback=spent)
    except ValueError:
        parser.reset()  # without it the next parse would resume this one
        return None


def _load() -> Parser:
    global _parser  # noqa: PLW0603 - one parser a process, made at first need
    binding = _extension("tree_sitter")
    language = binding.Language(_extension("tree_sitter_bash").language())
    parser: Parser = binding.Parser(language)
    _parser = parser
    return parser


def _extension(package: str) -> Any:
    """The `_binding` extension of an installed package, its `__init__` left alone."""
    name = f"{package}._binding"
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    outer = _find(package, None)
    locations = outer.submodule_search_locations if outer is not None else None
    spec = _find(name, list(locations)) if locations is not None else None
    if spec is None or spec.loader is None:
        raise Refusal("grammar", f"{package} is not installed", "reinstall bk: its shell grammar is missing")
    module: ModuleType = spec.loader.create_module(spec)
    spec.loader.exec_module(module)
    return module


def _find(name: str, where: list[str] | None) -> Any:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, where)
        if spec is not None:
            return spec
    return None
