"""How each kind of registry is asked about a package, and where its answer says when and what. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bk.engine.intel.releases import Release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bk.engine.model import Json

JSON = "application/json"
LIFECYCLE = ("preinstall", "install", "postinstall", "prepare")
_PLAIN = re.compile(r"[^A-Za-z0-9._~@-]")


class Way:
    """One kind of registry: the path of its answer, what to accept, and the reader of what comes back."""

    __slots__ = ("accept", "path", "read")

    def __init__(
        self, path: Callable[[str, str], str], read: Callable[[str, str, Json], Release], accept: str = JSON
    ) -> None:
        self.path = path
        self.read = read
        self.accept = accept


def quoted(name: str) -> str:
    """A name as one part of a path, however hostile."""
    text = _PLAIN.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode(errors="replace")), name)
    return "_" if text.strip(".") == "" else text


def millis(text: Json) -> int | None:
    """An ISO time in milliseconds; None when it is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def plain(asked: str) -> str:
    """The version that a pinned request names; ranges and tags name none."""
    text = asked.strip().removeprefix("==").removeprefix("=").strip()
    return text if re.fullmatch(r"v?\d[\w.+!-]*", text) else ""


def _npm(name: str, asked: str, document: Json) -> Release:
    version = plain(asked).removeprefix("v")
    if version not in document["versions"]:
        version = document["dist-tags"].get(asked or "latest") or document["dist-tags"]["latest"]
    scripts = document["versions"][version].get("scripts")
    told = document["versions"][version].get("hasInstallScript")
    names = [key for key in LIFECYCLE[:3] if isinstance(scripts, dict) and scripts.get(key)]
    known: list[str] | None = names or (["install"] if told else [])
    published = millis((document.get("time") or {}).get(version))
    people, newcomers = _npm_people(document, version)
    return Release(
        "npm", name, asked, version=version, published_ms=published, scripts=known, maintainers=people,
        newcomers=newcomers,
    )  # fmt: skip


def _npm_people(document: Json, version: str) -> tuple[list[str] | None, list[str] | None]:
    """Who may publish it and who published this version; and who of them had no part in the version before."""
    here = _named(document["versions"][version])
    if not here:
        return None, None
    times = {one: millis(when) for one, when in (document.get("time") or {}).items() if one in document["versions"]}
    before = previous(times, version)
    earlier = _named(document["versions"][before]) if before else []
    return here, [name for name in here if name not in earlier] if earlier else None


