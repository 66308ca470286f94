"""Which places may ever be emptied: pure rules on the text of a path, for every system's forms, tested on any.

Two rules must both hold. The negative one names what is never touched: system directories, homes, our own state and
program, whole environments and projects. The positive one is stronger: a package lies where its manager puts packages,
and what lies elsewhere is not moved, however sure the evidence.
"""

from __future__ import annotations

import re

from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SYSTEM = names("""
    / /bin /boot /dev /etc /home /lib /lib32 /lib64 /libx32 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr
    /usr/bin /usr/lib /usr/local /usr/local/bin /usr/local/lib /usr/sbin /usr/share /var /var/lib /var/tmp
    /System /Library /Applications /Users /Volumes /private /private/tmp /private/var
    """)
OF_A_HOME = (
    ".ssh", ".gnupg", ".config", ".local", ".local/bin", ".local/lib", ".local/share", ".local/state", ".cache", ".aws",
    ".kube", "Library", "Documents", "Desktop", "Downloads", "AppData", "AppData/Roaming", "AppData/Local",
)  # fmt: skip
WHOLE = {
    "site-packages": "site_packages_root",
    "dist-packages": "site_packages_root",
    "node_modules": "project_root",
    ".pnpm": "project_root",
    "vendor": "project_root",
    "extensions": "extensions_root",
    "Extensions": "browser_profile_root",
}
LYING = names("/home /media /mnt /srv /tmp /var/tmp /private/tmp /Users /Volumes")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE)
_SHORT = re.compile(r"[^\\/]{1,8}~[0-9]{1,6}(?:\.[^\\/]{0,3})?")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_HASH = "[0-9a-f]{4,64}"
_N = r"[^/]+"
_SCOPED = rf"(?:@{_N}/)?(?!@)(?!\.)[^/]+"

# ecosystem → patterns of places in which exactly one package lies (a directory, or one of its files)
_CONTAINERS: Mapping[str, tuple[str, ...]] = {
    "npm": (
        rf".*/node_modules/{_SCOPED}",
        rf".*/node_modules/\.bin/{_N}",
        rf".*/\.pnpm/{_N}/node_modules/{_SCOPED}",
        rf".*/\.yarn/cache/{_N}\.zip",
        rf".*/\.yarn/unplugged/{_N}",
        rf".*/\.yarn/berry/cache/{_N}\.zip",
        rf".*/\.bun/install/cache/{_SCOPED}@[^/]+",
        rf".*/\.cache/yarn/v\d+/npm-{_N}",
        rf".*/(?:pnpm/store|\.pnpm-store)/v\d+/(?:index|files)/[0-9a-f]{{2}}/[0-9a-f]{{3,}}-{_N}\.json",
        rf".*/_npx/{_HASH}",
        rf".*/\.npm/_cacache/content-v2/{_N}/{_HASH[:8]}{{2}}/[0-9a-f]{{2}}/[0-9a-f]{{8,}}",
    ),
    "pypi": (
        r".*/(?:site|dist)-packages/(?!\.)[^/]+(?:/.+)?",
        rf".*/(?:bin|Scripts|share|include|etc|libexec)/{_N}(?:/.+)?",
        rf".*/pipx/venvs/{_N}",
        rf".*/uv/tools/{_N}",
        rf".*/__pypackages__/[\d.]+/lib/{_N}(?:/.+)?",
        r".*/uv/(?:archive|wheels|sdists)-v\d+/.+",
        rf".*/(?:pip/wheels|pypoetry/artifacts)/.+/{_N}\.whl",
        rf".*/pkgs/{_N}",
        rf".*/conda-meta/{_N}\.json",
        rf".*/lib/{_N}(?:/.+)?",
    ),
    "conda": (
        rf".*/pkgs/{_N}",
        rf".*/conda-meta/{_N}\.json",
        r".*/(?:s?bin|lib(?:64|exec)?|share|include|etc|ssl|man|shell|condabin|Menu|Library|Scripts|DLLs|Lib)/.+",
        rf".*/{_N}-conda[^/]*-linux-gnu/.+",
    ),
    "cargo": (
        rf".*/registry/src/{_N}/{_N}",
        rf".*/registry/cache/{_N}/{_N}\.crate",
        rf".*/git/checkouts/{_N}/{_N}",
        rf".*/\.cargo/bin/{_N}",
        rf".*/vendor/{_N}",
    ),
    "go": (r".*/pkg/mod/(?!cache/).+@v[^/]+", rf".*/pkg/mod/cache/download/.+/@v/{_N}", rf".*/go/bin/{_N}"),
    "rubygems": (
        rf".*/gems/{_N}",
        rf".*/specifications/{_N}\.gemspec",
        rf".*/cache/{_N}\.gem",
        rf".*/extensions/{_N}/{_N}/{_N}",
        rf".*/(?:doc|build_info)/{_N}",
        rf".*/bin/{_N}",
    ),
    "packagist": (
        rf".*/vendor/(?!bin/|composer/){_N}/{_N}",
        rf".*/vendor/composer/(?!autoload_|installed\.|platform_check|ClassLoader|InstalledVersions|LICENSE){_N}",
        rf".*/vendor/bin/{_N}",
        rf".*/composer/files/{_N}/{_N}/{_N}",
    ),
    "nuget": (
        rf".*/\.nuget/packages/{_N}/{_N}",
        rf".*/packages/{_N}\.\d[^/]*",
        rf".*/\.store/{_N}/{_N}",
        r".*/\.dotnet/tools/(?!\.)[^/]+",
    ),
    "maven": (rf".*/\.m2/repository/.+/{_N}/{_N}", rf".*/files-2\.1/{_N}/{_N}/{_N}"),
    "homebrew": (
        rf".*/Cellar/{_N}/{_N}",
        rf".*/Caskroom/{_N}/{_N}",
        rf".*/(?:homebrew|\.linuxbrew|local)/(?:opt|s?bin)/{_N}",
    ),
    "editor-extension": (
        r".*/extensions/(?!\.)[^/]+",
        rf".*/(?:JetBrains|Google)/{_N}/(?:plugins/)?{_N}",
    ),
    "browser-extension": (r".*/Extensions/[a-p]{32}", rf".*/extensions/{_N}\.xpi"),
    "agent-skill": (
        rf".*/skills/{_N}",
        rf".*/plugins/cache/{_N}/{_N}/{_N}",
        rf".*/\.gemini/extensions/{_N}",
        rf".*/\.?opencode/plugins?/{_N}",
    ),
    "mcp": (rf".*/{_N}\.(?:json|jsonc|toml|ya?ml)", rf".*/Claude Extensions/{_N}"),
}
_PATTERNS = {
    ecosystem: tuple(re.compile(pattern, re.DOTALL) for pattern in patterns)
    for ecosystem, patterns in _CONTAINERS.items()
}


