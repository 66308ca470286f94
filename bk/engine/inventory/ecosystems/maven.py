"""Java libraries: the local repository of Maven, and what Gradle downloaded."""

from __future__ import annotations

import re

from bk.engine.inventory.item import CACHED, DIR, NOWHERE, Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

MARKS = frozenset(("*.pom", "files-2.1"))
NO_CONTAINER = "it lies in no repository that is known"
_MAVEN = re.compile(r"(.*/\.m2/repository)/(.+)/([^/]+)/([^/]+)")
_REMOTE = re.compile(r"^[^#\n]*\.(?:pom|jar)>([^=\n]*)=", re.MULTILINE)


def places(home: str, env: Mapping[str, str]) -> Iterator[str]:
    """The local repository, and Gradle's cache."""
    yield f"{home}/.m2/repository"
    yield (env.get("GRADLE_USER_HOME", "") or f"{home}/.gradle") + "/caches/modules-2"


def read(place: Place, found: Found) -> None:
    """One version in a repository, or Gradle's whole cache of files."""
    if place.names().get("files-2.1") == "d":
        _gradle(place, found)
        found.skip("files-2.1")
    whole = _MAVEN.fullmatch(place.path)
    if whole is None or not any(name.startswith(f"{whole[3]}-{whole[4][:1]}") for name in place.names()):
        return
    remote = _REMOTE.findall(place.text("_remote.repositories", 65_536) or "")
    notes = [f"from the repository {each[:60]}" if each else "built here" for each in sorted(set(remote))]
    found.add(
        Item(
            "maven",
            f"{whole[2].replace('/', '.')}:{whole[3]}",
            whole[4],
            manager="maven",
            kind=CACHED,
            observed=place.at(next(name for name in sorted(place.names()) if name.endswith(".pom"))),
            locator=Locator(DIR, place.path),
            root=whole[1],
            note="; ".join(notes),
        )
    )


def _gradle(place: Place, found: Found) -> None:
    """`group/artifact/version`; the binary lists beside it are Gradle's own and stay."""
    kept = place.path.startswith("/")
    for group, kind in place.names("files-2.1").items():
        for artifact, sort in place.names(f"files-2.1/{group}").items() if kind == "d" else ():
            for version, last in place.names(f"files-2.1/{group}/{artifact}").items() if sort == "d" else ():
                if last == "d":
                    path = place.at(f"files-2.1/{group}/{artifact}/{version}")
                    found.add(
                        Item("maven", f"{group}:{artifact}", version, manager="gradle", kind=CACHED, observed=path,
                             locator=Locator(DIR, path) if kept else NOWHERE, root=place.at("files-2.1"))
                    )  # fmt: skip
