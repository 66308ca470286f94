"""Keys and the published folder: what is written, with which mode, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.notes import PublicKey
from bk.engine.own import publish as publishing
from bk.engine.own.publish import current, mint, public_half, publish
from tests.unit.own import Publisher, listed


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


def test_a_key_is_its_owner_s_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "release.key"
    public = mint("team.example", str(path))
    assert PublicKey.parse(public).name == "team.example"
    assert path.stat().st_mode & 0o777 == 0o600
    assert public_half(str(path)) == public
    before = path.read_bytes()
    with pytest.raises(BkError, match="file of that name"):
        mint("team.example", str(path))
    link = tmp_path / "link.key"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BkError):
        mint("team.example", str(link))
    assert path.read_bytes() == before
    assert not (tmp_path / "elsewhere").exists()
    for name in ("", "a b", "a+b"):
        with pytest.raises(BkError, match="called so"):
            mint(name, str(tmp_path / "other.key"))
    assert not (tmp_path / "other.key").exists()


def test_a_key_that_others_could_read_signs_nothing(publisher: Publisher) -> None:
    publisher.secret.chmod(0o640)
    with pytest.raises(BkError, match="owner's alone"):
        publisher.publish()
    assert not publisher.folder.exists()


def test_what_is_no_key_signs_nothing(publisher: Publisher, tmp_path: Path) -> None:
    publisher.secret.write_text(publisher.key)
    with pytest.raises(BkError, match="no signing key"):
        publisher.publish()
    publisher.secret.unlink()
    with pytest.raises(BkError, match="cannot be read"):
        publisher.publish()


def test_every_publication_has_the_next_serial_and_its_own_list(publisher: Publisher) -> None:
    assert publisher.publish(listed("A", version="1.0")) == 1
    assert publisher.publish(listed("B", version="1.1")) == 2
    assert publisher.publish(withdraw=("A",)) == 3
    assert publisher.publish() == 4
    serial, entries = current(str(publisher.folder), [publisher.key])
    assert (serial, [each.ident for each in entries]) == (4, ["B"])
    assert {path.name for path in publisher.folder.iterdir()} == {
        "bk-self.note", *(f"list-{number}.json" for number in (1, 2, 3, 4))
    }  # fmt: skip
    assert (publisher.folder / "bk-self.note").stat().st_mode & 0o777 == 0o644


def test_nothing_is_published_by_mistake(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(listed("A", version="1.0"))
    before = {path.name: path.read_bytes() for path in publisher.folder.iterdir()}
    for wrong in (
        lambda: publisher.publish(listed("A", version="1.0")),
        lambda: publisher.publish(listed("B", version="later")),
        lambda: publisher.publish(withdraw=("B",)),
        lambda: publisher.publish(days=0),
        lambda: publisher.publish(days=5000),
        lambda: publish(str(publisher.folder), [str(Publisher(tmp_path, "x").secret)]),
        lambda: publish(str(publisher.folder), []),
    ):
        with pytest.raises(BkError):
            wrong()
    assert {path.name: path.read_bytes() for path in publisher.folder.iterdir()} == before


def test_a_folder_that_was_tampered_with_is_not_continued(publisher: Publisher) -> None:
    publisher.publish(listed("A", version="1.0"))
    path = publisher.folder / "list-1.json"
    path.write_bytes(path.read_bytes().replace(b"1.0", b"1.1"))
    with pytest.raises(BkError, match="cannot be continued"):
        publisher.publish()


def test_a_power_cut_between_the_two_files_leaves_the_older_list(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish()
    whole = publishing.replace

    def cut(path: str, data: bytes, mode: int) -> None:
        if path.endswith(".note"):
            raise KeyboardInterrupt
        whole(path, data, mode)

    monkeypatch.setattr(publishing, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        publisher.publish(listed("A", version="1.0"))
    assert current(str(publisher.folder), [publisher.key]) == (1, ())
