"""Secrets as they look, and where they are found. Built at run time: no scanner should find one in this file."""

from __future__ import annotations

import string

from hypothesis import strategies as st

ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
WORDY = ALNUM + "_-"
HEX = "0123456789abcdef"
B64 = ALNUM + "+/"


def run(alphabet: str, least: int, most: int | None = None) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most or least)


def after(prefix: str, body: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return body.map(lambda text: prefix + text)


def jwt() -> st.SearchStrategy[str]:
    parts = st.tuples(run(WORDY, 12, 60), run(WORDY, 8, 80), run(WORDY, 20, 60))
    return parts.map(lambda three: f"eyJ{three[0]}.eyJ{three[1]}.{three[2]}")


TOKENS = {
    "aws": st.sampled_from(["AKIA", "ASIA"]).flatmap(lambda head: after(head, run(UPPER, 16))),
    "github": st.sampled_from("pousr").flatmap(lambda kind: after(f"gh{kind}_", run(ALNUM, 36, 80))),
    "github-fine": st.tuples(run(ALNUM, 22), run(ALNUM, 59)).map(lambda two: "github_" + f"pat_{two[0]}_{two[1]}"),
    "gitlab": after("glpat" + "-", run(WORDY, 20, 40)),
    "npm": after("npm" + "_", run(ALNUM, 36)),
    "pypi": after("pypi" + "-AgE", run(WORDY, 70, 150)),
    "openai": st.tuples(run(ALNUM, 40, 44), run(string.digits, 4)).map(lambda two: "sk" + f"-{two[1]}{two[0]}"),
    "openai-project": after("sk" + "-proj-", run(WORDY, 40, 120)),
    "anthropic": after("sk" + "-ant-api03-", run(WORDY, 80, 100)),
    "slack": st.sampled_from("abpors").flatmap(lambda kind: after(f"xox{kind}-", run(ALNUM + "-", 24, 60))),
    "stripe": st.sampled_from(["sk", "rk"]).flatmap(lambda kind: after(f"{kind}_live_", run(ALNUM, 24, 90))),
    "google": after("AI" + "za", run(WORDY, 35)),
    "huggingface": after("hf" + "_", run(ALNUM, 34)),
    "sendgrid": st.tuples(run(WORDY, 22), run(WORDY, 43)).map(lambda two: "SG" + f".{two[0]}.{two[1]}"),
    "digitalocean": st.sampled_from("opr").flatmap(lambda kind: after(f"do{kind}_v1_", run(HEX, 64))),
    "jwt": jwt(),
}
# Around a token: whatever text, as long as it does not run into the token and make it another word.
BEFORE = [
    "",
    " ",
    "echo ",
    "'",
    '"',
    "x=",
    "(",
    "\n",
    "\\n",
    "\\t",
    "url?a=",
    "%3D",
    "[",
    "https://h.example/?q=",
    "é",
    ",",
]
AFTER = ["", " ", "\n", "'", '"', ")", ";", "\\n", "&b=1", " && ls", "]", " é", "|"]

PASSWORD = st.text(ALNUM + "_-+/.!@^*~", min_size=8, max_size=40).filter(
    lambda text: text[0] not in "-/~." and not text.startswith(("x-", "str")) and any(c.isdigit() for c in text)
)
SPACED = st.tuples(PASSWORD, PASSWORD).map(" ".join)
NAMES = [
    "PASSWORD", "password", "DB_PASSWORD", "PGPASSWORD", "MYSQL_ROOT_PASSWORD", "SSHPASS", "SMTP_PASS", "API_KEY",
    "apiKey", "x_api_key", "SECRET", "CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "AUTH_TOKEN", "GITHUB_TOKEN", "token",
    "access_token", "PRIVATE_KEY", "passphrase", "SECRET_KEY_BASE", "DJANGO_SECRET_KEY", "MYSQL_PWD", "TOKEN2",
]  # fmt: skip
FLAGS = [
    "--password",
    "--token",
    "--api-key",
    "--secret",
    "--client-secret",
    "--auth-token",
    "--passphrase",
    "--db-password",
]
# Templates with {s}: the secret has no white space, and stands bare.
BARE = [
    *(f"{name}={{s}}" for name in NAMES),
    *(f"export {name}={{s}}; make" for name in NAMES[:6]),
    *(f"tool {flag} {{s}} run" for flag in FLAGS),
    *(f"tool {flag}={{s}} run" for flag in FLAGS),
    "curl -u bob:{s} https://h.example/",
    "curl --user bob:{s} https://h.example/",
    "curl -sSu bob:{s} https://h.example/",
    "curl -H 'Authorization: Bearer {s}' https://h.example/",
    'curl -H "Authorization: Basic {s}" https://h.example/',
    "curl -H Authorization:{s} https://h.example/",
    "curl -H 'X-Api-Key: {s}' https://h.example/",
    "curl -H 'PRIVATE-TOKEN: {s}' https://h.example/",
    "GET / HTTP/1.1\nAuthorization: token {s}\nHost: h\n",
    "GET / HTTP/1.1\nCookie: sid={s}\nHost: h\n",
    "curl --cookie 'sid={s}' https://h.example/",
    "curl -b sid={s} https://h.example/",
    "sshpass -p {s} ssh h", "sshpass -p{s} ssh h",
    "mysql -u root -p{s} shop",
    "docker login -u bob -p {s} registry.example",
    "redis-cli -h h -a {s} ping",
    "openssl rsa -in k.pem -passin pass:{s}",
    "machine h login bob password {s}",
    "aws configure set aws_secret_access_key {s}",
    "https://h.example/?access_token={s}&page=2",
    "password: {s}\nuser: bob\n",
    "  db_password: {s}  # the old one\n",
    "password = {s}\n",
    "//registry.example/:_authToken={s}",
    "<password>{s}</password>",
    "docker run -e PASSWORD={s} img",
]  # fmt: skip
# Templates with {s}: the secret stands in quotes and may hold spaces.
QUOTED = [
    *(f"{name}='{{s}}' make" for name in NAMES[:8]),
    *(f'{name}="{{s}}" make' for name in NAMES[:8]),
    *(f"tool {flag} '{{s}}' run" for flag in FLAGS),
    *(f'tool {flag}="{{s}}" run' for flag in FLAGS),
    *(f'{{{{"{name}": "{{s}}"}}}}' for name in NAMES),
    *(f"{{{{'{name}': '{{s}}', 'b': 1}}}}" for name in NAMES[:6]),
    'password = "{s}"', "password: '{s}'", 'token := "{s}"', "os.environ['API_TOKEN'] = '{s}'", ":secret => '{s}'",
    'docker run -e "PASSWORD={s}" img', "bash -c \"PASSWORD='{s}' make\"", 'echo "{{\\"password\\": \\"{s}\\"}}" > f',
    "curl -u 'bob:{s}' https://h.example/", 'curl -u "bob:{s}" https://h.example/',
    '{{"Authorization": "Bearer {s}"}}', "headers={{'Cookie': 'sid={s}'}}", 'curl -H "Cookie: a={s}; b=2" https://h/',
    "PASSWORD='{s}", 'PASSWORD="{s}',
]  # fmt: skip
