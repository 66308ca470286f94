"""What data is worth, by where it comes from (`Action.takes`), and by what kind of pipe it leaves."""

from __future__ import annotations

import re

from bk.engine.checks.hosts import owner
from bk.engine.checks.patterns import Pattern
from bk.engine.checks.places import WILD, below, exempt, hits, split
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.model import Connect, Run

NOTHING, FILE, MANY, SECRET = 0, 1, 2, 3

SHELLS = names("sh bash zsh dash ksh mksh ash fish rbash yash oksh csh tcsh busybox pwsh powershell cmd")
INTERPRETERS = names(
    "python pypy node nodejs bun deno perl ruby php lua luajit tclsh awk gawk mawk nawk osascript rscript julia groovy"
    " guile elixir"
)
EVALUATORS = names("eval source . iex invoke-expression")
CODE_OPTIONS = names("-c -e -E -r -p --eval --print -command -Command -EncodedCommand -enc")
RAW = names("nc ncat netcat nc.openbsd nc.traditional socat telnet netpipes pwncat cryptcat openssl")
_SECRET_KINDS = names(
    "secret-store credential-file user-credential env-file maybe-secret key-file history system-secret policy"
)
_KEY_FOLDERS = names(
    "certs cert certificates keys key secrets secret private ssl tls pki credentials creds tokens vault keystore"
    " keystores wallets .ssh .aws .gnupg .kube .docker passwords"
)
_SECRET_FILE = Pattern(
    r"(?:^|[._-])(?:credentials?|secrets?|tokens?|passwords?|passwd|apikeys?|api[_-]keys?|private[_-]?key)(?:[._-]|$)"
)
_PUBLIC_FILE = Pattern(
    r"\.pub$|\.crt$|(?:^|[._-])(?:cert|chain|fullchain|ca|cacert|public|pub)[._-].*pem$|\.py$|\.[jt]sx?$"
)
_SECRET_WORDS = names(
    "SECRET SECRETS TOKEN TOKENS PASSWORD PASSWD PASSPHRASE PASS APIKEY CREDENTIAL CREDENTIALS PAT DSN AUTH JWT COOKIE"
)
_PLAIN_ENDS = names(
    "URL URI PATH FILE NAME DIR SOCK TTL TYPE LENGTH COUNT PORT HOST USER EXPIRY VERSION ENDPOINT ISSUER"
)
_WITH_PASSWORD = names(
    "DATABASE_URL DATABASE_URI DB_URL REDIS_URL MONGO_URL MONGO_URI MONGODB_URI AMQP_URL POSTGRES_URL MYSQL_URL"
    " CONNECTION_STRING AWS_ACCESS_KEY_ID SLACK_WEBHOOK_URL"
)
_KEY_BEFORE = names(
    "API SECRET ACCESS PRIVATE ENCRYPTION SIGNING MASTER SSH DEPLOY SERVICE AUTH ACCOUNT STORAGE LICENSE ROLE ADMIN"
)
# Words in the name of a secret, and the label under which the service that issued it is registered.
_ISSUERS = {
    "gh": "github",
    "glab": "gitlab",
    "gcloud": "googleapis",
    "gcp": "googleapis",
    "google": "googleapis",
    "gemini": "googleapis",
    "az": "azure",
    "aws": "amazonaws",
    "cf": "cloudflare",
    "hf": "huggingface",
    "do": "digitalocean",
    "claude": "anthropic",
    "tf": "terraform",
    "dd": "datadoghq",
    "datadog": "datadoghq",
    "linear": "linear",
    "codecov": "codecov",
    "atlassian": "atlassian",
    "jira": "atlassian",
}
# Services with one owner, to which people send tokens that bear no name of theirs.
SERVICES = names(
    "github gitlab bitbucket openai anthropic stripe slack cloudflare digitalocean heroku vercel netlify sentry"
    " datadoghq atlassian linear notion figma huggingface circleci twilio sendgrid mailgun pagerduty newrelic"
    " grafana fastly okta auth0 zoom asana trello intercom hubspot shopify paypal squareup supabase planetscale"
    " openrouter mistral groq cohere replicate deepseek perplexity elevenlabs algolia mapbox contentful"
)
_SIFTERS = names("grep egrep fgrep rg ripgrep ag ack find fd ls tree du wc stat file")
_TALKS = names("echo printf cat yes true date : seq pv tee head tail sleep")


def base(run: Run) -> str:
    """A program's name without version and ending: `python3.12` is `python`."""
    name = run.program.lower().removesuffix(".exe")
    return name if name in SHELLS else name.rstrip("0123456789.") or name


class Source:
    """One origin, what it is worth, and how it is told to people."""

    __slots__ = ("origin", "weight", "words")

    def __init__(self, origin: str, weight: int, words: str) -> None:
        self.origin = origin
        self.weight = weight
        self.words = words


