"""Keyless signing against the services on this machine, and what a failure may say."""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from collections.abc import Callable, Iterator

import pytest
from sigstore import oidc

from aibom.domain.check import Outcome
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import ExpectedIdentity
from aibom.trust.bundle import read_bundle
from aibom.trust.keyless import verify_keyless
from aibom.trust.keyless_signing import ambient_token, sign_keyless
from aibom.trust.trust_root import read_trust_root
from tests.services.attack import Attack
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore

EXPECTED = ExpectedIdentity(identity=IDENTITY, issuer=ISSUER)
FILE = hashlib.sha256(b"a file").digest()
STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": FILE.hex()}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"resources": []},
    },
    indent=2,  # so that a re-serialised payload would be another one
).encode()


@pytest.fixture(scope="module", params=[1, 2], ids=["Rekor v1", "Rekor v2"])
def services(request: pytest.FixtureRequest) -> Iterator[FakeSigstore]:
    with FakeSigstore(rekor=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def running() -> Iterator[FakeSigstore]:
    with FakeSigstore() as services:
        yield services


@pytest.mark.parametrize("content", [{"statement": STATEMENT}, {"digest": FILE}], ids=["statement", "file"])
@pytest.mark.parametrize("identity", [IDENTITY, "https://github.com/org/repo/.github/workflows/a.yml@refs/x"])
def test_what_is_signed_is_verified_byte_for_byte(
    services: FakeSigstore, content: dict[str, bytes], identity: str
) -> None:
    services.requests.clear()
    data = sign_keyless(services.token(identity), services.trust_config(), **content)
    bundle = read_bundle(data)
    root = read_trust_root(services.trusted_root())
    expected = ExpectedIdentity(identity=identity, issuer=ISSUER)
    judged = verify_keyless(bundle, content.get("digest"), expected, root)
    assert judged.outcome is Outcome.VERIFIED, judged.detail
    assert judged.payload == content.get("statement")
    assert data.endswith(b"}\n")
    clock = ["/clock"] if services.rekor == 2 else []
    log = f"/api/v{services.rekor}/log/entries"
    assert services.requests == ["/api/v2/signingCert", *clock, log]


@pytest.mark.parametrize(
    "content", [{}, {"statement": STATEMENT, "digest": FILE}, {"digest": FILE[:-1]}, {"digest": b""}]
)
def test_either_a_statement_or_a_digest_of_32_bytes_is_signed(content: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"statement|32 bytes"):
        sign_keyless("token", b"{}", **content)


def moved(services: FakeSigstore, url: str) -> bytes:
    return services.trust_config().replace(services.url.encode(), url.encode())


def lacking(services: FakeSigstore, kind: str) -> bytes:
    document = json.loads(services.trust_config())
    document["signingConfig"][kind] = []
    return json.dumps(document).encode()


FAILURES: dict[str, tuple[Callable[[FakeSigstore], tuple[str, bytes]], Reason, str]] = {
    "not a token": (lambda s: ("a.b.c", s.trust_config()), Reason.MALFORMED, "token is malformed"),
    "an empty token": (lambda s: ("", s.trust_config()), Reason.MALFORMED, "token is malformed"),
    "a token with a line break": (
        lambda s: (f"{s.token()}\r\nX: y", s.trust_config()), Reason.MALFORMED, "token is not one",
    ),
    "an endless token": (lambda s: ("x" * 20_000, s.trust_config()), Reason.MALFORMED, "token is not one"),
    "an expired token": (lambda s: (s.token(seconds=-60), s.trust_config()), Reason.MALFORMED, "expired"),
    "another audience": (lambda s: (s.token(aud="pypi"), s.trust_config()), Reason.MALFORMED, "audience"),
    "no configuration": (lambda s: (s.token(), b""), Reason.MALFORMED, "not JSON"),
    "a root alone": (lambda s: (s.token(), s.trusted_root()), Reason.MALFORMED, "no services"),
    "no encryption": (
        lambda s: (s.token(), moved(s, "http://services.aibom.test")), Reason.MALFORMED, "without https",
    ),
    "another host that looks like this one": (
        lambda s: (s.token(), moved(s, "http://127.0.0.1@aibom.test")), Reason.MALFORMED, "without https",
    ),
    "no address": (lambda s: (s.token(), moved(s, "127.0.0.1")), Reason.MALFORMED, "without https"),
    "nobody listens": (
        lambda s: (s.token(), moved(s, "http://127.0.0.1:9")), Reason.IO_ERROR, "cannot be reached",
    ),
    "no authority": (lambda s: (s.token(), lacking(s, "caUrls")), Reason.MALFORMED, "cannot be used"),
    "no log": (lambda s: (s.token(), lacking(s, "rekorTlogUrls")), Reason.MALFORMED, "cannot be used"),
    "services of somebody else": (
        lambda s: (s.token(), moved(FakeSigstore(), s.url)), Reason.MALFORMED, "SCT",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_is_told_without_the_token(
    running: FakeSigstore, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    given, reason, words = FAILURES[kind]
    error = refused(*given(running), caplog)
    assert error.reason is reason
    assert words in str(error)


@pytest.mark.parametrize(
    ("attack", "reason", "words"),
    [
        (Attack(refusal=True), Reason.DENIED, "gave no certificate"),
        (Attack(wrong_ct_key=True), Reason.MALFORMED, "SCT"),
        (Attack(no_ct=True), Reason.MALFORMED, "SCT"),
        (Attack(wrong_log_key=True), Reason.MALFORMED, "does not verify"),
        (Attack(wrong_proof=True), Reason.MALFORMED, "does not verify"),
        (Attack(time_shift=4000), Reason.MALFORMED, "does not verify"),
    ],
)
def test_services_that_do_wrong_give_no_bundle_and_repeat_no_token(
    attack: Attack, reason: Reason, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeSigstore(attack) as services:
        error = refused(services.token(), services.trust_config(), caplog)
    assert error.reason is reason
    assert words in str(error)


@pytest.mark.parametrize(
    "statement", [b"", b"{}", b"[" * 9, b'{"_type": "https://in-toto.io/Statement/v0.1"}']
)
def test_what_is_no_statement_is_not_signed(running: FakeSigstore, statement: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        sign_keyless(running.token(), running.trust_config(), statement=statement)
    assert caught.value.reason is Reason.MALFORMED


def refused(token: str, config: bytes, caplog: pytest.LogCaptureFixture) -> UnreadableError:
    """The error of signing, after a look for pieces of the token in all that it and the logs say."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(UnreadableError) as caught:
        sign_keyless(token, config, digest=FILE)
    told = [caplog.text, *everything(caught.value)]
    secrets = [part for part in (token, *token.split(".")) if len(part) > 8]
    assert not [secret for secret in secrets for text in told if secret in text]
    return caught.value


def everything(error: BaseException | None) -> Iterator[str]:
    """The texts of an error and of all that it carries along, shown or not."""
    while error is not None:
        yield from (str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error)))
        error = error.__cause__ or error.__context__


def test_signing_puts_no_token_into_a_log_or_the_bundle(
    services: FakeSigstore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = services.token()
    data = sign_keyless(token, services.trust_config(), statement=STATEMENT)
    assert caplog.records
    for part in token.split("."):
        assert part not in caplog.text
        assert part.encode() not in data


AMBIENT = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME")


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No pipeline, whatever runs this test."""
    for name in AMBIENT:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_pipeline_gives_its_token(running: FakeSigstore, outside: pytest.MonkeyPatch) -> None:
    outside.setenv("GITHUB_ACTIONS", "true")
    outside.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the runner")
    outside.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{running.url}/runner?x=y")
    data = sign_keyless(ambient_token(), running.trust_config(), digest=FILE)
    root = read_trust_root(running.trusted_root())
    assert verify_keyless(read_bundle(data), FILE, EXPECTED, root).outcome is Outcome.VERIFIED


def test_a_pipeline_that_gives_none_is_told_apart_from_no_pipeline(
    running: FakeSigstore, outside: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outside.setenv("GITLAB_CI", "true")
    outside.setenv("SIGSTORE_ID_TOKEN", "secret-that-is-no-token")
    with pytest.raises(UnreadableError) as caught:
        ambient_token()
    assert caught.value.reason is Reason.DENIED
    assert "id-token: write" in str(caught.value)
    assert not [text for text in (caplog.text, *everything(caught.value)) if "secret-that" in text]

    def none(client_id: str = "sigstore") -> None:
        """Nothing is found; the real one may ask the metadata server of a cloud."""

    outside.setattr(oidc, "detect_credential", none)
    with pytest.raises(UnreadableError, match="no pipeline here") as caught:
        ambient_token()
    assert caught.value.reason is Reason.MISSING


def test_the_services_end_by_themselves(caplog: pytest.LogCaptureFixture) -> None:
    with FakeSigstore() as services:
        config = services.trust_config()
    assert refused(services.token(), config, caplog).reason is Reason.IO_ERROR
