"""Where a source is asked: only there, only proven, its token nowhere else, through no proxy but the one set."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.client import Web
from bk.engine.provenance import PinnedOrigin, Unproven
from tests.feeds.proxy import Proxy
from tests.feeds.server import FeedServer

from .webbing import MAX, failure, feed, folder, got, web

__all__ = ["feed", "folder"]

TOKEN = "sk-secret-0123456789"


def other_name(feed: FeedServer) -> str:
    return f"127.0.0.1:{feed.port}"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_inside_the_pinned_hosts_is_followed(feed: FeedServer, folder: Path, code: int) -> None:
    feed.serve("/deep/y.json", b"[1]", etag="a")
    feed.redirect("/x.json", "deep/y.json", code)
    assert got(feed, folder).provenance == PinnedOrigin(feed.host)
    assert not got(feed, folder).changed
    assert feed.requests[-1].headers["if-none-match"] == '"a"'


def test_a_redirect_anywhere_else_is_not(feed: FeedServer, folder: Path) -> None:
    with FeedServer() as other, FeedServer(tls=False) as plain:
        for place in (
            other.url("/x.json"),
            f"https://{other_name(feed)}/y.json",
            plain.url("/x.json"),
            feed.url("/y.json").replace("https:", "http:"),
            "//elsewhere.example/y.json",
            f"https://{feed.host}@elsewhere.example/y.json",
            f"https://user:word@{feed.host}/y.json",
            f"https://{feed.host}\\@elsewhere.example/y.json",
            "file:///etc/passwd",
            "https://[::1/",
            "https://localhost:99999999/",
            "javascript:1",
            "/y .json",
            "/\x1b]0;y.json",
            "",
        ):
            feed.redirect("/x.json", place)
            problem = failure(lambda: got(feed, folder))
            assert problem.kind == "redirect", (place, problem.detail)
            assert problem.detail.isprintable()
            with web(feed, folder) as asked:
                assert failure(lambda: asked.read(feed.url("/x.json"), max_bytes=MAX)).kind == "redirect"
        assert (other.connections, plain.connections) == (0, 0)
    assert {seen.path for seen in feed.requests} == {"/x.json"}
    assert os.listdir(folder) == []


def test_redirects_end(feed: FeedServer, folder: Path) -> None:
    feed.serve("/4", b"[1]")
    for step in range(4):
        feed.redirect(f"/{step}", f"/{step + 1}")
    assert got(feed, folder, "/1").size == 3
    assert failure(lambda: got(feed, folder, "/0")).kind == "redirect"
    feed.redirect("/loop", "/loop")
    assert failure(lambda: got(feed, folder, "/loop")).kind == "redirect"
    assert len(feed.asked("/loop")) == 4


def test_a_question_is_not_sent_on(feed: FeedServer, folder: Path) -> None:
    feed.answer("/there", lambda _: b"{}")
    feed.redirect("/ask", "/there", 307)
    with web(feed, folder) as asked:
        assert failure(lambda: asked.post(feed.url("/ask"), {}, max_bytes=MAX)).kind == "redirect"
    assert not feed.asked("/there")


def test_the_token_goes_to_its_hosts_and_not_over_a_redirect(feed: FeedServer, folder: Path) -> None:
    more = {"hosts": [feed.host, other_name(feed)], "token": TOKEN, "token_hosts": [feed.host]}
    feed.serve("/y.json", b"[1]")
    feed.redirect("/x.json", f"https://{other_name(feed)}/y.json")
    assert got(feed, folder, **more).provenance == PinnedOrigin(other_name(feed))
    first, second = feed.requests
    assert first.headers["authorization"] == f"Bearer {TOKEN}"
    assert second.headers["host"] == other_name(feed)
    assert TOKEN not in str(second)
    feed.serve("/x.json", b"[1]", token=TOKEN)
    assert got(feed, folder, **more).size == 3
    assert failure(lambda: got(feed, folder)).detail.endswith("401")
    with web(feed, folder, **more) as asked:
        asked.post(feed.url("/x.json"), {}, max_bytes=MAX)
        assert TOKEN in str(feed.requests[-1])
        asked.read(f"https://{other_name(feed)}/y.json", max_bytes=MAX)
        assert TOKEN not in str(feed.requests[-1])


def test_the_token_never_goes_to_a_mirror_or_in_the_clear(folder: Path) -> None:
    with FeedServer() as mirror, FeedServer(tls=False) as plain:
        for server in (mirror, plain):
            server.serve("/x.json", b"[1]")
            got(server, folder, token=TOKEN, token_hosts=["api.example", plain.host], base=server.url("/"))
            assert TOKEN not in str(server.requests)


def test_a_token_that_is_no_header_is_not_repeated_in_the_error(feed: FeedServer, folder: Path) -> None:
    for token in (f"{TOKEN}\r\nHost: elsewhere", f"{TOKEN}\u2603"):
        problem = failure(lambda token=token: got(feed, folder, token=token, token_hosts=[feed.host]))
        assert problem.kind == "encoding"
        assert TOKEN not in problem.detail
        assert problem.__cause__ is None
    assert not feed.requests


@pytest.mark.parametrize("certificate", ["self-signed", "expired", "wrong-name"])
def test_who_cannot_prove_itself_is_told_nothing(folder: Path, certificate: str) -> None:
    with FeedServer(certificate=certificate) as feed:
        feed.serve("/x.json", b"[1]")
        problem = failure(lambda: got(feed, folder, token=TOKEN, token_hosts=[feed.host]))
        assert problem.kind == "tls"
        assert "could not prove itself" in problem.detail
        assert not feed.requests


def test_the_usual_authorities_do_not_vouch_for_a_private_one(feed: FeedServer, folder: Path, tmp_path: Path) -> None:
    feed.serve("/x.json", b"[1]")
    assert failure(lambda: got(feed, folder, ca_file="")).kind == "tls"
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for ca_file in (str(empty), str(tmp_path / "missing.pem"), str(tmp_path)):
        assert failure(lambda ca_file=ca_file: got(feed, folder, ca_file=ca_file)).kind == "tls"
    assert not feed.requests


def test_a_server_without_tls_is_not_spoken_to(folder: Path) -> None:
    with FeedServer(tls=False) as plain, FeedServer() as trusted:
        url = plain.url("/x.json").replace("http:", "https:")
        with Web(str(folder), [plain.host], ca_file=trusted.ca_file) as asked:
            assert failure(lambda: asked.read(url, max_bytes=MAX)).kind == "tls"
        assert not plain.requests


@pytest.mark.parametrize("url", ["", "x", "http://api.osv.dev/x", "https://api.osv.dev:444/x", "https://osv.dev/x"])
def test_another_place_is_refused_before_anything_is_sent(tmp_path: Path, url: str) -> None:
    with Web(str(tmp_path), ["api.osv.dev"], proxy="http://127.0.0.1:1") as asked:
        assert failure(lambda: asked.read(url, max_bytes=9)).kind == "redirect"
        assert failure(lambda: asked.read("https://API.osv.dev:443/x", max_bytes=9)).kind == "proxy"


def test_nobody_listening(folder: Path, feed: FeedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        host = f"localhost:{gone.getsockname()[1]}"
    with web(feed, folder, hosts=[host]) as asked:
        problem = failure(lambda: asked.read(f"https://{host}/", max_bytes=9))
    assert (problem.kind, "refused" in problem.detail) == ("offline", True)


def test_a_name_that_cannot_be_looked_up(folder: Path, feed: FeedServer) -> None:
    host = f"{'a' * 64}.example"
    with web(feed, folder, hosts=[host]) as asked:
        assert failure(lambda: asked.read(f"https://{host}/", max_bytes=9)).kind == "offline"


OFFLINE = """
import sys
from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.client import Web
for host in ("api.osv.dev", "192.0.2.1"):
    with Web(sys.argv[1], [host], deadline_s=10) as web:
        try:
            web.read(f"https://{host}/", max_bytes=9)
        except FeedError as error:
            print(error.kind)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs network namespaces")