class Ground:
    """What a path is judged against: the homes, where our state and our program lie, which roots are projects."""

    __slots__ = ("homes", "programs", "projects", "quarantine", "state")

    def __init__(
        self,
        *,
        homes: Iterable[str],
        state: str,
        programs: Iterable[str] = (),
        projects: Iterable[str] = (),
    ) -> None:
        self.homes = tuple(home.rstrip("/") for home in homes if home.rstrip("/"))
        self.state = state.rstrip("/")
        self.quarantine = f"{self.state}/quarantine"
        self.programs = tuple(programs)
        self.projects = frozenset(projects)


def form(path: str) -> str:
    """The code of what is wrong with the text of a path; "" when nothing is."""
    if not path.startswith("/"):
        return "not_absolute"
    if _CONTROL.search(path):
        return "nul_or_control"
    parts = path.split("/")[1:]
    if ".." in parts:
        return "dotdot"
    if "." in parts or "" in parts[:-1] or (parts[-1] == "" and path != "/") or path.startswith("//"):
        return "form"
    return ""


def windows_form(path: str) -> str:
    """The same for Windows: device and UNC prefixes, drive-relative paths, streams, short names, trailing dots."""
    if path.startswith(("\\\\", "//", "\\/", "/\\")):
        return "form"
    if not _DRIVE.match(path):
        return "not_absolute"
    if _CONTROL.search(path):
        return "nul_or_control"
    rest = path[3:]
    if ":" in rest or any(mark in rest for mark in '<>"|?*'):
        return "form"
    for part in re.split(r"[\\/]", rest):
        if part == "..":
            return "dotdot"
        if part != part.rstrip(". ") or _RESERVED.fullmatch(part) or _SHORT.fullmatch(part):
            return "form"
    return ""


def inside(path: str, root: str, *, fold: bool = False) -> bool:
    """Whether a path is a root or lies below it; `fold` where the file system ignores case and kind of slash."""
    if fold:
        path, root = path.replace("\\", "/").casefold(), root.replace("\\", "/").casefold()
    root = root.rstrip("/")
    return path == root or path.startswith(root + "/")


def protected(path: str, ground: Ground) -> str:
    """The code of why a well-formed path is never emptied; "" when it may be."""
    if inside(path, ground.quarantine, fold=True):
        return "inside_quarantine"
    if inside(path, ground.state, fold=True):
        return "inside_state_dir"
    if path in SYSTEM:
        return "protected_root"
    for home in ground.homes:
        if inside(home, path):
            return "home_or_ancestor"
        if inside(path, home) and path[len(home) + 1 :] in OF_A_HOME:
            return "protected_root"
    if inside(ground.state, path) or any(inside(program, path) for program in ground.programs):
        return "own_program" if not inside(ground.state, path) else "protected_root"
    if any(inside(path, program) for program in ground.programs):
        return "own_program"
    if any(inside(project, path) for project in ground.projects):
        return "project_root"
    return WHOLE.get(path.rpartition("/")[2], "")


def elsewhere(path: str, ecosystem: str, ground: Ground) -> str:
    """The code of why nothing is put back at a place of a person's choice; "" when it may be.

    Only where such a package belongs anyway, or where files merely lie: never where the machine or a session starts
    what it finds.
    """
    code = form(path) or protected(path, ground)
    if code or contained(ecosystem, path):
        return code
    for home in ground.homes:
        if inside(path, home):
            first = path[len(home.rstrip("/")) + 1 :].partition("/")[0]
            return "protected_root" if first.startswith(".") or first in ("bin", "Library") else ""
    return "" if any(inside(path, root) for root in LYING) else "protected_root"


def contained(ecosystem: str, path: str) -> bool:
    """Whether a package of this ecosystem, or one of its files, may lie at this place."""
    return any(pattern.fullmatch(path) for pattern in _PATTERNS.get(ecosystem, ()))


def refusal(path: str, ecosystem: str, ground: Ground) -> str:
    """The code of why this path is not moved; "" when the text of it speaks for nothing but a package."""
    return form(path) or protected(path, ground) or ("" if contained(ecosystem, path) else "no_container")
