"""What the real writers write raises no hazard, and nothing in it is left unread."""

from __future__ import annotations

import io
import shutil
import subprocess
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.formats.inside.build import look
from tests.hostile import FIXTURES

# Which carry a payload on purpose.
HOSTILE = ("os_system", "broken_tail", "shuffled_names", "code")


def quiet(data: bytes, name: str) -> None:
    inside = look(data, name)
    if inside is not None:
        assert ([(h.kind, h.found, h.inside) for h in inside.hazards], inside.defects) == ([], ()), name


def fixtures() -> Iterator[Path]:
    for path in sorted(FIXTURES.rglob("*")):
        if path.is_file() and "scripts" not in path.parts and path.stem not in HOSTILE:
            yield path


def test_no_fixture_of_a_real_library_raises_an_alarm() -> None:
    paths = list(fixtures())
    assert len(paths) > 80
    for path in paths:
        quiet(path.read_bytes(), path.name)


@pytest.mark.parametrize("package", ["json", "email", "lib-dynload", "pydoc_data", "__pycache__"])
def test_ordinary_files_say_nothing(package: str) -> None:
    paths = [
        path for path in sorted((Path(sysconfig.get_path("stdlib")) / package).glob("*")) if path.is_file()
    ]
    assert paths
    for path in paths[:60]:
        assert look(path.read_bytes(), path.name) is None, path


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


@pytest.mark.parametrize("pipe", [False, True])
@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_archives_of_pythons_zipfile(pipe: bool, zip64: bool, method: int) -> None:
    file = Pipe() if pipe else io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.comment = b"0123456789abcdef" * 2
        archive.writestr("ä/ö.txt", "text" * 300)
        archive.writestr("empty/", b"")
        archive.writestr("empty", b"")
        with archive.open("big", "w", force_zip64=zip64) as member:
            member.write(b"data" * 99)
    quiet(file.getvalue(), "a.zip")


def test_an_archive_that_was_appended_to() -> None:
    file = io.BytesIO()
    for name in ("a", "b"):
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr(name, b"x")
    quiet(file.getvalue(), "a.zip")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_of_numpy(save: object) -> None:
    file = io.BytesIO()
    arrays = {
        "a": np.zeros((300, 300)),
        "b": np.arange(9, dtype="<f4"),
        "empty": np.zeros(0),
        "s": np.array("x"),
    }
    save(file, **arrays)  # type: ignore[operator]
    quiet(file.getvalue(), "a.npz")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "folder"
    (inner / "sub").mkdir(parents=True)
    (inner / "sub/ä ö.txt").write_text("x" * 5_000)
    (inner / "noise").write_bytes(np.random.default_rng(0).bytes(5_000))
    (inner / "link").symlink_to("sub")
    return inner


@pytest.mark.skipif(shutil.which("zip") is None, reason="needs Info-ZIP")
@pytest.mark.parametrize(
    "command", ["zip -qr - .", "zip -qry - .", "zip -q -0r - .", "cat noise | zip -q - -"]
)
@pytest.mark.parametrize("language", ["C", "C.UTF-8"])
def test_archives_of_info_zip(folder: Path, command: str, language: str) -> None:
    done = subprocess.run(
        f"{command} > ../out.zip && cd .. && zip -qj more.zip folder/noise && cat more.zip > /dev/null",
        shell=True, cwd=folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": language}, check=True,
    )  # fmt: skip
    assert done.returncode == 0
    quiet((folder.parent / "out.zip").read_bytes(), "out.zip")
    quiet((folder.parent / "more.zip").read_bytes(), "more.zip")


@pytest.mark.skipif(shutil.which("jar") is None, reason="needs a JDK")
def test_archives_of_java(folder: Path) -> None:
    subprocess.run(["jar", "cf", "../out.jar", "-C", ".", "."], cwd=folder, check=True)
    quiet((folder.parent / "out.jar").read_bytes(), "out.jar")
    quiet((folder.parent / "out.jar").read_bytes(), "out.zip")


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_archives_of_pythons_tarfile(folder: Path, form: int, mode: str) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        archive.add(folder, "./")
    quiet(file.getvalue(), "model.nemo")


@pytest.mark.skipif(shutil.which("tar") is None, reason="needs tar")
@pytest.mark.parametrize("form", ["gnu", "ustar", "pax", "v7", "oldgnu"])
def test_archives_of_gnu_tar(folder: Path, form: str) -> None:
    with (folder / "sparse").open("wb") as file:
        file.truncate(100_000)
        file.seek(50_000)
        file.write(b"x")
    sparse = ["--sparse"] if form in ("gnu", "pax") else []
    subprocess.run(["tar", f"--format={form}", *sparse, "-cf", "../out.tar", "."], cwd=folder, check=True)
    quiet((folder.parent / "out.tar").read_bytes(), "out.tar")


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_archives_of_pytorch() -> None:
    import torch  # noqa: PLC0415 - takes seconds

    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    for saved in (
        model.state_dict(),
        {"model": model.state_dict(), "optimizer": optimizer.state_dict()},
        model,
    ):
        for zipped in (True, False):
            file = io.BytesIO()
            torch.save(saved, file, _use_new_zipfile_serialization=zipped)
            quiet(file.getvalue(), "model.pt")
    torch.serialization.set_crc32_options(False)
    try:
        file = io.BytesIO()
        torch.save(model.state_dict(), file)
    finally:
        torch.serialization.set_crc32_options(True)
    quiet(file.getvalue(), "model.pt")
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(model), file)
    quiet(file.getvalue(), "model.pt")