def test_a_machine_without_a_network(tmp_path: Path) -> None:
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", OFFLINE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["offline", "offline"]


def test_the_proxy_that_is_set_is_used_and_sees_nothing_of_it(feed: FeedServer, folder: Path) -> None:
    feed.serve("/x.json", b"[1]")
    with Proxy() as proxy:
        answer = got(feed, folder, proxy=proxy.url("me:a%20word"), token=TOKEN, token_hosts=[feed.host])
    assert answer.provenance == PinnedOrigin(feed.host)
    [asked] = proxy.asked
    assert asked.startswith(f"CONNECT {feed.host} HTTP/1.1\r\n")
    word = base64.b64encode(b"me:a word").decode()
    assert f"Proxy-Authorization: Basic {word}\r\n" in asked
    assert TOKEN not in asked
    assert "proxy-authorization" not in feed.requests[0].headers


def test_without_tls_the_proxy_relays(folder: Path) -> None:
    with FeedServer(tls=False) as feed, Proxy() as proxy:
        feed.serve("/x.json", b"[1]")
        answer = got(feed, folder, "/x.json?a=1", proxy=proxy.url(), base=feed.url("/"))
        assert answer.provenance == Unproven(feed.host)
        assert proxy.asked[0].startswith(f"GET {feed.url('/x.json?a=1')} HTTP/1.1\r\n")