def heaviest(takes: Iterable[str], home: Sequence[str]) -> Source | None:
    """The most valuable of several origins; the first of equals."""
    best: Source | None = None
    for origin in takes:
        weight, words = _weigh(origin, home)
        if weight and (best is None or weight > best.weight):
            best = Source(origin, weight, words)
    return best


def secrets(takes: Sequence[str], home: Sequence[str]) -> list[Source]:
    """Every origin that is a secret. A search through a large tree shows some of it, and mostly not its keys."""
    weighed = ((origin, *_weigh(origin, home)) for origin in takes)
    found = [Source(origin, weight, words) for origin, weight, words in weighed if weight == SECRET]
    if found and any(one[:4] == "run:" and one[4:] in _SIFTERS for one in takes):
        return [one for one in found if not one.origin.startswith("tree:") or _named(one.origin[5:], home)]
    return found


def _weigh(origin: str, home: Sequence[str]) -> tuple[int, str]:
    kind, colon, rest = origin.partition(":")
    if kind == "file":
        return _file(rest, home)
    if kind == "tree":
        return _tree(rest, home)
    if kind == "env" and colon:
        if rest == "*":
            return SECRET, "the whole environment"
        return (SECRET, f"${rest}") if secret_name(rest) else (NOTHING, "")
    if kind == "secret" and colon:
        return SECRET, f"what `{rest}` prints"
    return NOTHING, ""


def _file(path: str, home: Sequence[str]) -> tuple[int, str]:
    if path.startswith(("/dev/fd/", "/dev/std", "/proc/self/fd/")):
        return NOTHING, ""
    if not path.startswith("/") or path.startswith("/**"):
        return MANY, "a file that cannot be known before"
    return (SECRET, path) if _sensitive(path, home) else (FILE, path)


def _tree(path: str, home: Sequence[str]) -> tuple[int, str]:
    parts = split(path)
    while len(parts) > 1 and not parts[-1].strip("*?."):
        parts.pop()
    if _named(path, home):
        return SECRET, path
    where = below(parts, home)
    return (MANY, f"all of {path}") if where is None else (SECRET, f"all of {path}, with {where.name} in it")


def _named(path: str, home: Sequence[str]) -> bool:
    """Whether a tree is itself one of secrets."""
    return path.lower().rstrip("/*").rpartition("/")[2] in _KEY_FOLDERS or _sensitive(path, home)


def _sensitive(path: str, home: Sequence[str]) -> bool:
    parts = split(path)
    base = parts[-1]
    if exempt(base) or _PUBLIC_FILE.re.search(base):
        return False
    if any(hit.place.kind.name in _SECRET_KINDS for hit in hits(parts, home, glob=WILD.search(path) is not None)):
        return True
    if _SECRET_FILE.re.search(base) is not None:
        return True
    return (
        len(parts) > 1 and parts[-2] in _KEY_FOLDERS and (not base.strip("*?") or base.startswith(("id_", "server.")))
    )


def secret_name(name: str) -> bool:
    """Whether a variable of this name is likely to hold a credential."""
    upper = name.upper()
    if upper in _WITH_PASSWORD:
        return True
    words = upper.split("_")
    if words[-1] in _PLAIN_ENDS or "PUBLIC" in words:
        return upper.endswith(("DATABASE_URL", "CONNECTION_STRING"))
    if not _SECRET_WORDS.isdisjoint(words):
        return "SSH_AUTH" not in upper
    return len(words) > 1 and words[-1] in ("KEY", "KEYS") and not _KEY_BEFORE.isdisjoint(words)


def issued_by(source: Source, host: str) -> bool:
    """Whether a secret goes to the very service that issued it, which is what it is for."""
    label = owner(host)
    kind, _, rest = source.origin.partition(":")
    if not label or kind not in ("env", "secret"):
        return False
    words = re.split(r"[^a-z0-9]+", rest.lower())
    return any((len(word) > 3 and word == label) or _ISSUERS.get(word) == label for word in words)


def unnamed(source: Source) -> bool:
    """Whether a variable's name tells no issuer at all: `$TOKEN`, `$API_KEY`."""
    kind, _, rest = source.origin.partition(":")
    words = rest.lower().split("_")
    return kind == "env" and rest != "*" and not any(word in _ISSUERS or word in SERVICES for word in words)


def raw(action: Connect, run: Run | None) -> bool:
    """Whether the connection is a bare socket, in which nothing says who may read what arrives."""
    if action.url.startswith(("/dev/tcp/", "/dev/udp/")):
        return True
    if run is None or run.program not in RAW:
        return False
    return run.program != "openssl" or "s_client" in run.argv


def produced(takes: Iterable[str]) -> str:
    """A program whose output is more than plain text it was given; "" for none."""
    return next((one[4:] for one in takes if one[:4] == "run:" and one[4:] not in _TALKS), "")
