"""Maven coordinates `group:artifact[:packaging[:classifier]]:version`, wherever a command names them."""

from __future__ import annotations

from bk.engine.lower.installs.line import install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

MVN_TAKES = options(
    "-f --file -s --settings -gs -P --activate-profiles -pl --projects -T --threads -l --log-file -rf -t"
)
GOALS = ("dependency:get", "dependency:copy", "dependency:unpack", "archetype:generate")
RUN_TAKES = options(
    "-r --repository -M --main --main-class -D --jvm -j --java -o --output --channel --contrib -C --cp --deps"
)


def read(program: str, words: Sequence[str]) -> list[Install]:
    """What one command of this family fetches by name."""
    if program in ("mvn", "mvnw", "mvnd"):
        return _maven(words)
    line = split(words, RUN_TAKES)
    verbs = ("install", "launch", "fetch", "bootstrap", "resolve") if program != "jbang" else ("run", "app", "install")
    wanted = [*(word for word in line.words if word not in verbs), *line.values("--deps")]
    return [made for word in wanted for made in _coordinates(program, word, runs=program == "jbang")]


def _maven(words: Sequence[str]) -> list[Install]:
    line = split(words, MVN_TAKES)
    goals = [word for word in line.words if ":" in word]
    if not any(name in goal for goal in goals for name in ("dependency", "archetype")):
        return [made for goal in goals for made in _plugin(goal)]
    given = {flag.removeprefix("-D"): value for flag, value in line.options if flag.startswith("-D")}
    made = [one for goal in goals for one in _plugin(goal)]
    if given.get("artifact"):
        made += _coordinates("mvn", given["artifact"])
    for prefix, artifact in (("groupId", "artifactId"), ("archetypeGroupId", "archetypeArtifactId")):
        if given.get(prefix) and given.get(artifact):
            if prefix == "groupId" and any("archetype" in goal for goal in goals):
                continue
            name = f"{given[prefix]}:{given[artifact]}"
            made.append(install("maven", "mvn", given[artifact], name, given.get("version", "")))
    return made


def _plugin(goal: str) -> list[Install]:
    """`group:plugin:version:goal` fetches and runs a plugin."""
    parts = goal.split(":")
    if len(parts) == 4 and "." in parts[0]:
        return [install("maven", "mvn", goal, f"{parts[0]}:{parts[1]}", parts[2], runs=True)]
    return []


def _coordinates(manager: str, word: str, *, runs: bool = False) -> list[Install]:
    parts = str(word).split(":")
    parts = [part for part in parts if part]  # coursier writes `group::artifact`
    if len(parts) < 2 or "/" in parts[0] or "." not in word:
        return []
    version = parts[-1] if len(parts) > 3 else parts[2] if len(parts) == 3 else ""
    return [install("maven", manager, word, f"{parts[0]}:{parts[1]}", version.partition("@")[0], runs=runs)]
