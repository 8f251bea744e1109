"""`aibom upload` as a user types it, against a stub that is written from the documented API."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aibom.cli import upload
from aibom.cli.main import _run
from tests.services.fake_dependency_track import (
    TOKEN,
    FakeDependencyTrack,
    Reply,
    problem,
    processing,
    token,
)

KEY = "odt_secret0123456789"
NAMED = ["--project", "acme", "--project-version", "1.0"]
Captured = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AIBOM_") or name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AIBOM_DEPENDENCY_TRACK_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    Path("bom.cdx.json").write_bytes(b'{"bomFormat": "CycloneDX"}')


def run(capfdbinary: Captured, *arguments: str) -> tuple[int, str, str]:
    """The exit code and what was written; the key never is."""
    code = _run(["upload", "bom.cdx.json", *arguments])
    captured = capfdbinary.readouterr()
    assert KEY.encode() not in captured.out + captured.err
    return code, captured.out.decode(), captured.err.decode()


def test_an_upload_prints_the_token(capfdbinary: Captured) -> None:
    with FakeDependencyTrack([token()]) as fake:
        code, out, err = run(capfdbinary, "--url", fake.url, *NAMED)
    assert (code, out, err) == (0, f"{TOKEN}\n", "uploaded bom.cdx.json (26 bytes)\n")
    sent = {name: value.decode() for name, value in fake.requests[0].fields.items() if name != "bom"}
    assert sent == {"projectName": "acme", "projectVersion": "1.0", "autoCreate": "true"}


def test_with_wait_the_processing_is_followed(capfdbinary: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aibom.sources.dependency_track.POLL_SECONDS", 0.01)
    replies = [token(), processing(value=True), processing(value=False)]
    with FakeDependencyTrack(replies) as fake:
        code, out, err = run(capfdbinary, "--url", fake.url, *NAMED, "--wait")
    assert (code, out) == (0, f"{TOKEN}\n")
    assert err.endswith("processed\n")
    assert len(fake.requests) == 3


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        (["--project", TOKEN], {"project": TOKEN}),
        ([*NAMED, "--no-create"], {"projectName": "acme", "projectVersion": "1.0", "autoCreate": "false"}),
        ([*NAMED, "--parent", "all", "--parent-version", "2"],
         {"projectName": "acme", "projectVersion": "1.0", "autoCreate": "true", "parentName": "all",
          "parentVersion": "2"}),
        ([*NAMED, "--parent", TOKEN],
         {"projectName": "acme", "projectVersion": "1.0", "autoCreate": "true", "parentUUID": TOKEN}),
    ],
    ids=["uuid", "no-create", "parent", "parent-uuid"],
)  # fmt: skip
def test_projects_and_parents_go_by_name_or_identifier(
    arguments: list[str], sent: dict[str, str], capfdbinary: Captured
) -> None:
    with FakeDependencyTrack([token()]) as fake:
        assert run(capfdbinary, "--url", fake.url, *arguments, "-q") == (0, f"{TOKEN}\n", "")
    fields = fake.requests[0].fields
    assert {name: value.decode() for name, value in fields.items() if name != "bom"} == sent


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (problem(400, detail="bad \x1b[2J", errors=["$.a: x"]), 1, r"bad \x1b[2J; $.a: x"),
        (Reply(status=401), 2, "401"),
        (problem(403, detail="no access"), 2, "no access"),
        (Reply(status=404, kind="text/plain", body=b"The project is gone."), 2, "is gone"),
        (Reply(status=302, headers=(("Location", "https://evil.example/"),)), 4, "evil.example"),
        (Reply(status=418), 4, "418"),
        (Reply(body=b"x" * 500, drip=0.05), 4, "too slow"),
    ],
    ids=["400", "401", "403", "404", "redirect", "418", "drip"],
)  # fmt: skip
def test_the_exit_code_tells_a_bad_document_from_a_mistake_and_from_a_server_in_trouble(
    reply: Reply, code: int, words: str, capfdbinary: Captured
) -> None:
    with FakeDependencyTrack([reply]) as fake:
        found, out, err = run(capfdbinary, "--url", fake.url, *NAMED, "--timeout", "1")
    assert (found, out) == (code, "")
    assert words in err
    assert err.startswith(f"Error: {fake.url}: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (NAMED, "--url"),
        (["--url", "https://dt.example"], "--project"),
        (["--url", "http://dt.example", *NAMED], "plain http"),
        (["--url", "https://u:p@dt.example", *NAMED], "no user"),
        (["--url", "https://dt.example", "--project", "acme"], "--project-version"),
        (["--url", "https://dt.example", "--project", " ", "--project-version", "1"], "--project is empty"),
        (["--url", "https://dt.example", "--project", TOKEN, "--project-version", "1"], "is a UUID"),
        (["--url", "https://dt.example", "--project", TOKEN, "--parent", TOKEN], "--parent is for"),
        (["--url", "https://dt.example", *NAMED, "--parent", TOKEN, "--no-create"], "--parent is for"),
        (["--url", "https://dt.example", *NAMED, "--parent", "all"], "--parent-version"),
        (["--url", "https://dt.example", *NAMED, "--parent-version", "1"], "needs --parent"),
        (["--url", "https://dt.example", *NAMED, "--timeout", "0"], "--timeout"),
        (["--url", "https://dt.example", *NAMED, "--offline"], "--offline forbids it"),
        (["--url", "https://dt.example", *NAMED, "--key", "k"], "No such option"),
    ],
    ids=["no-url", "no-project", "http", "user", "no-version", "empty", "uuid-version", "uuid-parent",
         "no-create-parent", "parent-name", "parent-version", "timeout", "offline", "key"],
)  # fmt: skip
def test_a_wrong_word_opens_no_connection(
    arguments: list[str], words: str, capfdbinary: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.getaddrinfo", refused)
    code, out, err = run(capfdbinary, *arguments)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize("key", ["", "with blank", "line\nend"], ids=["empty", "blank", "line"])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(
    key: str, capfdbinary: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIBOM_DEPENDENCY_TRACK_KEY", key)
    code, _, err = run(capfdbinary, "--url", "https://dt.example", *NAMED)
    assert code == 2
    assert "AIBOM_DEPENDENCY_TRACK_KEY" in err
    assert not key or key not in err


def test_no_flag_takes_the_key() -> None:
    declared = [text for param in upload.command.params for text in (*param.opts, str(param.envvar))]
    assert not [text for text in declared if "key" in text.lower()]


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (None, 2, "cannot read"),
        (b"", 2, "no CycloneDX"),
        (b"<bom>CycloneDX</bom>", 2, "no CycloneDX"),
        (b'{"spdxVersion": "SPDX-2.3"}', 2, "no CycloneDX"),
        (b'{"bomFormat": "CycloneDX"' + b" " * 2_000, 4, "larger than"),
    ],
    ids=["missing", "empty", "xml", "spdx", "large"],
)
def test_what_is_no_document_to_upload_is_refused_before_anything_is_sent(
    data: bytes | None, code: int, words: str, capfdbinary: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "UPLOAD_BYTES", 1_000)
    Path("bom.cdx.json").unlink()
    if data is not None:
        Path("bom.cdx.json").write_bytes(data)
    with FakeDependencyTrack([token()]) as fake:
        found, _, err = run(capfdbinary, "--url", fake.url, *NAMED)
    assert found == code
    assert words in err
    assert fake.requests == []
