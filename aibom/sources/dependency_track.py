"""OWASP Dependency-Track: uploads a bill of materials, and asks whether it is processed.

Not a place to scan. API: `POST /api/v1/bom` (multipart) and `GET /api/v1/bom/token/{uuid}`; problems are
told as RFC 9457 says. The key goes to the one host that was named, and into no message.
"""

from __future__ import annotations

import ipaddress
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported
from aibom.domain.limits import MIB
from aibom.domain.text import capped, visible
from aibom.readers import json

if TYPE_CHECKING:
    import requests

ANSWER_BYTES: Final = 1 * MIB
ATTEMPT_COUNT: Final = 5
CONNECT_SECONDS: Final = 10.0
LONGEST_PAUSE_SECONDS: Final = 30.0
POLL_SECONDS: Final = 2.0
TOLD_COUNT: Final = 5  # errors of a problem
TOLD_CHARS: Final = 500
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KEY: Final = re.compile(r"[!-~]{1,4096}")
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
_REASONS: Final = {401: Reason.DENIED, 403: Reason.DENIED, 404: Reason.MISSING}
_REMEDIES: Final = {
    400: "correct the document: `aibom validate` says more",
    401: "is the key right, and may its team upload (BOM_UPLOAD) and create projects?",
    403: "may the team of the key see the project?",
    404: "is the address that of the API server, and does the project (or its parent) exist?",
}


def is_uuid(text: str) -> bool:
    """Whether it names a project by its identifier."""
    return _UUID.fullmatch(text) is not None


