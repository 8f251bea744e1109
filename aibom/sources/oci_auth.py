"""Who we are to an OCI registry: Basic, or a token from the service that the registry names.

Flow: Docker registry token authentication (`WWW-Authenticate: Bearer realm=,service=`), with the scope that
we need and never the one that is asked for. Credentials come from the `auths` of the configuration that
`docker login` and `podman login` write; programs that keep credentials are not run.

Only the credentials of the registry itself are ever used, and they go to the registry's own origin, and to
a token service on the same host or on one that shares the domain above the registry's first label
(`registry.gitlab.com` and `gitlab.com`). Any other token service is asked without them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.domain.limits import KIB, MIB
from aibom.readers import json
from aibom.sources.http import Answer, Http, Secret
from aibom.sources.oci_names import Name, is_loopback

CONFIGURATION_BYTES: Final = 1 * MIB
CHALLENGE_CHARS: Final = 8 * KIB
TOKEN_CHARS: Final = 64 * KIB
_CHALLENGE: Final = re.compile(r"(?:^|,)\s*(Bearer|Basic)(?=\s|,|$)", re.IGNORECASE)
_PARAMETER: Final = re.compile(r'([a-z]{1,32})\s*=\s*"([^"]*)"', re.IGNORECASE)
_QUOTED: Final = re.compile(r'"[^"]*"')
_TOKEN: Final = re.compile(r"[!-~]+")
_KEEPERS: Final = ("credsStore", "credHelpers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What is known for one registry."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)  # `identitytoken`
    bearer: str = field(default="", repr=False)  # `registrytoken`

    @property
    def basic(self) -> str:
        return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"


class Auth:
    """Answers the challenges of one registry for one repository; shared by the threads of a run."""

    def __init__(self, http: Http, name: Name, environment: Mapping[str, str]) -> None:
        self._http, self._name = http, name
        self._known, self._kept_elsewhere = credentials_for(name, environment)
        self.actions = "pull"
        self.secret = self._first()

    def may(self, actions: str) -> None:
        """From now on a token has to allow these (`pull,push`)."""
        if self.actions != actions:
            self.actions, self.secret = actions, self._first()

    def _first(self) -> Secret | None:
        """What is sent before anything is asked for."""
        bearer = self._known.bearer if self._known is not None else ""
        return _authorization(f"Bearer {bearer}") if bearer else None

    def answer(self, challenged: Answer) -> None:
        """Finds the secret that a 401 asks for. Raises denied when there is none."""
        if origin_of(challenged.url) != origin_of(self._name.origin):
            raise _denied("a host that the registry leads to asks for credentials, and gets none")
        challenges = _challenges(challenged.headers.get("www-authenticate", ""))
        if "bearer" in challenges:
            self.secret = self._token(challenges["bearer"])
        elif "basic" in challenges and self._known is not None and self._known.user:
            self.secret = _authorization(self._known.basic)
        else:
            raise self.refusal()

    def refusal(self) -> UnreadableError:
        """Why the registry does not let us in, and what helps."""
        if self._kept_elsewhere:
            return _denied(
                "the registry asks for credentials; those are kept by a program (credsStore or credHelpers), "
                "and such programs are not run: put them into `auths` of a file that REGISTRY_AUTH_FILE names"
            )
        if self._known is not None:
            return _denied("the registry refuses the credentials that `auths` holds for it")
        return _denied("the registry asks for credentials; `auths` of ~/.docker/config.json has none for it")

    def _token(self, challenge: Mapping[str, str]) -> Secret:
        realm = challenge.get("realm", "")
        _check_realm(realm, self._name)
        asked = {
            "service": challenge.get("service", ""),
            "scope": f"repository:{self._name.repository}:{self.actions}",
        }
        known = self._known if _is_near(realm, self._name.origin) else None
        try:
            answer = self._ask(realm, {key: value for key, value in asked.items() if value}, known)
        except UnreadableError as error:
            if error.reason is not Reason.DENIED:
                raise
            raise (_denied(_FAR) if self._known is not None and known is None else self.refusal()) from None
        return _authorization(f"Bearer {_token_in(answer)}")

    def _ask(self, realm: str, asked: dict[str, str], known: Credentials | None) -> Answer:
        if known is not None and known.refresh:
            form = {
                **asked,
                "grant_type": "refresh_token",
                "client_id": "aibom",
                "refresh_token": known.refresh,
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._http.send("POST", realm, urlencode(form).encode(), headers=headers, accepted=(200,))
        secret = _authorization(known.basic) if known is not None and known.user else None
        return self._http.get(f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}", secret=secret)


_FAR: Final = (
    "the token service of the registry is on a host of another domain, which does not get the credentials, "
    "and it gives no token without them"
)


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; raises malformed when there are none."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise malformed("the registry names an address that is none") from None
    return parts.scheme, host, port or (80 if parts.scheme == "http" else 443)


def _check_realm(realm: str, name: Name) -> None:
    scheme, host, _ = origin_of(realm)
    own = scheme == "http" and is_loopback(host) and host == origin_of(name.origin)[1]
    if not own and (scheme != "https" or not host):
        raise malformed("the registry names a token service that is no https:// address")
    if not realm.isprintable() or set(' #"') & set(realm) or "@" in urlsplit(realm).netloc:
        raise malformed("the registry names a token service whose address is none")


def _is_near(realm: str, origin: str) -> bool:
    """Whether a token service gets the registry's credentials."""
    theirs, ours = origin_of(realm)[1], origin_of(origin)[1]
    above = ours.partition(".")[2]
    is_domain = "." in above and not above.replace(".", "").isdigit() and ":" not in ours
    return theirs == ours or (is_domain and (theirs == above or theirs.endswith(f".{above}")))


