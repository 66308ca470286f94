"""What tool inputs call things, as data. Keys are compared without case, underscores and hyphens."""

from __future__ import annotations


def folded(key: str) -> str:
    """A key as the tables below spell it."""
    return key.lower().replace("_", "").replace("-", "")


COMMAND_KEYS = frozenset("command cmd commandline shellcommand script bash shell commands powershell".split())
CWD_KEYS = frozenset("cwd workdir workingdirectory workingdir".split())
PATH_KEYS = frozenset(
    "filepath path absolutepath targetfile notebookpath paths file files filename filenames absolutefilepath"
    " relativepath relativeworkspacepath directory dir dirpath directorypath folder folderpath searchpath rootpath"
    " targetdirectory targetpath location outputpath inputpath localpath destinationpath sourcepath".split()
)
URL_KEYS = frozenset("url urls uri uris href link endpoint address".split())
PATTERN_KEYS = frozenset("pattern globpattern glob query filepattern".split())
CONTENT_KEYS = frozenset("content contents filetext newsource text newcontent filecontent codecontent body data".split())
EDITS_KEYS = frozenset("edits replacements changes operations".split())
OLD_KEYS = frozenset("oldstring oldstr oldtext old search find targetcontent original".split())
NEW_KEYS = frozenset("newstring newstr newtext new replace replacement replacementcontent updated".split())
EVERY_KEYS = frozenset("replaceall all every allowmultiple".split())
PATCH_KEYS = frozenset("patch input patchtext diff patchcontent unifieddiff".split())
SOURCE_KEYS = frozenset("source src from oldpath sourcefile origin".split())
TARGET_KEYS = frozenset("destination dest dst to newpath target destinationfile".split())
PROSE_KEYS = frozenset(
    "prompt message body text content description query title comment reason summary note question answer thought"
    " filetext newstring oldstring newstr oldstr subject instructions task".split()
)

READ_VERBS = ("read", "get", "view", "show", "open", "load", "cat", "head", "tail", "fetch", "describe", "info", "grep")
LIST_VERBS = ("list", "ls", "glob", "tree", "stat", "exists", "find")
DELETE_VERBS = ("delete", "remove", "unlink", "rm", "trash", "purge")
MOVE_VERBS = ("move", "rename", "mv")
WRITE_VERBS = (
    "write", "create", "edit", "put", "save", "update", "append", "insert", "replace", "patch", "modify", "set",
    "touch", "truncate", "overwrite", "copy", "download", "upload", "apply",
)  # fmt: skip

ECOSYSTEMS = {
    "npm": "npm", "node": "npm", "yarn": "npm", "pnpm": "npm", "javascript": "npm",
    "pypi": "pypi", "pip": "pypi", "python": "pypi",
    "cargo": "cargo", "crates": "cargo", "crates.io": "cargo", "rust": "cargo",
    "go": "go", "golang": "go",
    "rubygems": "rubygems", "gem": "rubygems", "ruby": "rubygems",
    "packagist": "packagist", "composer": "packagist", "php": "packagist",
    "nuget": "nuget", "dotnet": "nuget",
    "maven": "maven", "gradle": "maven", "java": "maven",
    "editor-extension": "editor-extension", "vscode": "editor-extension", "openvsx": "editor-extension",
}  # fmt: skip
