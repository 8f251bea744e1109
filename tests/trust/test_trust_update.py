"""Trust roots by TUF, from a repository on this machine."""

from __future__ import annotations

import gc
import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from aibom.domain.errors import Reason, UnreadableError
from aibom.trust import trust_root
from aibom.trust.trust_root import Instance, embedded
from aibom.trust.trust_update import TARGET, Repository, fetch_trust_root, repository
from tests.services.fake_sigstore import FakeSigstore
from tests.services.fake_tuf import FakeTuf

ROOT = FakeSigstore().trusted_root()
# The library leaves a connection open that it breaks off, until the garbage is collected.
left_open = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def tuf(tmp_path: Path) -> Iterator[FakeTuf]:
    with FakeTuf(tmp_path / "repository") as served:
        served.publish(TARGET, ROOT)
        yield served


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's files would be, and temporary ones."""
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "home"


def source(tuf: FakeTuf) -> Repository:
    return Repository(address=tuf.address, root=tuf.first_root)


def refused(tuf: FakeTuf) -> UnreadableError:
    with pytest.raises(UnreadableError) as error:
        fetch_trust_root(source(tuf))
    return error.value


def test_what_the_repository_vouches_for_is_the_root(tuf: FakeTuf) -> None:
    found = fetch_trust_root(source(tuf))
    assert found.document == ROOT
    assert found.sha256 == hashlib.sha256(ROOT).hexdigest()


def test_nothing_is_kept_and_no_folder_of_the_user_is_touched(
    tuf: FakeTuf, home: Path, tmp_path: Path
) -> None:
    fetch_trust_root(source(tuf))
    assert not home.exists()
    assert not list((tmp_path / "temporary").iterdir())


def test_new_root_keys_are_followed_when_the_old_ones_vouch_for_them(tuf: FakeTuf) -> None:
    tuf.rotate_root()
    tuf.rotate_root()
    assert fetch_trust_root(source(tuf)).document == ROOT


def test_new_root_keys_that_nobody_vouches_for_are_refused(tuf: FakeTuf) -> None:
    tuf.keys["root"] = CryptoSigner.generate_ecdsa()
    tuf.write_root()
    error = refused(tuf)
    assert error.reason is Reason.MALFORMED
    assert "not signed as it has to be (UnsignedMetadataError)" in str(error)


def test_the_repository_of_somebody_else_is_refused(tuf: FakeTuf, tmp_path: Path) -> None:
    other = FakeTuf(tmp_path / "other")
    with pytest.raises(UnreadableError, match="not signed as it has to be"):
        fetch_trust_root(Repository(address=tuf.address, root=other.first_root))


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json"])
def test_metadata_that_was_changed_is_refused(tuf: FakeTuf, name: str) -> None:
    document = json.loads((tuf.folder / name).read_bytes())
    document["signed"]["expires"] = "2099-01-01T00:00:00Z"
    (tuf.folder / name).write_text(json.dumps(document))
    assert refused(tuf).reason is Reason.MALFORMED


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0], ids=["first", "middle", "last"])
def test_a_root_that_was_changed_is_refused(tuf: FakeTuf, part: float) -> None:
    (file,) = (tuf.folder / "targets").iterdir()
    changed = bytearray(ROOT)
    changed[int(part * (len(ROOT) - 1))] ^= 1
    file.write_bytes(changed)
    error = refused(tuf)
    assert error.reason is Reason.MALFORMED
    assert "LengthOrHashMismatchError" in str(error)


def test_old_metadata_is_refused(tuf: FakeTuf) -> None:
    tuf.publish(TARGET, ROOT, days=-1)
    error = refused(tuf)
    assert error.reason is Reason.MALFORMED
    assert "has expired; is the clock of this machine right?" in str(error)


@pytest.mark.parametrize("name", ["snapshot.json", "targets.json"])
def test_metadata_that_is_older_than_what_names_it_is_refused(tuf: FakeTuf, name: str) -> None:
    tuf.publish(TARGET, ROOT, version=2)
    (tuf.folder / f"1.{name}").replace(tuf.folder / f"2.{name}")
    error = refused(tuf)
    assert error.reason is Reason.MALFORMED
    assert "of another version, as if rolled back: do not use it" in str(error)


def test_an_old_root_of_keys_under_a_new_number_is_refused(tuf: FakeTuf) -> None:
    (tuf.folder / "2.root.json").write_bytes(tuf.first_root)
    assert "as if rolled back" in str(refused(tuf))


