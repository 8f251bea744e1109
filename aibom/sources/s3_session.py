"""A client for S3 that knows only what the user's environment says.

Nothing is asked of instance or container metadata, of a sign-in service or of a program: keys come from
the environment or from the two profile files, and without keys requests are not signed. botocore speaks
HTTP itself; what it sends and receives goes through `_Transport`, which bounds both.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import MIB

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.client import BaseClient
    from botocore.httpsession import URLLib3Session
    from botocore.session import Session

ANSWER_BYTES: Final = 8 * MIB  # of an answer in XML: 1,000 keys of 1,024 bytes, percent-encoded, are 4 MiB
ATTEMPT_COUNT: Final = 4
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 30  # until the next bytes
CONNECTION_COUNT: Final = 16
_PIECE_BYTES: Final = 64 * 1024
AWS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_REGION: Final = re.compile(r"[a-z0-9-]{1,40}\Z")
# Ways to keys that would need a program, a sign-in or another service.
_INDIRECT: Final = (
    "role_arn", "sso_session", "sso_start_url", "credential_process", "web_identity_token_file",
    "login_session",
)  # fmt: skip
_INDIRECT_ENVIRONMENT: Final = (
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)  # fmt: skip
_EXPORT: Final = 'run `eval "$(aws configure export-credentials --format env)"` first'

Section = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one client is made of. Holds keys: shown nowhere."""

    endpoint: str | None  # None: the one of AWS for the region
    region: str
    key: str | None = field(repr=False)  # None: requests are not signed
    secret: str | None = field(repr=False)
    token: str | None = field(repr=False)
    certificates: str | None  # a file of authorities
    proxy: str | None = field(repr=False)
    style: str  # path, virtual, auto: where the name of the bucket goes


def settings(environment: Mapping[str, str]) -> Settings:
    """The settings as the AWS documentation ("SDKs and Tools Reference Guide") names them.

    Raises `UnreadableError`: malformed (an address, region or file that is none), unsupported (keys that
    only a program, a sign-in or another service can give), and when botocore is not installed.
    """
    profile, services = _profile(environment)
    own = services.get("s3")
    ignored = environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"
    places = (
        environment.get("AWS_ENDPOINT_URL_S3"),
        environment.get("AWS_ENDPOINT_URL"),
        _text(own if isinstance(own, Mapping) else {}, "endpoint_url"),
        _text(profile, "endpoint_url"),
    )
    endpoint = None if ignored else _checked(next(filter(None, places), None))
    key, secret, token = _keys(environment, profile)
    named = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or _text(profile, "region")
    if named and not _REGION.match(named):
        raise malformed("the region (AWS_REGION, or that of the profile) is no name of a region")
    store = profile.get("s3")
    style = _text(store if isinstance(store, Mapping) else {}, "addressing_style")
    return Settings(
        endpoint=endpoint,
        region=named or "us-east-1",
        key=key,
        secret=secret,
        token=token,
        certificates=environment.get("AWS_CA_BUNDLE")
        or _text(profile, "ca_bundle")
        or environment.get("REQUESTS_CA_BUNDLE"),
        proxy=_proxy(environment, endpoint),
        # Most stores of others answer under one host name only.
        style=style if style in ("path", "virtual") else ("path" if endpoint else "auto"),
    )


