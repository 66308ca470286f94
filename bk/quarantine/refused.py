"""Why something is not moved: a code for programs, a sentence for people."""

from __future__ import annotations

from bk.engine.errors import BkError

TITLES = {
    "not_absolute": "the path is not absolute",
    "nul_or_control": "the path has control characters in it",
    "dotdot": "the path goes up with ..",
    "form": "the path has a form that means something else on this system",
    "symlink_component": "the path leads through a symbolic link",
    "protected_root": "the place is protected",
    "home_or_ancestor": "the place is a home, or holds one",
    "inside_state_dir": "the place lies in bk's own state",
    "inside_quarantine": "the place lies in the quarantine itself",
    "own_program": "the place is bk's own program",
    "mount_point": "something is mounted there",
    "vcs_root": "it holds a repository",
    "project_root": "it is a project, not a package",
    "site_packages_root": "it is a whole environment, not a package",
    "extensions_root": "it holds every extension, not one",
    "browser_profile_root": "it is a whole browser profile, not an extension",
    "no_container": "no package lives in a place like this",
    "not_owner": "it belongs to another user",
    "not_directory": "it is not a directory",
    "special_file": "it holds a device, a socket or a pipe",
    "read_only": "the folder that it is in may not be written",
    "too_large": "it is larger than may be held",
    "identity_mismatch": "it changed while it was looked at",
    "nested_in_live_item": "it lies inside something that is held",
    "gone": "it is not there",
    "outside_environment": "it names files outside its environment",
    "empty": "it names no files",
    "busy": "it is in use",
    "cross_device": "it lies on another file system",
    "no_space": "there is no room to keep it",
    "io": "the file system refused",
    "not_found": "nothing is held under this id",
    "not_held": "it is not held now",
    "conflict": "something is in its old place",
    "parent_missing": "the folder that it was in is gone",
    "parent_changed": "the folder that it was in is another one now",
    "tampered": "what is kept of it was altered",
    "condemned": "it is still known to be bad",
    "locked": "another process is moving something",
}


class HoldRefusedError(BkError):
    """A move that is not made. What it would have moved is as it was."""

    def __init__(self, code: str, detail: str, next_step: str = "") -> None:
        super().__init__(TITLES[code], detail, next_step)
        self.refusal = code