def test_what_was_seen_before_is_not_rolled_back_when_a_folder_keeps_it(tuf: FakeTuf, tmp_path: Path) -> None:
    state = tmp_path / "state"
    old = (tuf.folder / "timestamp.json").read_bytes()
    tuf.publish(TARGET, ROOT, version=2)
    for _ in range(2):
        assert fetch_trust_root(source(tuf), state).document == ROOT
    (tuf.folder / "timestamp.json").write_bytes(old)
    with pytest.raises(UnreadableError, match="as if rolled back"):
        fetch_trust_root(source(tuf), state)
    # Nothing but the folder knows.
    assert fetch_trust_root(source(tuf)).document == ROOT


@pytest.mark.parametrize("data", [b"", b"{", b'{"signed": 1}'])
def test_a_folder_of_rubbish_can_neither_stop_an_update_nor_choose_its_keys(
    tuf: FakeTuf, tmp_path: Path, data: bytes
) -> None:
    history = tmp_path / "state" / "root_history"
    history.mkdir(parents=True)
    others = FakeTuf(tmp_path / "others")
    (history / "1.root.json").write_bytes(others.first_root)
    (history / "2.root.json").write_bytes(others.write_root())
    for name in ("timestamp.json", "snapshot.json", "targets.json"):
        (tmp_path / "state" / name).write_bytes(data)
    assert fetch_trust_root(source(tuf), tmp_path / "state").document == ROOT


def test_a_folder_that_cannot_be_written_is_told(tuf: FakeTuf, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(UnreadableError, match="cannot be kept in a file") as error:
        fetch_trust_root(source(tuf), tmp_path / "state")
    assert error.value.reason is Reason.IO_ERROR


DOCUMENTS = {
    "empty": b"",
    "half": b"{",
    "deep": b"[" * 10_000,
    "no text": b"\xff" * 100,
    "bare": b'{"signed": 1}',
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_metadata_that_is_none_is_refused(tuf: FakeTuf, document: str) -> None:
    (tuf.folder / "timestamp.json").write_bytes(DOCUMENTS[document])
    assert refused(tuf).reason is Reason.MALFORMED


@left_open
@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json", "2.root.json"])
def test_metadata_that_is_too_large_is_not_read_to_its_end(tuf: FakeTuf, name: str) -> None:
    (tuf.folder / name).write_bytes(b" " * 10_000_000)
    error = refused(tuf)
    gc.collect()
    assert error.reason is Reason.LIMIT
    assert f"{tuf.address} sends more bytes than the document may have" in str(error)


@left_open
def test_a_root_that_is_longer_than_it_was_said_to_be_is_not_read_to_its_end(tuf: FakeTuf) -> None:
    (file,) = (tuf.folder / "targets").iterdir()
    file.write_bytes(ROOT + b" " * 10_000_000)
    error = refused(tuf)
    gc.collect()
    assert error.reason is Reason.LIMIT


def test_a_repository_without_a_root_is_refused(tuf: FakeTuf) -> None:
    tuf.publish("another.json", ROOT)
    assert "has no trusted_root.json" in str(refused(tuf))


def test_a_signed_root_that_is_none_is_refused(tuf: FakeTuf) -> None:
    tuf.publish(TARGET, b"{}")
    assert refused(tuf).reason is Reason.UNSUPPORTED


def test_a_root_that_is_too_large_is_not_fetched(tuf: FakeTuf) -> None:
    tuf.publish(TARGET, b" " * (trust_root.TRUST_ROOT_BYTES + 1))
    for file in (tuf.folder / "targets").iterdir():
        file.unlink()
    assert refused(tuf).reason is Reason.LIMIT


@pytest.mark.parametrize("name", ["timestamp.json", "1.targets.json"])
def test_a_file_that_is_missing_is_told_as_a_service_that_does_not_answer(tuf: FakeTuf, name: str) -> None:
    (tuf.folder / name).unlink()
    error = refused(tuf)
    assert error.reason is Reason.IO_ERROR
    assert f"{tuf.address} cannot be reached or does not answer" in str(error)


def test_a_repository_that_is_not_there_is_told(tmp_path: Path) -> None:
    with FakeTuf(tmp_path / "repository") as tuf:
        pass
    assert refused(tuf).reason is Reason.IO_ERROR


@pytest.mark.parametrize("instance", ["production", "staging"])
def test_a_public_instance_has_a_first_root_and_the_address_of_its_embedded_documents(
    instance: Instance,
) -> None:
    known = repository(instance)
    root = Metadata[Root].from_bytes(known.root)
    root.verify_delegate("root", root)
    assert known.address.replace(":", "%3A").replace("/", "%2F") == trust_root._FOLDERS[instance]
    assert embedded(instance).document
