"""Who gets which secret: credentials of a registry must not reach anybody else."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.http import Answer, Http, Secret
from aibom.sources.oci_auth import Auth, credentials_for
from aibom.sources.oci_names import parse

AUTH = base64.b64encode(b"robot:pass:word").decode()
BASIC = f"Basic {AUTH}"


class Recorder(Http):
    """Stands in for the network: notes what is sent where, and answers with a token or a refusal."""

    def __init__(self, body: bytes = b'{"token": "abc"}', *, anonymous: bool = True) -> None:
        super().__init__()
        self.body, self.anonymous = body, anonymous
        self.sent: list[tuple[str, str | None]] = []
        self.forms: list[dict[str, list[str]]] = []

    def get(self, url: str, *, secret: Secret | None = None, **_: object) -> Answer:  # type: ignore[override]
        self.sent.append((url, secret.value if secret else None))
        if secret is None and not self.anonymous:
            raise UnreadableError(Reason.DENIED, "401")
        return Answer(status=200, headers={}, body=self.body, url=url)

    def send(self, method: str, url: str, body: bytes = b"", **_: object) -> Answer:  # type: ignore[override]
        self.sent.append((url, None))
        self.forms.append(parse_qs(body.decode()))
        return Answer(status=200, headers={}, body=b'{"access_token": "def"}', url=url)


def environment(tmp_path: Path, document: object) -> dict[str, str]:
    (tmp_path / ".docker").mkdir(exist_ok=True)
    (tmp_path / ".docker" / "config.json").write_text(json.dumps(document))
    return {"HOME": str(tmp_path)}


def challenged(header: str, url: str) -> Answer:
    return Answer(status=401, headers={"www-authenticate": header}, body=b"", url=url)


def answered(
    http: Recorder, target: str, header: str, known: Mapping[str, str], url: str | None = None
) -> Auth:
    name = parse(target)
    auth = Auth(http, name, known)
    auth.answer(challenged(header, url or f"{name.url}/manifests/v1"))
    return auth


def test_a_token_is_asked_for_with_our_scope_and_not_with_the_one_of_the_challenge(tmp_path: Path) -> None:
    http, known = Recorder(), environment(tmp_path, {"auths": {"r.example": {"auth": AUTH}}})
    header = 'Bearer realm="https://r.example/token?a=b",service="s s",scope="repository:other:*"'
    auth = answered(http, "oci://r.example/org/m:v1", header, known)
    url = "https://r.example/token?a=b&service=s+s&scope=repository%3Aorg%2Fm%3Apull"
    assert http.sent == [(url, BASIC)]
    assert auth.secret == Secret(header="Authorization", value="Bearer abc")
    auth.may("pull,push")
    assert auth.secret is None


@pytest.mark.parametrize(
    ("registry", "realm", "gets"),
    [
        ("r.example", "https://r.example/token", True),
        ("r.example:8443", "https://R.example/token", True),
        ("registry.gitlab.example", "https://gitlab.example/jwt/auth", True),
        ("registry-1.docker.example", "https://auth.docker.example/token", True),
        ("docker.io", "https://auth.docker.io/token", True),
        ("r.example", "https://evil.example/token", False),
        ("r.good.example", "https://good.example.evil.test/token", False),
        ("r.good.example", "https://evilgood.example/token", False),
        ("r.good.example", "https://evil.test/token", False),
        ("r.good.example", "https://example/token", False),
        ("10.0.0.1", "https://10.0.0.2/token", False),
        ("10.0.0.1", "https://evil.0.0.1/token", False),
        ("[2001:db8::1]", "https://[2001:db8::2]/token", False),
    ],
)
def test_a_token_service_of_another_domain_is_asked_without_credentials(
    registry: str, realm: str, gets: bool, tmp_path: Path
) -> None:
    http, known = Recorder(), environment(tmp_path, {"auths": {registry: {"auth": AUTH}}})
    answered(http, f"oci://{registry}/org/m:v1", f'Bearer realm="{realm}"', known)
    assert [secret for _, secret in http.sent] == [BASIC if gets else None]


def test_a_token_service_of_another_domain_that_wants_credentials_is_told(tmp_path: Path) -> None:
    http = Recorder(anonymous=False)
    known = environment(tmp_path, {"auths": {"r.good.example": {"auth": AUTH}}})
    with pytest.raises(UnreadableError, match="does not get the credentials") as caught:
        answered(http, "oci://r.good.example/m:v1", 'Bearer realm="https://evil.test/t"', known)
    assert caught.value.reason is Reason.DENIED
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    "realm",
    [
        "http://r.example/token", "http://127.0.0.1/token", "ftp://r.example", "/token", "", "https://", "https://[",
        "https://user@r.example/t", "https://r.example:99999/", "https://r.example/a b", "https://r.example/#f",
        "file:///etc/passwd", "https://r.example/\x00",
    ],
)  # fmt: skip
def test_a_token_service_that_is_no_https_address_is_not_asked(realm: str, tmp_path: Path) -> None:
    http, known = Recorder(), environment(tmp_path, {"auths": {"r.example": {"auth": AUTH}}})
    with pytest.raises(UnreadableError) as caught:
        answered(http, "oci://r.example/m:v1", f'Bearer realm="{realm}"', known)
    assert (caught.value.reason, http.sent) == (Reason.MALFORMED, [])


def test_on_loopback_a_token_service_may_speak_plain_http_on_the_same_host_only() -> None:
    http = Recorder()
    answered(http, "oci://127.0.0.1:5000/m:v1", 'Bearer realm="http://127.0.0.1:5000/t"', {})
    assert len(http.sent) == 1
    with pytest.raises(UnreadableError, match="no https:// address"):
        answered(http, "oci://127.0.0.1:5000/m:v1", 'Bearer realm="http://localhost:5000/t"', {})
    with pytest.raises(UnreadableError, match="no https:// address"):
        answered(http, "oci://r.example/m:v1", 'Bearer realm="http://r.example/t"', {})


@pytest.mark.parametrize(
    "url", ["https://cdn.example/blob", "https://r.example:444/v2/m", "http://r.example/v2/m"]
)
def test_whoever_the_registry_leads_to_cannot_ask_for_credentials(url: str, tmp_path: Path) -> None:
    http, known = Recorder(), environment(tmp_path, {"auths": {"r.example": {"auth": AUTH}}})
    for header in ('Bearer realm="https://r.example/t"', "Basic"):
        with pytest.raises(UnreadableError, match="gets none"):
            answered(http, "oci://r.example/m:v1", header, known, url)
    assert http.sent == []


@pytest.mark.parametrize("header", ["Basic", 'basic realm="x"', 'Negotiate, Basic realm="x, Bearer y"'])
def test_basic_is_answered_with_the_credentials_of_the_registry(header: str, tmp_path: Path) -> None:
    entry = {"username": "robot", "password": "pass:word"}
    known = environment(tmp_path, {"auths": {"https://r.example/v2/": entry}})
    auth = answered(Recorder(), "oci://r.example/m:v1", header, known)
    assert auth.secret == Secret(header="Authorization", value=BASIC)


def test_of_two_challenges_the_token_is_preferred() -> None:
    http = Recorder()
    answered(
        http, "oci://r.example/m:v1", 'Basic realm="x", Bearer realm="https://r.example/t",service="s"', {}
    )
    assert http.sent[0][0].startswith("https://r.example/t?service=s&")


def test_a_refresh_token_is_exchanged(tmp_path: Path) -> None:
    http, known = Recorder(), environment(tmp_path, {"auths": {"r.example": {"identitytoken": "refresh"}}})
    header = 'Bearer realm="https://r.example/t",service="s"'
    auth = answered(http, "oci://r.example/m:v1", header, known)
    assert http.forms == [
        {
            "grant_type": ["refresh_token"],
            "client_id": ["aibom"],
            "refresh_token": ["refresh"],
            "service": ["s"],
            "scope": ["repository:m:pull"],
        }
    ]
    assert auth.secret == Secret(header="Authorization", value="Bearer def")
    http = Recorder()
    answered(http, "oci://r.example/m:v1", 'Bearer realm="https://evil.test/t"', known)
    assert http.forms == []


def test_a_token_of_the_configuration_is_used_from_the_first_request_on(tmp_path: Path) -> None:
    known = environment(tmp_path, {"auths": {"r.example": {"registrytoken": "xyz"}}})
    auth = Auth(Recorder(), parse("oci://r.example/m"), known)
    auth.may("pull,push")
    assert auth.secret == Secret(header="Authorization", value="Bearer xyz")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"token": ""}', b'{"token": "a b"}', b'{"token": "a\\r\\nX: y"}',
             b'{"token": 1}', b'{"token": "%b"}' % (b"a" * 70_000)],
    ids=["empty", "list", "none", "blank", "space", "line-end", "number", "long"],
)  # fmt: skip
def test_a_token_that_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        answered(Recorder(body), "oci://r.example/m:v1", 'Bearer realm="https://r.example/t"', {})
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("header", ["", "Negotiate", "Bearerx", "Basic"])
def test_without_credentials_it_is_said_where_they_belong(header: str) -> None:
    with pytest.raises(UnreadableError, match=r"`auths` of ~/\.docker/config\.json has none") as caught:
        answered(Recorder(), "oci://r.example/m:v1", header, {})
    assert caught.value.reason is Reason.DENIED


@pytest.mark.parametrize("keeper", [{"credsStore": "desktop"}, {"credHelpers": {"r.example": "ecr-login"}}])
def test_a_program_that_keeps_credentials_is_not_run_and_that_is_said(
    keeper: dict[str, object], tmp_path: Path
) -> None:
    known = environment(tmp_path, {"auths": {"r.example": {}}, **keeper})
    with pytest.raises(UnreadableError, match="such programs are not run"):
        answered(Recorder(), "oci://r.example/m:v1", "Basic", known)


@pytest.mark.parametrize(
    ("key", "target", "found"),
    [
        ("r.example", "oci://r.example/org/m", True),
        ("https://r.example", "oci://r.example/org/m", True),
        ("https://r.example/v1/", "oci://r.example/org/m", True),
        ("r.example/org", "oci://r.example/org/m", True),
        ("r.example/org/m", "oci://r.example/org/m", True),
        ("r.example/other", "oci://r.example/org/m", False),
        ("r.example/or", "oci://r.example/org/m", False),
        ("r.example:443", "oci://r.example/org/m", False),
        ("other.example", "oci://r.example/org/m", False),
        ("https://index.docker.io/v1/", "oci://docker.io/m", True),
        ("docker.io", "oci://docker.io/m", True),
        ("index.docker.io", "oci://r.example/org/m", False),
    ],
)
def test_an_entry_is_for_its_registry_or_a_part_of_it(
    key: str, target: str, found: bool, tmp_path: Path
) -> None:
    known, _ = credentials_for(parse(target), environment(tmp_path, {"auths": {key: {"auth": AUTH}}}))
    assert (known is not None) is found


def test_the_entry_for_the_longest_name_wins(tmp_path: Path) -> None:
    other = base64.b64encode(b"other:x").decode()
    auths = {"r.example": {"auth": AUTH}, "r.example/org": {"auth": other}}
    known, _ = credentials_for(parse("oci://r.example/org/m"), environment(tmp_path, {"auths": auths}))
    assert known is not None
    assert known.user == "other"


@pytest.mark.parametrize("variable", ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG"])
def test_the_environment_names_another_configuration(variable: str, tmp_path: Path) -> None:
    home = environment(tmp_path, {"auths": {}})
    (tmp_path / "other").mkdir()
    file = tmp_path / "other" / "config.json"
    file.write_text(json.dumps({"auths": {"r.example": {"auth": AUTH}}}))
    place = str(file if variable == "REGISTRY_AUTH_FILE" else file.parent)
    known, _ = credentials_for(parse("oci://r.example/m"), {**home, variable: place})
    assert known is not None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", Reason.MALFORMED),
        ('{"auths": {"r.example": {"auth": "%%%"}}}', Reason.MALFORMED),
        ('{"auths": {"r.example": {"auth": "/w=="}}}', Reason.MALFORMED),
        ('{"auths": {"r.example": {"registrytoken": "a b"}}}', Reason.MALFORMED),
        (" " * (1024 * 1024 + 1), Reason.MALFORMED),
    ],
    ids=["json", "base64", "utf-8", "token", "large"],
)
def test_a_damaged_configuration_is_told_without_what_is_in_it(
    text: str, reason: Reason, tmp_path: Path
) -> None:
    home = environment(tmp_path, {})
    (tmp_path / ".docker" / "config.json").write_text(text)
    with pytest.raises(UnreadableError, match="configuration of Docker") as caught:
        credentials_for(parse("oci://r.example/m"), home)
    assert caught.value.reason is reason
    assert str(tmp_path) not in str(caught.value)


def test_nothing_that_is_secret_is_in_a_representation(tmp_path: Path) -> None:
    known, _ = credentials_for(
        parse("oci://r.example/m"), environment(tmp_path, {"auths": {"r.example": {"auth": AUTH}}})
    )
    assert known is not None
    assert "robot" not in repr(known)
    assert "pass" not in repr(known)
