"""One repository of an OCI registry over HTTP: manifests, blobs, tags and referrers.

API: OCI distribution specification 1.1. A manifest is compared with its digest here; a blob is compared by
whoever reads all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.limits import KIB
from aibom.sources.http import Answer, Http, Secret
from aibom.sources.oci_auth import Auth, origin_of
from aibom.sources.oci_manifests import INDEX, MANIFEST_BYTES, MEDIA_TYPES, digest_of
from aibom.sources.oci_names import Name

PAGE_COUNT: Final = 64  # of one listing
TAG_COUNT: Final = 1_000  # asked for in one page
UPLOAD_ANSWER_BYTES: Final = 64 * KIB
LINK_CHARS: Final = 8 * KIB
_NEXT: Final = re.compile(r'<([^<>]+)>[^<>]*;\s*rel="?next\b')
_UNKNOWN: Final = (400, 404, 405)  # what registries without the referrers API answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A manifest as it was served, with the digest that its bytes have."""

    data: bytes = field(repr=False)
    digest: str
    media_type: str


class Repository:
    """Raises only `UnreadableError`, as `Http` does."""

    def __init__(self, http: Http, name: Name, auth: Auth) -> None:
        self._http, self.name, self._auth = http, name, auth
        http.named(name.origin)

    def manifest(self, reference: str) -> Fetched:
        """The manifest that a tag or digest names; malformed when it has another digest than asked for."""
        url, headers = f"{self.name.url}/manifests/{reference}", {"Accept": ", ".join(MEDIA_TYPES)}
        answer = self._ask(
            lambda secret: self._http.get(
                url, most=MANIFEST_BYTES, headers=headers, secret=secret, accepted=(200, 401)
            )
        )
        algorithm, colon, _ = reference.partition(":")
        digest = digest_of(answer.body, algorithm if colon else "sha256")
        if colon and digest != reference:
            raise malformed(f"the registry serves a manifest whose digest is {digest}, not the one asked for")
        stated = answer.headers.get("docker-content-digest", "")
        if not colon and stated.startswith("sha256:") and stated != digest:
            raise malformed("the registry states another digest than the manifest has that it serves")
        return Fetched(data=answer.body, digest=digest, media_type=answer.headers.get("content-type", ""))

    def part(self, digest: str, size: int, start: int, length: int) -> bytes:
        """Exactly these bytes of a blob that has `size` bytes; changed when it has another size."""
        url = f"{self.name.url}/blobs/{digest}"
        try:
            return self._http.part(url, start, length, secret=self._auth.secret, total=size).data
        except UnreadableError as error:
            if error.reason is not Reason.DENIED:
                raise
            # A token is missing or has come of age: only a whole answer says what is asked for.
            self._ask(lambda secret: self._http.head(url, secret=secret, accepted=(200, 401)))
        return self._http.part(url, start, length, secret=self._auth.secret, total=size).data

    def blob(self, digest: str, size: int) -> bytes:
        """All bytes of a small blob; malformed when they are not those of the digest."""
        data = self.part(digest, size, 0, size) if size else b""
        if digest_of(data, digest.partition(":")[0]) != digest:
            raise malformed("the registry serves a blob that does not have its digest")
        return data

    def push_blob(self, data: bytes) -> str:
        """Uploads bytes unless they are there, and gives their digest ("Pushing a blob monolithically")."""
        digest = digest_of(data)
        head = self._ask(
            lambda secret: self._http.head(
                f"{self.name.url}/blobs/{digest}", secret=secret, accepted=(200, 401, 404)
            )
        )
        if head.status == 404:
            began = self._send("POST", f"{self.name.url}/blobs/uploads/", b"", {}, (202,))
            place = urljoin(f"{self.name.url}/blobs/uploads/", began.headers.get("location", ""))
            url = f"{place}{'&' if '?' in place else '?'}digest={digest}"
            self._send("PUT", url, data, {"Content-Type": "application/octet-stream"}, (201,))
        return digest

    def push_manifest(self, reference: str, data: bytes, media_type: str) -> bool:
        """Writes a manifest under a tag or its digest; whether the registry noted its subject by itself."""
        url = f"{self.name.url}/manifests/{reference}"
        answer = self._send("PUT", url, data, {"Content-Type": media_type}, (201,))
        return bool(answer.headers.get("oci-subject"))

    def referrers(self, digest: str) -> Iterator[bytes]:
        """The pages of the referrers API. Raises unsupported when the registry has none."""
        for answer in self._pages(f"{self.name.url}/referrers/{digest}", INDEX):
            if answer.status != 200:
                raise UnreadableError(Reason.UNSUPPORTED, "the registry has no referrers API")
            yield answer.body

    def tags(self, after: str) -> Iterator[bytes]:
        """The pages of the list of tags behind one tag; none when the registry lists no tags."""
        for answer in self._pages(
            f"{self.name.url}/tags/list?n={TAG_COUNT}&last={after}", "application/json"
        ):
            if answer.status == 200:
                yield answer.body

    def may_write(self) -> None:
        self._auth.may("pull,push")

    def _pages(self, url: str, accept: str) -> Iterator[Answer]:
        """A listing over its `Link` headers (RFC 8288), which must stay on the host and come to an end."""
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) >= PAGE_COUNT:
                raise over_limit(f"the registry's listing does not end within {PAGE_COUNT} pages")
            seen.add(url)
            answer = self._ask(self._page(url, accept))
            yield answer
            url = _next(url, answer.headers.get("link", ""))
            if url and origin_of(url) != origin_of(self.name.origin):
                raise malformed("the registry's listing goes on at another host")

    def _page(self, url: str, accept: str) -> Callable[[Secret | None], Answer]:
        return lambda secret: self._http.get(
            url,
            most=MANIFEST_BYTES,
            headers={"Accept": accept},
            secret=secret,
            accepted=(200, 401, *_UNKNOWN),
        )

    def _send(
        self, method: str, url: str, body: bytes, headers: dict[str, str], accepted: tuple[int, ...]
    ) -> Answer:
        # An upload may be led to another host, which has no business with our secret.
        own = origin_of(url) == origin_of(self.name.origin)
        return self._ask(
            lambda secret: self._http.send(
                method,
                url,
                body,
                most=UPLOAD_ANSWER_BYTES,
                headers=headers,
                secret=secret if own else None,
                accepted=(*accepted, 401),
            )
        )

    def _ask(self, exchange: Callable[[Secret | None], Answer]) -> Answer:
        """An answer that is no challenge. Raises denied when the second try is challenged as well."""
        answer = exchange(self._auth.secret)
        if answer.status == 401:
            self._auth.answer(answer)
            answer = exchange(self._auth.secret)
            if answer.status == 401:
                raise self._auth.refusal()
        return answer


def _next(url: str, link: str) -> str:
    """Where a listing goes on; empty at its end."""
    found = _NEXT.search(link[:LINK_CHARS])
    return urljoin(url, found[1]) if found else ""