def test_a_proxy_that_impersonates_the_feed_is_found_out(folder: Path) -> None:
    with FeedServer() as feed, FeedServer() as impostor, Proxy() as proxy:
        impostor.serve("/x.json", b"[]")
        assert failure(lambda: got(impostor, folder, ca_file=feed.ca_file, proxy=proxy.url())).kind == "tls"
        assert proxy.asked
        assert not impostor.requests


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\n\r\n",
        b"HTTP/1.1 503 No\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\r\n",
    ],
)
def test_a_proxy_that_refuses(feed: FeedServer, folder: Path, answer: bytes) -> None:
    with Proxy(answer) as proxy:
        problem = failure(lambda: got(feed, folder, proxy=proxy.url(f"me:{TOKEN}")))
    assert problem.kind == "proxy"
    assert TOKEN not in problem.detail
    assert not feed.connections


@pytest.mark.parametrize(
    "proxy",
    ["http://127.0.0.1:1", "socks5://127.0.0.1:1", "https://127.0.0.1:1", "127.0.0.1:1", "http://:1", "http://x:y"],
)
def test_a_proxy_that_is_none_does_not_mean_going_around_it(feed: FeedServer, folder: Path, proxy: str) -> None:
    assert failure(lambda: got(feed, folder, proxy=proxy)).kind == "proxy"
    assert not feed.connections


def test_the_environment_is_not_looked_at(
    feed: FeedServer, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    netrc, keys = tmp_path / "netrc", tmp_path / "keys"
    netrc.write_text("machine localhost login me password word\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    feed.serve("/x.json", b"[1]")
    assert got(feed, folder).size == 3
    assert "authorization" not in feed.requests[0].headers
    assert not keys.exists()
    monkeypatch.setenv("SSL_CERT_FILE", feed.ca_file)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", feed.ca_file)
    monkeypatch.setenv("CURL_CA_BUNDLE", feed.ca_file)
    assert failure(lambda: got(feed, folder, ca_file="")).kind == "tls"


@pytest.mark.parametrize("base", ["ftp://localhost/", "https://", "https://user:word@localhost/", "not a url"])
def test_a_person_s_address_that_is_none_is_an_error(tmp_path: Path, base: str) -> None:
    with pytest.raises(FeedError):
        Web(str(tmp_path), [], base=base)