def _challenges(header: str) -> dict[str, dict[str, str]]:
    """The parameters of each scheme that we speak, by its name in lower case (RFC 9110, 11.6.1)."""
    header = header[:CHALLENGE_CHARS]
    # What is quoted may look like another scheme.
    bare = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), header)
    end, found = len(header), dict[str, dict[str, str]]()
    for mark in reversed(list(_CHALLENGE.finditer(bare))):
        pairs = _PARAMETER.findall(header[mark.end() : end])
        end, found[mark[1].lower()] = mark.start(), {key.lower(): value for key, value in pairs}
    return found


def _token_in(answer: Answer) -> str:
    fields = json.members(json.parse(answer.body))
    token = json.text(fields.get("token")) or json.text(fields.get("access_token")) or ""
    if len(token) > TOKEN_CHARS or _TOKEN.fullmatch(token) is None:
        raise malformed("the token service answers without a token")
    return token


def _authorization(value: str) -> Secret:
    return Secret(header="Authorization", value=value)


def _denied(message: str) -> UnreadableError:
    return UnreadableError(Reason.DENIED, message)


def credentials_for(name: Name, environment: Mapping[str, str]) -> tuple[Credentials | None, bool]:
    """What the first configuration that exists knows, and whether a program keeps more.

    Looked for: `$REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG/config.json`, `$HOME/.docker/config.json`.
    """
    for path in _configurations(environment):
        document = _read(path)
        if document is not None:
            known = _chosen(json.members(document.get("auths")), name)
            return known, known is None and any(document.get(key) for key in _KEEPERS)
    return None, False


def _configurations(environment: Mapping[str, str]) -> list[Path]:
    paths = [Path(environment["REGISTRY_AUTH_FILE"])] if environment.get("REGISTRY_AUTH_FILE") else []
    if environment.get("DOCKER_CONFIG"):
        paths.append(Path(environment["DOCKER_CONFIG"], "config.json"))
    if environment.get("HOME"):
        paths.append(Path(environment["HOME"], ".docker", "config.json"))
    return paths


def _read(path: Path) -> dict[str, json.Json] | None:
    """The configuration; None when there is none. Nothing of an unreadable one is shown."""
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > CONFIGURATION_BYTES:
            raise malformed("the configuration of Docker is too large to be one")
        return json.members(json.parse(path.read_bytes()))
    except (OSError, ValueError):
        raise _denied("the configuration of Docker cannot be read") from None
    except UnreadableError:
        raise malformed("the configuration of Docker is not JSON") from None


def _chosen(auths: Mapping[str, json.Json], name: Name) -> Credentials | None:
    """The entry of the longest name that the repository lies in (containers-auth.json, 5)."""
    entries = {_bare(key): json.members(value) for key, value in auths.items()}
    parts = name.location.split("/")
    places = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
    if name.host == "docker.io":
        places += ["index.docker.io", "registry-1.docker.io"]
    found = (_credentials(entries[place]) for place in places if place in entries)
    return next((one for one in found if one is not None), None)


def _bare(key: str) -> str:
    """A key without the scheme and version that older clients wrote."""
    key = key.partition("://")[2] if "://" in key else key
    return re.sub(r"/(?:v1|v2)?/?\Z", "", key)


def _credentials(entry: Mapping[str, json.Json]) -> Credentials | None:
    refresh, bearer = json.text(entry.get("identitytoken")) or "", json.text(entry.get("registrytoken")) or ""
    user, password = json.text(entry.get("username")) or "", json.text(entry.get("password")) or ""
    if auth := json.text(entry.get("auth")):
        try:
            user, _, password = base64.b64decode(auth, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise malformed("the configuration of Docker holds credentials that are none") from None
    if not (user or refresh or bearer):
        return None
    if bearer and _TOKEN.fullmatch(bearer) is None:
        raise malformed("the configuration of Docker holds credentials that are none")
    return Credentials(user=user, password=password.rstrip("\0"), refresh=refresh, bearer=bearer)
