"""What holds no secret is kept as it was: a record that hides ordinary work cannot be reviewed."""

from __future__ import annotations

import string
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bk.engine.ledger.redact import redactor

redact = redactor(())

ORDINARY = [
    'git commit -m "token bucket"',
    "git log 1f0c3a5b9d7e2f4a6c8b0d1e3f5a7b9c1d3e5f70 -- src/auth/token.py",
    "git push -u origin HEAD:refs/heads/main",
    "docker run -u 1000:1000 --rm img",
    "rsync -u host:/srv/data ./data",
    "pip install token-bucket==1.0 passlib secretstorage keyring",
    "npm config get registry && npm run test:password",
    "cat /run/secrets/db_password",
    "ls ~/.ssh && cat keys/README",
    "MAX_TOKENS=4096 python train.py --max-tokens 100 --tokenizer gpt",
    "PWD=/home/dev OLDPWD=/tmp make",
    "PASSWORD=$(cat /run/secrets/p) make",
    "PASSWORD=$PASSWORD TOKEN=${TOKEN} make",
    'curl -H "Authorization: Bearer $TOKEN" https://h.example/',
    "read -s -p \"Password: \" pw; echo 'x'",
    "token=os.environ['X']",
    "def check(password: str, token: str) -> None:",
    "api_key=settings.API_KEY",
    "the password must be long; a token is not a secret key",
    "ssh://git@host.example:22/repo.git",
    "http://localhost:8080/@scope/pkg",
    "https://h.example:443/a@b",
    "curl -b cookies.txt -c cookies.txt https://h.example/",
    "grep -rn 'Authorization' src | head",
    "eyJhbGciOiJIUzI1NiJ9 is a header",
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "disk-usage-report-2024-01-01-full-listing",
    "class Task-runner-with-a-long-name-1234567890",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
    "bearer of bad news",
    "sort --key=2 file; awk -F: '{print $1}' /etc/passwd",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_kept(text: str) -> None:
    assert redact(text) == text


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=12), max_size=30))
def test_prose_is_kept(words: list[str]) -> None:
    text = " ".join(words)
    assert redact(text) == text


@settings(max_examples=100, deadline=None)
@given(path=st.lists(st.text(string.ascii_letters + string.digits + "._", min_size=1, max_size=12), min_size=1))
def test_paths_are_kept(path: list[str]) -> None:
    text = "/" + "/".join(part for part in path if "hf_" not in part)
    assert redact(f"cat {text}") == f"cat {text}"


@settings(max_examples=100, deadline=None)
@given(number=st.uuids(), digest=st.binary(min_size=20, max_size=64))
def test_hashes_and_uuids_are_kept(number: uuid.UUID, digest: bytes) -> None:
    text = f"checkout {digest.hex()} # {number} sha256:{digest.hex()}"
    assert redact(text) == text


def test_values_that_are_not_text_are_kept() -> None:
    value = {"a": [1, 2.5, True, None, -3], "password": None, "token": 42, "has_password": True, "max_tokens": 100}
    assert redact(value) == value


def test_the_given_value_is_not_changed() -> None:
    value = {"password": "x y", "list": [{"token": "abc"}]}
    redact(value)
    assert value == {"password": "x y", "list": [{"token": "abc"}]}
