"""Commands that print secrets, or that plant something, without naming a file: data and one matcher."""

from __future__ import annotations

from bk.engine.model import Finding, Level, Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

PRINTS = "prints credentials"
DUMPS = "prints the whole environment, in which secrets are often kept"
ADVICE = "let the tool use its credentials itself, or ask the person for what you need"


class Telling:
    """A command that is recognised by its first words. `needs`: words of which one must also occur."""

    __slots__ = ("bare", "instead", "level", "needs", "reason", "rule", "words")

    def __init__(
        self,
        text: str,
        level: Level,
        reason: str,
        *,
        needs: str = "",
        bare: bool = False,
        rule: str = "",
        instead: str = "",
    ) -> None:
        self.words = tuple(text.split())
        self.level = level
        self.reason = reason
        self.needs = tuple(needs.split())
        self.bare = bare
        self.rule = rule or "credentials/print"
        self.instead = instead or ADVICE


PLANT_ADVICE = "show the person the line, and let them add it"

# One line a command that prints credentials: level, first words, and after a colon the words of which it takes one.
_PRINTING = """
block gh auth token
block gh auth status : -t --show-token
block glab auth token
block aws sts get-session-token
block aws sts assume-role
block aws configure export-credentials
block aws configure get : aws_secret_access_key aws_session_token
ask aws secretsmanager get-secret-value
ask aws ssm get-parameter : --with-decryption
ask aws ssm get-parameters : --with-decryption
ask aws ecr get-login-password
ask gcloud auth print-access-token
ask gcloud auth print-identity-token
ask gcloud auth application-default print-access-token
ask gcloud secrets versions access
ask az account get-access-token
ask az keyvault secret show
block op read
ask op item get
ask op document get
block bw get
block bw list
block bw export
block pass show
block lpass show
block secret-tool lookup
block secret-tool search
block security find-generic-password : -w -g
block security find-internet-password : -w -g
block security dump-keychain : -d
ask security dump-keychain
block security export
block git credential fill
block git credential-store get
block git credential-cache get
block git credential-osxkeychain get
block gpg : --export-secret-keys --export-secret-subkeys --export-secret-key
block gpg2 : --export-secret-keys --export-secret-subkeys --export-secret-key
block kubectl get secret : -o -oyaml -ojson --output -o=yaml -o=json --output=yaml --output=json --template
block kubectl get secrets : -o -oyaml -ojson --output -o=yaml -o=json --output=yaml --output=json --template
block kubectl config view : --raw
ask kubectl create token
block vault read
ask vault kv get
block vault print token
ask doppler secrets
ask infisical secrets
block infisical export
ask heroku config
block heroku auth:token
block fly auth token
block flyctl auth token
ask vercel env pull
ask npm token list
block sops -d
block sops --decrypt
block sops decrypt
block ansible-vault view
block ansible-vault decrypt
block snowsql --generate-jwt
"""


def _printing() -> Iterator[Telling]:
    for line in _PRINTING.strip().splitlines():
        words, _, needs = line.partition(" : ")
        level, _, text = words.partition(" ")
        yield Telling(text, Level.of(level), PRINTS, needs=needs)


GIT_RUNS = "core.hookspath core.fsmonitor core.sshcommand core.pager core.editor credential.helper"
UNGUARDED = "starts an agent without permission prompts"
PROMPTS_ON = "start it with its prompts on"
TABLE: tuple[Telling, ...] = (
    *_printing(),
    Telling("age -d", Level.ASK, "decrypts a file"),
    Telling("at", Level.ASK, "plants a program that is run later", rule="persistence/at", instead=PLANT_ADVICE),
    Telling(
        "claude",
        Level.WARN,
        UNGUARDED,
        needs="--dangerously-skip-permissions",
        rule="agent/unguarded",
        instead=PROMPTS_ON,
    ),
    Telling(
        "codex",
        Level.WARN,
        UNGUARDED,
        needs="--dangerously-bypass-approvals-and-sandbox --yolo",
        rule="agent/unguarded",
        instead=PROMPTS_ON,
    ),
    Telling("gemini", Level.WARN, UNGUARDED, needs="--yolo -y", rule="agent/unguarded", instead=PROMPTS_ON),
    Telling(
        "git config",
        Level.WARN,
        "makes git run programs",
        needs=GIT_RUNS,
        rule="persistence/git",
        instead="set it for one command with `git -c`",
    ),
)

BY_PROGRAM: dict[str, tuple[Telling, ...]] = {}
for _telling in TABLE:
    BY_PROGRAM[_telling.words[0]] = (*BY_PROGRAM.get(_telling.words[0], ()), _telling)

_SECRET_NAMES = (
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "ACCESS_KEY",
)
# Programs that show all of what they are given, in one form or another.
_PASSES = names(
    "cat tee head tail less more nl tac rev fold fmt pr sort uniq base64 base32 xxd od hexdump echo printf tr"
    " column env sh bash dash zsh ksh xargs nice nohup timeout stdbuf"
)
_SAYS = frozenset(("echo", "printf"))
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
                yield Finding(
                    telling.rule, telling.level, _said(action, telling.reason), action=action, instead=telling.instead
                )
        if program in _SPECIAL:
            found = _SPECIAL[program](action)
            if found is not None:
                if found.rule == "credentials/environment" and _shown(action, actions):
                    found.level = Level.ASK
                yield found
        elif program in _SAYS and action.takes and _shown(action, actions):
            name = next((one[4:] for one in action.takes if one[:4] == "env:" and _secret(one[4:])), "")
            if name:
                reason = f"shows ${name[:60]}, which is a credential by its name"
                yield Finding("credentials/print", Level.ASK, reason, action=action, instead=ADVICE)


def _shown(run: Run, actions: Sequence[Action]) -> bool:
    """Whether what a command prints is seen: not handed to a program that uses or narrows it, nor put into a file."""
    mark = f"run:{run.program.lower()}"
    takers = [action for action in actions if action is not run and mark in action.takes]
    return all(type(taker) is Run and taker.program.lower() in _PASSES for taker in takers)


def _secret(name: str) -> bool:
    upper = name.upper()
    return any(secret in upper for secret in _SECRET_NAMES)


def _said(run: Run, reason: str) -> str:
    return f"`{' '.join(run.argv[:3])[:80]}` {reason}"


def _environment(run: Run) -> Finding | None:
    asked = [word for word in run.argv[1:] if word[:1] != "-"]
    if not asked:
        return Finding("credentials/environment", Level.WARN, _said(run, DUMPS), action=run, instead=ADVICE)
    if any(map(_secret, asked)):
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
    if ("config get" in text or text.startswith("get ")) and (
        "authtoken" in text or "_password" in text or "_auth" in text
    ):
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
