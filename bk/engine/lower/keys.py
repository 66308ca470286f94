"""What tool inputs call things, as data. Keys are compared without case, underscores and hyphens."""

from __future__ import annotations

from bk.engine.tables import names


def folded(key: str) -> str:
    """A key as the tables below spell it."""
    return key.lower().replace("_", "").replace("-", "")


COMMAND_KEYS = names("command cmd commandline shellcommand script bash shell commands powershell")
LINES_KEYS = names("commands")  # each of the list is a line for a shell of its own
TYPED_KEYS = names("inputtext chars keys")  # what is typed into a shell that runs
CWD_KEYS = names("cwd workdir workingdirectory workingdir")
RUN_IN_KEYS = CWD_KEYS | names("directory dirpath dir")  # of a tool that is a shell
PATH_KEYS = names(
    "filepath path absolutepath targetfile notebookpath paths file files filename filenames"
    " absolutefilepath relativepath relativeworkspacepath directory dir dirpath directorypath folder"
    " folderpath searchpath rootpath targetdirectory targetpath location outputpath inputpath localpath"
    " destinationpath sourcepath"
)
URL_KEYS = names("url urls uri uris href link endpoint address")
INCLUDE_KEYS = names("include glob")  # which files, for a tool that reads several
PATTERN_KEYS = names("pattern globpattern glob query filepattern")
CONTENT_KEYS = names("content contents filetext newsource text newcontent filecontent codecontent body data")
EDITS_KEYS = names("edits replacements changes operations")
OLD_KEYS = names("oldstring oldstr oldtext old search find targetcontent original")
NEW_KEYS = names("newstring newstr newtext new replace replacement replacementcontent updated")
EVERY_KEYS = names("replaceall all every allowmultiple")
PATCH_KEYS = names("patch input patchtext diff patchcontent unifieddiff")
CARRIER_KEYS = names("args arguments input params parameters toolinput toolargs payload")  # JSON may be in their text
SOURCE_KEYS = names("source src from oldpath sourcefile origin")
TARGET_KEYS = names("destination dest dst to newpath target destinationfile")
PROSE_KEYS = names(
    "prompt message body text content description query title comment reason summary note question answer"
    " thought filetext newstring oldstring newstr oldstr subject instructions task"
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
    "cargo": "cargo", "crates": "cargo", "rust": "cargo",
    "go": "go", "golang": "go",
    "rubygems": "rubygems", "gem": "rubygems", "ruby": "rubygems",
    "packagist": "packagist", "composer": "packagist", "php": "packagist",
    "nuget": "nuget", "dotnet": "nuget",
    "maven": "maven", "gradle": "maven", "java": "maven",
    "editor-extension": "editor-extension", "vscode": "editor-extension", "openvsx": "editor-extension",
}  # fmt: skip
