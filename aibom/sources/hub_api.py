"""The Hub's HTTP interface (Hub API Endpoints, `https://huggingface.co/.well-known/openapi.md`).

The library `huggingface_hub` is not used to ask: it has one HTTP client for the whole process
(`set_client_factory`), so binding it to the bounds, budgets and network rules of a run would change it for
everybody else in the process; it follows a `Link` to any host with the token, and reads answers of any
length. The tests have it ask the same server, as the independent party.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, unsupported
from aibom.domain.limits import KIB, MIB
from aibom.domain.text import capped, visible
from aibom.readers import json
from aibom.sources.http_address import follow, parse
from aibom.sources.http_addresses import is_loopback
from aibom.sources.opening import Opening

if TYPE_CHECKING:  # 100 ms
    from aibom.sources.http import Answer, Http, Secret

PUBLIC: Final = "https://huggingface.co"
INFO_BYTES: Final = 8 * MIB  # one repository; it names every file
PAGE_BYTES: Final = 8 * MIB  # of a listing
PAGE_COUNT: Final = 10_000  # pages of one listing
TOKEN_BYTES: Final = 4 * KIB  # a file that holds a token
TOLD_CHARS: Final = 200  # of what the Hub says is wrong

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_NEXT = re.compile(r'<([^<>]*)>\s*;\s*rel="?next"?')
JUDGED: Final = (200, 401, 403, 404, 410, 451)  # what `Hub.judged` takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """One Hub, as one user sees it. Safe between threads."""

    origin: str  # with the path of a mirror, without a slash at the end
    http: Http = field(repr=False)
    secret: Secret | None = field(repr=False)

    @classmethod
    def of(cls, opening: Opening) -> Hub:
        """The Hub that the environment names. Raises `UnreadableError`, also under --offline."""
        from aibom.sources.http import Secret  # noqa: PLC0415 - 100 ms

        http = opening.http()
        if _is_on(opening.environment, "HF_HUB_OFFLINE"):
            raise UnreadableError(
                Reason.IO_ERROR, "the place is the Hub, and HF_HUB_OFFLINE forbids to ask it"
            )
        origin = _origin(opening.environment)
        token = _token(opening.environment)
        address = parse(origin)
        if token and address.scheme == "http" and not is_loopback(address.host):
            message = (
                "the token would cross the network without TLS: HF_ENDPOINT needs https://, or "
                "HF_HUB_DISABLE_IMPLICIT_TOKEN=1 to ask without a token"
            )
            raise UnreadableError(Reason.DENIED, message)
        if origin != PUBLIC:
            http.named(origin)
        secret = Secret(header="Authorization", value=f"Bearer {token}") if token else None
        return cls(origin=origin, http=http, secret=secret)

    def member(self, path: str, about: str, revision: str | None = None) -> dict[str, json.Json]:
        """One object of the interface."""
        answer = self.http.get(f"{self.origin}{path}", most=INFO_BYTES, secret=self.secret, accepted=JUDGED)
        return members(self.judged(answer, about, revision))

    def pages(self, path: str, about: str, revision: str | None = None) -> Iterator[list[json.Json]]:
        """A listing, page by page as `Link` leads. Raises malformed: it leaves the Hub or goes in circles."""
        url: str | None = f"{self.origin}{path}"
        seen = set[str]()
        while url is not None:
            if len(seen) == PAGE_COUNT:
                raise over_limit(f"the listing of {about} has more than {PAGE_COUNT:,} pages")
            seen.add(url)
            answer = self.http.get(url, most=PAGE_BYTES, secret=self.secret, accepted=JUDGED)
            page = json.parse(self.judged(answer, about, revision).body)
            if not isinstance(page, list):
                raise malformed(f"the listing of {about} is not a list")
            yield page
            url = self._next(answer)
            if url in seen:
                raise malformed(
                    f"the listing of {about} goes in circles: a page names an earlier one as next"
                )

    def _next(self, answer: Answer) -> str | None:
        found = _NEXT.search(answer.headers.get("link", ""))
        if found is None:
            return None
        url = follow(parse(answer.url), found[1]).url
        if not self.owns(url):
            raise malformed("the next page of a listing is on another host")
        return url

    def owns(self, url: str) -> bool:
        """Whether an address is of this Hub itself, and may be told the token."""
        return parse(url).origin == parse(self.origin).origin

    def judged(self, answer: Answer, about: str, revision: str | None = None) -> Answer:
        """The answer when it is what was asked for. Raises denied or missing, and says what helps."""
        if answer.status in (200, 201):
            return answer
        code = answer.headers.get("x-error-code", "")
        told = answer.headers.get("x-error-message", "")
        if answer.status in (404, 410):
            revision_is_wrong = code == "RevisionNotFound" and revision is not None
            what = f"{about} has no revision {revision!r}" if revision_is_wrong else f"there is no {about}"
            raise UnreadableError(Reason.MISSING, what + self._unless_private(known=revision_is_wrong))
        if "disabled" in told:
            raise UnreadableError(Reason.DENIED, f"{about} is disabled by the Hub")
        if code == "GatedRepo":
            raise UnreadableError(Reason.DENIED, f"{about} is gated: {self._gate()}")
        why = f" ({capped(visible(told), TOLD_CHARS)})" if told and not self._holds_token(told) else ""
        if answer.status == 400:
            raise unsupported(f"the Hub refuses this for {about}{why}")
        raise UnreadableError(Reason.DENIED, f"{self._refusal(about, answer.status)}{why}")

    def _unless_private(self, *, known: bool) -> str:
        return "" if known or self.secret else ", unless it is private: then set HF_TOKEN"

    def _gate(self) -> str:
        if self.secret is None:
            return "accept its conditions on its page, then set HF_TOKEN to a token of the same account"
        return "the account of the token in HF_TOKEN has not been let in; accept its conditions on its page"

    def _refusal(self, about: str, status: int) -> str:
        if self.secret is None:
            # The Hub tells nobody who has no token whether a name is taken.
            return f"{about} does not exist, or is private or gated: set HF_TOKEN to a token that may read it"
        if status == 401:
            return (
                f"the Hub does not accept the token in HF_TOKEN or the token file for {about}: it may be "
                "revoked or expired, or there is no such repository"
            )
        return f"the token in HF_TOKEN may not do this with {about}"

    def _holds_token(self, text: str) -> bool:
        return self.secret is not None and self.secret.value.partition(" ")[2] in text


def quoted(revision: str) -> str:
    """A revision as one part of an address."""
    return quote(revision, safe="")


def members(answer: Answer) -> dict[str, json.Json]:
    """The answer as a JSON object."""
    found = json.parse(answer.body)
    if not isinstance(found, dict):
        raise malformed("the Hub answers with something else than a JSON object: is HF_ENDPOINT right?")
    return found


def _origin(environment: Mapping[str, str]) -> str:
    """Where the Hub is; a mirror may lie below a path."""
    text = environment.get("HF_ENDPOINT", "").strip().rstrip("/") or PUBLIC
    if "?" in text or "#" in text:
        raise malformed("HF_ENDPOINT is not the address of a Hub, such as https://hub.example.com")
    try:
        parse(text)
    except UnreadableError as error:
        raise malformed(f"HF_ENDPOINT: {error.message}") from None
    return text


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").strip().lower() in ("1", "on", "yes", "true")


def _token(environment: Mapping[str, str]) -> str | None:
    """What `hf auth login` or the user left there. No text of an error holds it."""
    if _is_on(environment, "HF_HUB_DISABLE_IMPLICIT_TOKEN"):
        return None
    text = environment.get("HF_TOKEN") or environment.get("HUGGING_FACE_HUB_TOKEN") or _from_file(environment)
    token = text.strip()
    if token and not _TOKEN.fullmatch(token):
        raise UnreadableError(
            Reason.MALFORMED, "HF_TOKEN or the token file holds something else than a token"
        )
    return token or None


def _from_file(environment: Mapping[str, str]) -> str:
    path = _token_path(environment)
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            data = file.read(TOKEN_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError:
        message = "the file with the token of the Hub cannot be read: see HF_TOKEN_PATH, or set HF_TOKEN"
        raise UnreadableError(Reason.DENIED, message) from None
    return data.decode("utf-8", "replace")  # one that is too long is no token either


def _token_path(environment: Mapping[str, str]) -> Path | None:
    """`HF_TOKEN_PATH`, `HF_HOME/token`, `XDG_CACHE_HOME/huggingface/token` or that in ~/.cache."""
    home = environment.get("HOME", "")
    cache = environment.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    hub = environment.get("HF_HOME") or (f"{cache}/huggingface" if cache else "")
    named = environment.get("HF_TOKEN_PATH") or (f"{hub}/token" if hub else "")
    if named.startswith("~/"):
        named = f"{home}{named[1:]}" if home else ""
    return Path(named) if named else None