def _named(entry: Json) -> list[str]:
    said = [entry.get("_npmUser"), *(entry.get("maintainers") or ())]
    names = (one.get("name") if isinstance(one, dict) else one for one in said)
    return list(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def previous(times: Mapping[str, int | None], version: str) -> str:
    """The version that was published last before this one, "" when that cannot be told."""
    at = times.get(version)
    earlier = {one: when for one, when in times.items() if when is not None and at is not None and when < at}
    return max(earlier, key=lambda one: earlier[one], default="")


def _pypi(name: str, asked: str, document: Json) -> Release:
    """The index's own JSON: every file with its time. A release that has no wheel runs its own code to install."""
    files: dict[str, list[Json]] = {}
    for file in document["files"]:
        version = _file_version(str(file["filename"]), name)
        if version and not file.get("yanked"):
            files.setdefault(version, []).append(file)
    times = {version: [millis(file.get("upload-time")) for file in each] for version, each in files.items()}
    version = plain(asked)
    if version not in files:
        version = max(files, key=lambda one: max((when or 0 for when in times[one]), default=0))
    known = [when for when in times[version] if when is not None]
    wheels = [str(file["filename"]).endswith(".whl") for file in files[version]]
    scripts = [] if any(wheels) else ["setup.py"]
    return Release("pypi", name, asked, version=version, published_ms=min(known, default=None), scripts=scripts)


def _file_version(filename: str, name: str) -> str:
    if filename.endswith(".whl"):
        parts = filename.split("-")
        return parts[1] if len(parts) > 4 else ""
    stem = re.sub(r"\.(?:tar\.gz|zip|tar\.bz2|tgz)$", "", filename)
    head = len(re.sub(r"[-_.]+", "-", name)) if stem != filename else 0
    return stem[head + 1 :] if head and len(stem) > head else ""


def _cargo(name: str, asked: str, document: Json) -> Release:
    listed = {str(one["num"]): one for one in document["versions"] if not one.get("yanked")}
    version = plain(asked) if plain(asked) in listed else next(iter(listed))
    times = {one: millis(entry.get("created_at")) for one, entry in listed.items()}
    before = previous(times, version)
    who, earlier = _login(listed[version]), _login(listed[before]) if before else ""
    return Release(
        "cargo", name, asked, version=version, published_ms=times[version],
        maintainers=[who] if who else None,
        newcomers=[who] * (who != earlier) if who and earlier else None,
    )  # fmt: skip


def _login(entry: Json) -> str:
    """Who published a crate's version."""
    person = entry.get("published_by")
    login = person.get("login") if isinstance(person, dict) else None
    return login if isinstance(login, str) else ""


def _gems(name: str, asked: str, document: Json) -> Release:
    listed = {str(one["number"]): one for one in document}
    version = plain(asked) if plain(asked) in listed else next(iter(listed))
    return Release("rubygems", name, asked, version=version, published_ms=millis(listed[version].get("created_at")))


def _go(name: str, asked: str, document: Json) -> Release:
    return Release(
        "go", name, asked, version=str(document["Version"]), published_ms=millis(document["Time"]), scripts=()
    )


def _composer(name: str, asked: str, document: Json) -> Release:
    listed = {str(one["version"]): one for one in document["packages"][name.lower()]}
    version = next((one for one in (asked, f"v{asked}", plain(asked)) if one in listed), next(iter(listed)))
    return Release("packagist", name, asked, version=version, published_ms=millis(listed[version].get("time")))


def _nuget(name: str, asked: str, document: Json) -> Release:
    entries = [leaf["catalogEntry"] for page in document["items"] for leaf in page.get("items", ())]
    listed = {str(entry["version"]).lower(): entry for entry in entries if entry.get("listed", True)}
    version = plain(asked).lower() if plain(asked).lower() in listed else list(listed)[-1]
    return Release("nuget", name, asked, version=version, published_ms=millis(listed[version].get("published")))


def _extension(name: str, asked: str, document: Json) -> Release:
    published = millis(document["timestamp"])
    person = document.get("publishedBy")
    who = person.get("loginName") if isinstance(person, dict) else None
    return Release(
        "editor-extension", name, asked, version=str(document["version"]), published_ms=published, scripts=(),
        maintainers=[who] if isinstance(who, str) and who else None,
    )  # fmt: skip


def _go_path(name: str, asked: str) -> str:
    """Capitals are written as `!` and the small letter, so that no file system folds two modules into one."""
    module = "/".join(quoted(re.sub("[A-Z]", lambda match: "!" + match[0].lower(), part)) for part in name.split("/"))
    module = module.replace("%21", "!")
    return f"/{module}/@v/{quoted(asked)}.info" if plain(asked) else f"/{module}/@latest"


def _extension_path(name: str, asked: str) -> str:
    publisher, _, rest = name.partition(".")
    tail = f"/{quoted(asked)}" if plain(asked) else ""
    return f"/api/{quoted(publisher)}/{quoted(rest)}{tail}"


def _vendor_path(name: str, _asked: str) -> str:
    return "/p2/" + "/".join(quoted(part) for part in name.lower().split("/")[:2]) + ".json"


def _pypi_path(name: str, _asked: str) -> str:
    return f"/{quoted(re.sub(r'[-_.]+', '-', name).lower())}/"


ANSWERS = {
    "npm": Way(lambda name, _asked: "/" + quoted(name), _npm),
    "pypi": Way(_pypi_path, _pypi, "application/vnd.pypi.simple.v1+json"),
    "cargo": Way(lambda name, _asked: f"/api/v1/crates/{quoted(name)}", _cargo),
    "rubygems": Way(lambda name, _asked: f"/api/v1/versions/{quoted(name)}.json", _gems),
    "go": Way(_go_path, _go),
    "packagist": Way(_vendor_path, _composer),
    "nuget": Way(lambda name, _asked: f"/{quoted(name.lower())}/index.json", _nuget),
    "editor-extension": Way(_extension_path, _extension),
}