def base_url(url: str) -> str:
    """The address of the API server without `/api`; raises malformed unless the key can go there unread.

    Plain HTTP is for the loopback address only.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise malformed("the address is no URL") from None
    if parts.scheme not in ("https", "http") or not host:
        raise malformed("the address has to begin with https:// and a host")
    if parts.username is not None or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise malformed(
            "the address has no user, no `?`, no `#` and no blank: the key comes from the environment"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise malformed("plain http:// would show the key to the network: use https://")
    return url.rstrip("/").removesuffix("/api/v1/bom").removesuffix("/api")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@dataclass(frozen=True, slots=True)
class DependencyTrack:
    """One server, a key for it, and until when (`time.monotonic`) everything has to be done."""

    url: str  # as `base_url` gives it
    key: str = field(repr=False)
    until: float
    pause: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        # The library would show a key that is no header in its error.
        if not _KEY.fullmatch(self.key):
            raise malformed("the key is empty, or holds what no key holds (blanks, line ends)")

    def upload(self, bom: bytes, name: str, fields: Mapping[str, str]) -> str:
        """Uploads a CycloneDX document; the token by which its processing can be followed.

        `fields` are those of the API. Raises `UnreadableError`: malformed (refused), denied, missing (no
        such project), io-error (not reached, too busy, too slow), unsupported (another answer).
        """
        files = {"bom": (name, bom, "application/json")}
        answer = self._ask("POST", "/api/v1/bom", {"data": dict(fields), "files": files})
        token = json.text(answer.get("token"))
        if token is None or not is_uuid(token):
            raise unsupported("the server took the document and gave no token: is it Dependency-Track?")
        return token

    def wait(self, token: str) -> None:
        """Returns when the document is processed. Raises as `upload` does; io-error when time is over."""
        while self._is_processing(token):
            self._sleep(POLL_SECONDS, "it is still being processed")

    def _is_processing(self, token: str) -> bool:
        processing = self._ask("GET", f"/api/v1/bom/token/{token}", {}).get("processing")
        if not isinstance(processing, bool):
            raise unsupported("the server does not say whether the document is processed")
        return processing

    def _ask(self, method: str, path: str, content: dict[str, object]) -> dict[str, json.Json]:
        answer = self._attempt(method, path, content)
        for attempt in range(ATTEMPT_COUNT - 1):
            if isinstance(answer, _Answer) and answer.status not in _BUSY:
                break
            self._sleep(_pause(attempt, answer), "the server is too busy, or cannot be reached")
            answer = self._attempt(method, path, content)
        if isinstance(answer, UnreadableError):
            raise answer
        return self._read(answer)

    def _sleep(self, seconds: float, why: str) -> None:
        if time.monotonic() + seconds >= self.until:
            raise UnreadableError(Reason.IO_ERROR, f"the time is over (--timeout): {why}")
        self.pause(seconds)

    def _attempt(self, method: str, path: str, content: dict[str, object]) -> _Answer | UnreadableError:
        """The answer, or why there is none and it may help to ask again."""
        got: list[_Answer | UnreadableError] = []
        # The library's time limit begins anew with every byte; a thread that is left behind does not.
        thread = threading.Thread(
            target=lambda: got.append(self._exchange(method, path, content)), daemon=True
        )
        thread.start()
        thread.join(max(0.0, self.until - time.monotonic()))
        if not got:
            raise UnreadableError(Reason.IO_ERROR, "the time is over (--timeout): the server is too slow")
        if isinstance(got[0], UnreadableError) and got[0].reason is not Reason.IO_ERROR:
            raise got[0]
        return got[0]

    def _exchange(self, method: str, path: str, content: dict[str, object]) -> _Answer | UnreadableError:
        import requests  # noqa: PLC0415 - 100 ms

        try:
            with self._session() as session:
                return _received(session, method, f"{self.url}{path}", content)
        except requests.exceptions.SSLError:
            message = (
                "the certificate of the server is not trusted: name the authorities that are, in the "
                "environment variable REQUESTS_CA_BUNDLE"
            )
            return UnreadableError(Reason.DENIED, message)
        except requests.exceptions.ConnectionError:
            return UnreadableError(Reason.IO_ERROR, "the server cannot be reached, or ended the connection")
        except (requests.exceptions.RequestException, OSError, ValueError) as error:
            return UnreadableError(Reason.IO_ERROR, f"the exchange failed ({type(error).__name__})")

    def _session(self) -> requests.Session:
        import requests  # noqa: PLC0415 - 100 ms

        session = requests.Session()
        session.headers.update({"X-Api-Key": self.key, "Accept": "application/json", "User-Agent": "aibom"})
        # A proxy of the environment would read what goes to it without encryption.
        session.trust_env = self.url.startswith("https://")
        session.auth = _as_it_is  # else the library looks for a password in ~/.netrc
        return session

    def _read(self, answer: _Answer) -> dict[str, json.Json]:
        if 300 <= answer.status < 400:
            place = self._shown(urlsplit(answer.location).netloc or answer.location or "nowhere")
            raise unsupported(
                f"the server sends on to {place}, which is not followed: name that address if it is right"
            )
        if answer.status != 200:
            raise self._problem(answer)
        try:
            return json.members(json.parse(answer.body))
        except UnreadableError:
            raise unsupported("the answer is not JSON: is the address that of the API server?") from None

    def _problem(self, answer: _Answer) -> UnreadableError:
        told = "; ".join(filter(None, (self._shown(text) for text in _details(answer))))
        remedy = _REMEDIES.get(answer.status, "")
        message = ": ".join(filter(None, (f"the server answered {answer.status}", told, remedy)))
        busy = answer.status in _BUSY
        reason = Reason.IO_ERROR if busy else _REASONS.get(answer.status, Reason.UNSUPPORTED)
        return UnreadableError(Reason.MALFORMED if answer.status == 400 else reason, message)

    def _shown(self, text: str) -> str:
        return capped(visible(text.replace(self.key, "[key]").strip()), TOLD_CHARS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    kind: str
    body: bytes
    location: str
    retry_after: str


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _received(session: requests.Session, method: str, url: str, content: dict[str, object]) -> _Answer:
    limits = (CONNECT_SECONDS, None)  # for a byte; `_attempt` bounds the whole
    response = session.request(
        method, url, timeout=limits, stream=True, allow_redirects=False, **content  # type: ignore[arg-type]
    )  # fmt: skip
    body = b""
    with response:
        for piece in response.iter_content(64 * 1024):
            body += piece
            if len(body) > ANSWER_BYTES:
                raise ValueError("an answer of that length")
    headers = response.headers
    return _Answer(
        status=response.status_code,
        kind=headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        body=body,
        location=headers.get("Location", ""),
        retry_after=headers.get("Retry-After", ""),
    )


def _pause(attempt: int, answer: _Answer | UnreadableError) -> float:
    """Seconds, longer each time and never the same, so that many clients do not come back at once."""
    asked = answer.retry_after if isinstance(answer, _Answer) else ""
    least = float(asked) if re.fullmatch(r"[0-9]{1,4}", asked) else 0.0
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - no secret
    return min(LONGEST_PAUSE_SECONDS, max(least, 2.0**attempt * jitter))


def _details(answer: _Answer) -> list[str]:
    """What the answer says is wrong: a problem (RFC 9457), or a line of plain text."""
    if answer.kind == "application/problem+json":
        try:
            problem = json.members(json.parse(answer.body))
        except UnreadableError:
            return []
        errors = json.strings(problem.get("errors"))
        more = [f"and {len(errors) - TOLD_COUNT} more"] if len(errors) > TOLD_COUNT else []
        texts = (json.text(problem.get("title")), json.text(problem.get("detail")))
        return [*(text for text in texts if text), *errors[:TOLD_COUNT], *more]
    return [answer.body.decode(errors="replace")] if answer.kind in ("text/plain", "") else []