def _profile(environment: Mapping[str, str]) -> tuple[Section, Section]:
    """The chosen profile, with the keys of the credentials file on top, and its section of services."""
    named = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
    name = named or "default"
    config = _parsed(environment, "AWS_CONFIG_FILE", "config")
    profiles, services = config.get("profiles"), config.get("services")
    configured = _section(profiles, name)
    keys = _section(_parsed(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials", nested=False), name)
    profile = {**configured, **keys}
    if named and not profile:
        raise malformed("the profile (AWS_PROFILE) is in neither of the two files of profiles")
    return profile, _section(services, _text(profile, "services") or "")


def _section(sections: object, name: str) -> Section:
    found = sections.get(name) if isinstance(sections, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _parsed(environment: Mapping[str, str], variable: str, name: str, *, nested: bool = True) -> Section:
    home = environment.get("HOME")
    path = environment.get(variable) or (os.path.join(home, ".aws", name) if home else "")  # noqa: PTH118
    if not path:
        return {}
    _check_installed()
    from botocore.configloader import load_config, raw_config_parse  # noqa: PLC0415 - heavy
    from botocore.exceptions import ConfigNotFound, ConfigParseError  # noqa: PLC0415 - heavy

    try:
        parsed: Section = load_config(path) if nested else raw_config_parse(path)
    except ConfigNotFound:
        return {}
    except (ConfigParseError, OSError, ValueError):
        raise malformed(f"the file of profiles ({variable}, or ~/.aws/{name}) cannot be parsed") from None
    return parsed


def _text(section: Section, name: str) -> str | None:
    value = section.get(name)
    return value if isinstance(value, str) and value else None


def _keys(environment: Mapping[str, str], profile: Section) -> tuple[str | None, str | None, str | None]:
    """Key, secret and token; those of the environment count before those of a profile."""
    own = {name.lower(): value for name, value in environment.items() if name.startswith("AWS_")}
    for section in (own, profile):
        key, secret = _text(section, "aws_access_key_id"), _text(section, "aws_secret_access_key")
        if key and secret:
            return key, secret, _text(section, "aws_session_token")
        if key or secret:
            raise malformed("of the access key and its secret only one is set")
    if any(name in profile for name in _INDIRECT) or any(map(environment.get, _INDIRECT_ENVIRONMENT)):
        raise unsupported(f"the keys come from a role, a sign-in or a program, which is not asked: {_EXPORT}")
    return None, None, None


def _checked(endpoint: str | None) -> str | None:
    if endpoint is None:
        return None
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise malformed("the endpoint (AWS_ENDPOINT_URL) is no URL") from None
    if parts.scheme not in ("https", "http") or not host or not endpoint.isprintable():
        raise malformed("the endpoint (AWS_ENDPOINT_URL) has to begin with https:// and a host")
    if parts.username is not None or parts.query or parts.fragment:
        raise malformed("the endpoint (AWS_ENDPOINT_URL) has no user, no `?` and no `#`")
    return endpoint


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _proxy(environment: Mapping[str, str], endpoint: str | None) -> str | None:
    """For https only: a proxy could read and change the rest."""
    host = urlsplit(endpoint or "https://s3.amazonaws.com").hostname or ""
    excepted = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    without = [each.strip().lstrip("*.").lower() for each in excepted.split(",")]
    if is_loopback(host) or any(each and f".{host}".endswith(f".{each}") for each in without):
        return None
    return environment.get("HTTPS_PROXY") or environment.get("https_proxy")


def _check_installed() -> None:
    try:
        import botocore.session  # noqa: F401, PLC0415 - heavy, optional
    except ImportError:
        raise unsupported("s3:// needs another package: pip install 'aibom[s3]'") from None


@lru_cache(maxsize=8)  # a client is made in 200 ms, and safe to share between threads
def client(made_of: Settings) -> BaseClient:
    """A client; the same settings give the same one. Raises `UnreadableError`."""
    _check_installed()
    from botocore import UNSIGNED  # noqa: PLC0415 - heavy
    from botocore.config import Config  # noqa: PLC0415 - heavy
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - heavy

    config = Config(
        signature_version=None if made_of.key else UNSIGNED,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPT_COUNT},
        proxies={},  # None would let botocore look into the environment of the process
        s3={"addressing_style": made_of.style},
        request_checksum_calculation="when_required",  # other stores refuse what they do not know
        response_checksum_validation="when_required",
        ignore_configured_endpoint_urls=True,
    )
    try:
        made = _session().create_client(
            "s3",
            region_name=made_of.region,
            endpoint_url=made_of.endpoint,
            aws_access_key_id=made_of.key,
            aws_secret_access_key=made_of.secret,
            aws_session_token=made_of.token,
            config=config,
            verify=True,
        )
    except (BotoCoreError, ValueError, OSError) as error:
        raise malformed(f"no client for S3 can be made of these settings ({type(error).__name__})") from None
    made.meta.events.register("before-send.s3", _Transport(made_of, made.meta.endpoint_url))
    made.meta.events.register("before-call.s3.HeadBucket", _refuse)
    return made


def _session() -> Session:
    """A session without the environment of the process, its files and its plugins."""
    from botocore.configprovider import (  # noqa: PLC0415 - heavy
        BOTOCORE_DEFAUT_SESSION_VARIABLES,
        ConfigValueStore,
        ConstantProvider,
    )
    from botocore.session import Session  # noqa: PLC0415 - heavy

    constants = {name: ConstantProvider(row[2]) for name, row in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    constants |= {name: ConstantProvider(None) for name in ("profile", "config_file", "credentials_file")}
    session = Session()
    session.register_component("config_store", ConfigValueStore(mapping=constants))
    return session


def _refuse(**_: object) -> None:
    """Of a redirect that names no region botocore asks where the bucket is, and a redirect of that answer
    again, until the stack is full.
    """
    raise unsupported("the store refuses, as it does for a bucket of another region: set AWS_REGION")


class _Transport:
    """Sends for botocore: to the named host only, follows nothing, and bounds what it takes into memory."""

    def __init__(self, made_of: Settings, endpoint: str) -> None:
        from botocore.httpsession import URLLib3Session  # noqa: PLC0415 - heavy

        self._host = (urlsplit(endpoint).hostname or "").lower()
        self._aws = made_of.endpoint is None
        self._session: URLLib3Session = URLLib3Session(
            verify=made_of.certificates or True,
            proxies={"https": made_of.proxy} if made_of.proxy else {},
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            max_pool_connections=CONNECTION_COUNT,
        )

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        host = (urlsplit(request.url).hostname or "").lower()
        # A bucket has a host of its own below the endpoint, and in AWS maybe in another region.
        if not f".{host}".endswith((f".{self._host}", *(AWS if self._aws else ()))):
            raise unsupported("the store sends on to another host, which is not followed")
        streams, request.stream_output = request.stream_output, True  # else all of it is read at once
        answer = self._session.send(request)
        if not streams or answer.status_code >= 300:
            answer.raw = _Body(b"".join(_bounded(answer)))
        return answer


class _Body:
    """A body that is in memory already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Iterator[bytes]:
        yield self._data

    def read(self, amount: int | None = None) -> bytes:
        taken, self._data = self._data[:amount], self._data[len(self._data[:amount]) :]
        return taken


def _bounded(answer: AWSResponse) -> Iterator[bytes]:
    from botocore.exceptions import HTTPClientError  # noqa: PLC0415 - heavy
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - heavy

    length = 0
    try:
        for piece in answer.raw.stream(_PIECE_BYTES, decode_content=False):
            length += len(piece)
            if length > ANSWER_BYTES:
                answer.raw.close()
                raise over_limit(f"the store answers with more than {ANSWER_BYTES // MIB} MiB")
            yield piece
    except (HTTPError, OSError) as error:
        raise HTTPClientError(error=error) from None  # which botocore tries again
