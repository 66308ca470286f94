"""Secrets that give themselves away by their shape: provider tokens, JWTs, private keys, passwords inside URLs.

Every pattern is linear: it starts with a literal, its repeats are possessive or bounded, and it either consumes what
it scanned or can only have scanned a bounded stretch. Patterns compile on first use, because a cold call pays for each.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# A token may follow an escaped newline (`\n` as two characters) or a percent escape, whose last letter is no boundary.
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
_W = r"[A-Za-z0-9_-]"
_A = r"[A-Za-z0-9]"

# (kind, literals of which one must occur in the lower-cased text, pattern)
TOKENS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("aws-key", ("akia", "asia", "abia", "acca"), r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    ("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_" + _A + r"{30,}+"),
    ("github-token", ("github_pat_",), r"github_pat_\w{22,}+"),
    (
        "gitlab-token",
        ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-"),
        r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-" + _W + r"{20,}+(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?",
    ),
    ("npm-token", ("npm_",), r"npm_" + _A + r"{36,}+"),
    ("pypi-token", ("pypi-",), r"pypi-(?=AgE|" + _W + r"{60})" + _W + r"{16,}+"),
    ("anthropic-key", ("sk-ant-",), r"sk-ant-" + _W + r"{16,}+"),
    (
        "openai-key",
        ("sk-",),
        _START + r"sk-(?!ant-)(?:(?:proj|svcacct|admin|None|or-v1)-" + _W + r"{16,}+"
        r"|(?=[A-Za-z_-]{0,48}[0-9])" + _W + r"{20,}+)",
    ),
    ("slack-token", ("xox", "xapp-"), r"(?:xox[abcdeoprs]|xapp)-" + r"[A-Za-z0-9.-]{10,}+"),
    ("slack-webhook", ("hooks.slack.com",), r"(?<=hooks\.slack\.com/)(?:services|workflows)/[A-Za-z0-9/_-]{12,}+"),
    (
        "stripe-key",
        ("sk_live_", "rk_live_", "sk_test_", "rk_test_", "whsec_"),
        r"(?:[sr]k_(?:live|test)|whsec)_" + _A + r"{16,}+",
    ),
    ("google-key", ("aiza",), r"AIza" + _W + r"{35,}+"),
    ("google-key", ("gocspx-",), r"GOCSPX-" + _W + r"{20,}+"),
    ("google-token", ("ya29.",), _START + r"ya29\." + _W + r"{20,}+"),
    ("huggingface-token", ("hf_",), _START + r"hf_" + _A + r"{30,}+"),
    ("sendgrid-key", ("sg.",), _START + r"SG\." + _W + r"{16,64}+\." + _W + r"{16,}+"),
    ("digitalocean-token", ("_v1_",), r"do[opr]_v1_[a-f0-9]{64}"),
    ("bk-seal-key", ("bkseal1:",), r"bkseal1:[0-9a-f]{1,64}:\d{1,12}:\d{1,18}:[0-9a-f]{32,}+(?::[0-9a-f]{8})?"),
    ("vault-token", ("hvs.", "hvb.", "hvr."), _START + r"hv[sbr]\." + _W + r"{24,}+"),
    ("docker-token", ("dckr_pat_",), r"dckr_pat_" + _W + r"{20,}+"),
    ("databricks-token", ("dapi",), _START + r"dapi[0-9a-f]{32}(?:-\d)?"),
    ("shopify-token", ("shpat_", "shpca_", "shppa_", "shpss_"), r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("cargo-token", ("cio",), _START + r"cio" + _A + r"{32}(?!" + _A + r")"),
    ("rubygems-key", ("rubygems_",), r"rubygems_[a-f0-9]{48}"),
    ("age-key", ("age-secret-key-",), r"AGE-SECRET-KEY-1[A-Z0-9]{40,}+"),
    ("azure-key", ("accountkey=",), r"(?i:(?<=AccountKey=))[A-Za-z0-9+/]{40,}+={0,2}"),
    ("telegram-token", (":aa",), _START + r"\d{8,10}:AA" + _W + r"{33}"),
    (
        "api-token",
        (
            "glsa_",
            "gsk_",
            "xai-",
            "pplx-",
            "lin_api_",
            "sntrys_",
            "tskey-",
            "pscale_tkn_",
            "atatt3",
            "nrak-",
            "pmak-",
            "dp.pt.",
        ),
        _START + r"(?:(?:glsa_|gsk_|xai-|pplx-|lin_api_|tskey-|pscale_tkn_|ATATT3|NRAK-|PMAK-|dp\.pt\.)"
        r"[A-Za-z0-9_=.+-]{20,}+|sntrys_[A-Za-z0-9_=.+/-]{40,}+)",
    ),
)

_compiled: dict[str, re.Pattern[str]] = {}


def pattern(source: str) -> re.Pattern[str]:
    """The compiled form, made once and only when a text needs it."""
    found = _compiled.get(source)
    if found is None:
        found = _compiled[source] = re.compile(source)
    return found


def mark(kind: str) -> str:
    """What stands where a secret was."""
    return f"[REDACTED:{kind}]"


def maybe_token(low: str) -> bool:
    """Whether any literal of TOKENS could occur: in one expression, because a loop over them costs five times more."""
    return (
        ("_" in low
         and ("gh" in low or "hub_" in low or "npm_" in low or "k_" in low or "sec_" in low or "hf_" in low
              or "_v1_" in low or "dckr" in low or "shp" in low or "rubyg" in low or "lsa_" in low or "lin_" in low
              or "pscale" in low))
        or ("-" in low
            and ("gl" in low or "pypi-" in low or "sk-" in low or "xapp-" in low or "gocspx-" in low
                 or "age-sec" in low or "xai-" in low or "pplx-" in low or "tskey" in low or "nrak-" in low
                 or "pmak-" in low))
        or ("." in low
            and ("hooks.sl" in low or "ya29." in low or "sg." in low or "hv" in low or "dp.pt." in low))
        or "kia" in low or "asia" in low or "abia" in low or "acca" in low or "xox" in low or "aiza" in low
        or "dapi" in low or "cio" in low or "accountk" in low or ":aa" in low or "sntrys" in low or "atatt3" in low
        or "bkseal" in low
    )  # fmt: skip


def tokens(text: str, low: str) -> str:
    """The text without provider tokens; `low` is its lower-cased form, for the cheap tests."""
    for kind, literals, source in TOKENS:
        for literal in literals:
            if literal in low:
                text = pattern(source).sub(mark(kind), text)
                break
    return text


# One run of dotted words: starting only at a run's first character is what keeps this linear.
_DOTTED = r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_-]*+(?:\.[A-Za-z0-9_-]++)++\.?"
_JWT = r"eyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,3}\Z"


def jwts(text: str) -> str:
    """The text without JSON web tokens (`eyJ….eyJ….…`)."""

    def hide(found: re.Match[str]) -> str:
        run = found.group()
        at = run.find("eyJ")
        while at >= 0:
            dot = run.find(".", at)
            if dot < 0:
                return run
            if dot - at >= 8 and run.startswith("eyJ", dot + 1):
                return run[:at] + mark("jwt")
            at = run.find("eyJ", dot)
        return run

    return pattern(_DOTTED).sub(hide, text)


_BEGIN = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
# What may stand between two lines of key text: white space, escapes, quoting, diff and line-number margins. Shell
# separators are left out, so that a planted header cannot hide the command after it.
_BETWEEN = r"(?:\\{1,4}[nrt]|[\s\"'`+,>|:#*→\\.-]){1,24}?(?:\d{1,6}[\s→|:]{1,8})?"
_HEADER = r"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID|Subject): ?[^\n\\]{0,200}"
_LAST = r"[A-Za-z0-9+/=]{1,76}(?=(?:\\{1,4}[nrt]|[\s\"'`\\,+]){0,16}(?:-{1,5}|\Z))"
_END = (
    r"(?:\\{1,4}[nrt]|[\s\"'`+,>|:#*→\\.]){0,24}?(?:\d{1,6}[\s→|:]{1,8})?"
    r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
)
_PRIVATE = (
    _BEGIN + r"(?>(?:" + _BETWEEN + r")?(?:" + _HEADER + r"|[A-Za-z0-9+/=]{20,}+|=[A-Za-z0-9+/]{4}))*+"
    r"(?:(?:" + _BETWEEN + r")?" + _LAST + r")?(?:" + _END + r")?"
)


def private_keys(text: str) -> str:
    """The text without private key blocks, whole or cut off."""
    return pattern(_PRIVATE).sub(mark("private-key"), text)


_USERINFO = r"(?<=://)(?!\[REDACTED:)([^\s/?#\"'<>@:]{0,256}):(?!\d{1,5}[/?#])([^\s/\"'<>]+)@"
_USERTOKEN = r"(?<=https://)(?=[A-Za-z_-]{0,40}[0-9])[A-Za-z0-9_-]{20,255}(?=@)"
_REFERENCE = r"\$\{?\w+\}?|\$\(.*\)|\{\{.*\}\}|%\w+%"


def url_passwords(text: str) -> str:
    """The text without the passwords (and bare tokens) that stand before the host of a URL."""

    def hide(found: re.Match[str]) -> str:
        user, secret = found.groups()
        return found.group() if settled(secret) else f"{user}:{mark('password')}@"

    text = pattern(_USERINFO).sub(hide, text)
    return pattern(_USERTOKEN).sub(mark("token"), text)


def settled(value: str) -> bool:
    """Whether a value holds no secret: it is empty, already redacted, or only names a variable."""
    if not value:
        return True
    if len(value) > 256 or value[0] not in "[${%":
        return False
    return bool(pattern(r"\[REDACTED:[a-z0-9-]+\]").fullmatch(value) or pattern(_REFERENCE).fullmatch(value))


SHAPES: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
    (("private key",), private_keys),
    (("eyj",), jwts),
    (("://",), url_passwords),
)
