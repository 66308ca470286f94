"""NuGet through dotnet, nuget, paket and PowerShell."""

from __future__ import annotations

from bk.engine.lower.installs.line import elsewhere, install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

TAKES = options(
    "-v --version -Version -s --source -Source -f --framework -Framework -o --output -OutputDirectory"
    " --package-directory --add-source --configfile -ConfigFile --tool-path --tool-manifest -a --arch --verbosity"
    " --project -DependencyVersion -SolutionDirectory -Verbosity -n --name --nuget-source -Name -RequiredVersion"
    " -Scope -Repository -ProviderName --group"
)
PROJECTS = (".csproj", ".fsproj", ".vbproj", ".sln", ".slnx", ".proj", ".cs")


def read(program: str, words: Sequence[str]) -> list[Install]:
    """What one command of this family fetches."""
    if program == "install-package":
        line = split(words, TAKES)
        version = line.value("-Version", "-RequiredVersion", "-version", "-requiredversion")
        return _packages("powershell", line.values("-Name", "-name") or line.words, version)
    if program == "dnx":
        line = split(words, TAKES, until=1)
        return _packages("dnx", line.words, line.value("--version"), runs=True)
    line = split(words, TAKES)
    verbs = line.words
    version = line.value("-v", "--version", "-Version")
    if program == "nuget":
        return _packages("nuget", verbs[1:2], version) if verbs[:1] == ["install"] else []
    if program == "paket":
        return _packages("paket", verbs[1:2], version) if verbs[:1] == ["add"] else []
    return _dotnet(verbs, version)


def _dotnet(verbs: list[str], version: str) -> list[Install]:
    if verbs[:1] == ["add"] and "package" in verbs:
        return _packages("dotnet", verbs[verbs.index("package") + 1 :][:1], version)
    if verbs[:2] == ["package", "add"] or (verbs[:1] == ["tool"] and verbs[1:2] in (["install"], ["update"])):
        return _packages("dotnet", verbs[2:3], version)
    if verbs[:1] == ["tool"] and verbs[1:2] in (["exec"], ["execute"]):
        return _packages("dotnet", verbs[2:3], version, runs=True)
    if verbs[:2] == ["new", "install"] or verbs[:2] == ["workload", "install"]:
        return _packages("dotnet", verbs[2:], "") if verbs[0] == "new" else []
    return []


def _packages(manager: str, words: Sequence[str], version: str, *, runs: bool = False) -> list[Install]:
    made = []
    for word in words:
        source = elsewhere(word)
        if word.lower().endswith(PROJECTS) or (word.endswith(".config") and manager == "nuget"):
            continue
        name, mark, pinned = str(word).partition("::")
        if not mark:
            name, mark, pinned = str(word).partition("@")
        name = "" if source else name
        made.append(install("nuget", manager, word, name, pinned or version, source=source or "registry", runs=runs))
    return made
