"""Commands that print secrets, or that plant something, without naming a file: data and one matcher."""

from __future__ import annotations

from bk.engine.model import Finding, Level, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

PRINTS = "prints credentials"
DUMPS = "prints the whole environment, in which secrets are often kept"
ADVICE = "let the tool use its credentials itself, or ask the person for what you need"


class Telling:
    """A command that is recognised by its first words. `needs`: words of which one must also occur."""

    __slots__ = ("bare", "instead", "level", "needs", "reason", "rule", "words")

    def __init__(
        self, text: str, level: Level, reason: str, *, needs: str = "", bare: bool = False, rule: str = "", instead: str = ""
    ) -> None:
        self.words = tuple(text.split())
        self.level = level
        self.reason = reason
        self.needs = tuple(needs.split())
        self.bare = bare
        self.rule = rule or "credentials/print"
        self.instead = instead or ADVICE


_B, _A, _W = Level.BLOCK, Level.ASK, Level.WARN
PLANT = "would be started again by the system"
PLANT_ADVICE = "show the person the line, and let them add it"

TABLE: tuple[Telling, ...] = (
    Telling("gh auth token", _B, PRINTS),
    Telling("gh auth status", _B, PRINTS, needs="-t --show-token"),
    Telling("glab auth token", _B, PRINTS),
    Telling("aws sts get-session-token", _B, PRINTS),
    Telling("aws sts assume-role", _B, PRINTS),
    Telling("aws configure export-credentials", _B, PRINTS),
    Telling("aws configure get", _B, PRINTS, needs="aws_secret_access_key aws_session_token"),
    Telling("aws secretsmanager get-secret-value", _B, PRINTS),
    Telling("aws ssm get-parameter", _A, PRINTS, needs="--with-decryption"),
    Telling("aws ssm get-parameters", _A, PRINTS, needs="--with-decryption"),
    Telling("aws ecr get-login-password", _A, PRINTS),
    Telling("gcloud auth print-access-token", _B, PRINTS),
    Telling("gcloud auth print-identity-token", _B, PRINTS),
    Telling("gcloud auth application-default print-access-token", _B, PRINTS),
    Telling("gcloud secrets versions access", _B, PRINTS),
    Telling("az account get-access-token", _B, PRINTS),
    Telling("az keyvault secret show", _B, PRINTS),
    Telling("op read", _B, PRINTS),
    Telling("op item get", _B, PRINTS),
    Telling("op document get", _B, PRINTS),
    Telling("bw get", _B, PRINTS),
    Telling("bw list", _B, PRINTS),
    Telling("bw export", _B, PRINTS),
    Telling("pass show", _B, PRINTS),
    Telling("lpass show", _B, PRINTS),
    Telling("secret-tool lookup", _B, PRINTS),
    Telling("secret-tool search", _B, PRINTS),
    Telling("security find-generic-password", _B, PRINTS),
    Telling("security find-internet-password", _B, PRINTS),
    Telling("security dump-keychain", _B, PRINTS),
    Telling("security export", _B, PRINTS),
    Telling("git credential fill", _B, PRINTS),
    Telling("git credential-store get", _B, PRINTS),
    Telling("git credential-cache get", _B, PRINTS),
    Telling("git credential-osxkeychain get", _B, PRINTS),
    Telling("gpg", _B, PRINTS, needs="--export-secret-keys --export-secret-subkeys --export-secret-key"),
    Telling("gpg2", _B, PRINTS, needs="--export-secret-keys --export-secret-subkeys --export-secret-key"),
    Telling("kubectl get secret", _B, PRINTS, needs="-o -oyaml -ojson --output -o=yaml -o=json --output=yaml --output=json --template"),
    Telling("kubectl get secrets", _B, PRINTS, needs="-o -oyaml -ojson --output -o=yaml -o=json --output=yaml --output=json --template"),
    Telling("kubectl config view", _B, PRINTS, needs="--raw"),
    Telling("kubectl create token", _B, PRINTS),
    Telling("vault read", _B, PRINTS),
    Telling("vault kv get", _B, PRINTS),
    Telling("vault print token", _B, PRINTS),
    Telling("vault token lookup", _B, PRINTS),
    Telling("doppler secrets", _B, PRINTS),
    Telling("infisical secrets", _B, PRINTS),
    Telling("infisical export", _B, PRINTS),
    Telling("heroku config", _A, PRINTS),
    Telling("heroku auth:token", _B, PRINTS),
    Telling("fly auth token", _B, PRINTS),
    Telling("flyctl auth token", _B, PRINTS),
    Telling("vercel env pull", _A, PRINTS),
    Telling("npm token list", _A, PRINTS),
    Telling("cargo login", _A, "stores a token given on the command line"),
    Telling("sops -d", _B, PRINTS),
    Telling("sops --decrypt", _B, PRINTS),
    Telling("sops decrypt", _B, PRINTS),
    Telling("ansible-vault view", _B, PRINTS),
    Telling("ansible-vault decrypt", _B, PRINTS),
    Telling("age -d", _A, "decrypts a file"),
    Telling("snowsql --generate-jwt", _B, PRINTS),
    Telling("at", _A, f"what is scheduled {PLANT}", rule="persistence/at", instead=PLANT_ADVICE),
    Telling("claude", _W, "starts an agent without permission prompts", needs="--dangerously-skip-permissions", rule="agent/unguarded", instead="start it with its prompts on"),
    Telling("codex", _W, "starts an agent without permission prompts", needs="--dangerously-bypass-approvals-and-sandbox --yolo", rule="agent/unguarded", instead="start it with its prompts on"),
    Telling("gemini", _W, "starts an agent without permission prompts", needs="--yolo -y", rule="agent/unguarded", instead="start it with its prompts on"),
    Telling("git config", _W, "git would run programs from there", needs="core.hookspath core.fsmonitor core.sshcommand core.pager core.editor credential.helper", rule="persistence/git", instead="set it for one command with `git -c`"),
)  # fmt: skip

