"""An organisation's feed is made from any list, and what was made is what the source believes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.intel import org_publish
from bk.engine.intel.signed import mint, read
from bk.engine.intel.sources.org import FACTS, NOTE, Organisation
from bk.engine.provenance import Signature
from tests.feeds.server import FeedServer

from .asking import NOW_MS, fetched, told, understood
from .webbing import feed, folder  # noqa: F401 - fixtures

SECRET, KEY = mint("house.example/facts")
CSV = "ecosystem,name,version,severity\nnpm,@invented/a,1.0.0;1.0.1,\npypi,b,*,high\nnpm,two words,1.0.0,\n"


def publish(tmp_path: Path, text: str = CSV, secret: str = SECRET, *, days: str = "30") -> int:
    (tmp_path / "key").write_text(secret + "\n")
    (tmp_path / "list").write_text(text)
    return org_publish.main([str(tmp_path / "key"), str(tmp_path / "list"), str(tmp_path / "out"), "--days", days])


def test_what_is_published_is_believed(
    tmp_path: Path,
    feed: FeedServer,  # noqa: F811
    folder: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "list").write_text(CSV)
    serial, batch = org_publish.publish(
        SECRET, str(tmp_path / "list"), str(tmp_path / "out"), now_ms=NOW_MS - 1000, days=1
    )
    assert (serial, len(batch.records), len(batch.notes)) == (1, 2, 1)
    for name in (NOTE, FACTS):
        feed.serve(f"/f/{name}", (tmp_path / "out" / name).read_bytes())
    got = fetched(Organisation(), feed, folder, "/f", key=KEY)
    assert (got.serial, type(got.provenance)) == (1, Signature)
    assert told(understood(Organisation(), folder).records) == {
        ("npm", "@invented/a", "exact", ("1.0.0", "1.0.1"), "critical"),
        ("pypi", "b", "every", (), "high"),
    }


def test_the_serial_rises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [publish(tmp_path), publish(tmp_path)] == [0, 0]
    assert read((tmp_path / "out" / NOTE).read_bytes(), KEY).serial == 2
    said = capsys.readouterr().out
    assert "two words" in said
    assert "serial 2: 2 claims, 1 left out or repaired" in said


@pytest.mark.parametrize(
    ("text", "secret", "days"),
    [
        ("no list\n", SECRET, "30"),
        (CSV, "no key", "30"),
        (CSV, KEY, "30"),
        (CSV, SECRET, "0"),
        (CSV, mint("x")[0], "30"),
    ],
    ids=["no list", "no key", "a public key", "no days", "another feed's key"],
)
def test_what_cannot_be_published_leaves_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, secret: str, days: str
) -> None:
    assert publish(tmp_path) == 0
    before = {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()}
    assert publish(tmp_path, text, secret, days=days) == 1
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == before
    assert "nothing was published" in capsys.readouterr().err
