"""Plugins for clients that start no command themselves: a call is handed to the guard, and none passes without a yes.

They import nothing but Node's own modules, and those only once a call is there: whatever fails, fails inside the hook,
where it is a no, and never at load, where the client would go on without a hook.
"""

from __future__ import annotations

import json
import os
import re
import shlex

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_GUARD = re.compile(r"^const GUARD = (\[.*\]);$", re.MULTILINE)


def plugin(kind: str, program: str, client: str) -> str:
    """The text of a plugin (`opencode` or `openclaw`) that asks `program` on behalf of a client."""
    text = "\n".join(_part(name) for name in ("guard", kind))
    words = [program, "--harness", client]
    told = json.dumps(shlex.join(words))  # on one line whatever the path is
    return _GUARD.sub(lambda _: f"// asks {told}\nconst GUARD = {json.dumps(words)};", text, count=1)


def _part(name: str) -> str:
    with open(f"{_FOLDER}/{name}.js", encoding="utf-8") as file:
        return file.read()


def program_of(text: str) -> str:
    """The guard that a plugin of ours starts; "" for any other text."""
    found = _GUARD.search(text)
    words = json.loads(found[1]) if found else []
    return str(words[0]) if words else ""