BY_PROGRAM: dict[str, tuple[Telling, ...]] = {}
for _telling in TABLE:
    BY_PROGRAM[_telling.words[0]] = (*BY_PROGRAM.get(_telling.words[0], ()), _telling)

_SECRET_NAMES = ("SECRET", "TOKEN", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "PRIVATE_KEY", "CREDENTIAL", "ACCESS_KEY")
_PUBLIC_SETTERS = frozenset(("export", "declare", "typeset", "set", "readonly", "local"))


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:  # noqa: ARG001 - every check has this shape
    """Findings for commands that print credentials or schedule programs."""
    for action in actions:
        if type(action) is not Run:
            continue
        argv = action.argv
        program = action.program
        if program in BY_PROGRAM:
            low = [word.lower() for word in argv[1:]]
            plain = [word for word in low if word[:1] != "-" or word in ("-d", "--decrypt")]
            for telling in BY_PROGRAM[program]:
                size = len(telling.words) - 1
                if tuple(plain[:size]) != telling.words[1:]:
                    continue
                if telling.needs and not any(word in telling.needs for word in low):
                    continue
                yield Finding(telling.rule, telling.level, _said(action, telling.reason), action=action, instead=telling.instead)
        if program in _SPECIAL:
            found = _SPECIAL[program](action)
            if found is not None:
                yield found


def _said(run: Run, reason: str) -> str:
    return f"`{' '.join(run.argv[:3])[:80]}` {reason}"


def _environment(run: Run) -> Finding | None:
    names = [word for word in run.argv[1:] if word[:1] != "-"]
    if not names:
        return Finding("credentials/environment", Level.WARN, _said(run, DUMPS), action=run, instead=ADVICE)
    if any(secret in name.upper() for name in names for secret in _SECRET_NAMES):
        return Finding("credentials/print", Level.BLOCK, _said(run, PRINTS), action=run, instead=ADVICE)
    return None


def _cron(run: Run) -> Finding | None:
    words = run.argv[1:]
    if "-l" in words or "--help" in words:
        return None
    reason = _said(run, "changes what the system runs by itself")
    return Finding("persistence/cron", Level.BLOCK, reason, action=run, instead=PLANT_ADVICE)


def _npm(run: Run) -> Finding | None:
    text = " ".join(run.argv[1:]).lower()
    if ("config get" in text or text.startswith("get ")) and ("authtoken" in text or "_password" in text or "_auth" in text):
        return Finding("credentials/print", Level.BLOCK, _said(run, PRINTS), action=run, instead=ADVICE)
    return None


def _setters(run: Run) -> Finding | None:
    words = run.argv[1:]
    if not words or words in (("-p",), ("-x",), ("-px",), ("-xp",)):
        return Finding("credentials/environment", Level.WARN, _said(run, DUMPS), action=run, instead=ADVICE)
    path = next((word for word in words if word.startswith("PATH=")), "")
    first = path.removeprefix("PATH=").split(":", 1)[0]
    if first.startswith(("/tmp", "/var/tmp", "/dev/shm", ".")):  # noqa: S108 - these are what it looks for
        reason = f"puts {first} first in PATH, where anybody can place programs"
        return Finding("persistence/path", Level.WARN, reason, action=run, instead="call the program by its full path")
    return None


_SPECIAL = {
    "env": _environment,
    "printenv": _environment,
    "crontab": _cron,
    "npm": _npm,
    "pnpm": _npm,
    "yarn": _npm,
    "export": _setters,
    "declare": _setters,
}
