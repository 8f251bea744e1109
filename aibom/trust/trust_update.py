"""The newest trust root of a public instance of sigstore, by TUF (theupdateframework.io).

One of the two modules of this room that open sockets. Every update starts from the root of trust that
`sigstore` carries. What it sees is kept only in a folder that somebody named; without one, an old answer
is known by its expiry date alone, and not by what an earlier update has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aibom import __version__
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.trust.trust_root import TRUST_ROOT_BYTES, Instance, TrustRoot, embedded_file, read_trust_root

TARGET: Final = "trusted_root.json"
# Addresses of the repositories (docs.sigstore.dev, and the README of sigstore/root-signing-staging).
_ADDRESSES: Final[dict[Instance, str]] = {
    "production": "https://tuf-repo-cdn.sigstore.dev",
    "staging": "https://tuf-repo-cdn.sigstage.dev",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A TUF repository, and the metadata of its root role from which its keys are followed."""

    address: str  # URL without a slash at its end
    root: bytes


def repository(instance: Instance) -> Repository:
    """The one of a public instance, with the root that the installed version of `sigstore` carries."""
    return Repository(address=_ADDRESSES[instance], root=embedded_file(instance, "root.json"))


def fetch_trust_root(source: Repository, state: Path | None = None) -> TrustRoot:
    """The trust root that the repository's keys vouch for today, fetched over the network.

    `state` is a folder where the metadata is kept, so that older metadata is refused the next time.
    Raises UnreadableError: io-error (not reached, not written), malformed (not signed as it has to be,
    expired, or older than what was seen), limit, and as `read_trust_root` does.
    """
    from tuf.api.exceptions import DownloadError, RepositoryError  # noqa: PLC0415 - 250 ms

    got: bytes | UnreadableError
    try:
        got = _fetched(source, state)
    except (RepositoryError, DownloadError) as error:
        got = _told(error, source.address)
    except OSError as error:
        message = f"what {source.address} says cannot be kept in a file: {error.strerror}"
        got = UnreadableError(Reason.IO_ERROR, message)
    # Raised outside of the handler, so that the error does not carry the other one along.
    if isinstance(got, UnreadableError):
        raise got
    return read_trust_root(got)


def _fetched(source: Repository, state: Path | None) -> bytes:
    from tuf.ngclient.config import UpdaterConfig  # noqa: PLC0415 - 250 ms with the next
    from tuf.ngclient.updater import Updater  # noqa: PLC0415

    # Without a folder of its own the library of sigstore would use, and change, the one of the user.
    with TemporaryDirectory(prefix="aibom-trust-") as folder:
        updater = Updater(
            metadata_dir=str(state or folder),
            metadata_base_url=source.address,
            target_dir=folder,
            target_base_url=f"{source.address}/targets/",
            config=UpdaterConfig(app_user_agent=f"aibom/{__version__}"),
            bootstrap=source.root,
        )
        updater.refresh()
        wanted = updater.get_targetinfo(TARGET)
        if wanted is None:
            raise malformed(f"{source.address} has no {TARGET}")
        if wanted.length > TRUST_ROOT_BYTES:
            raise over_limit(f"trust root of {wanted.length} bytes, at most {TRUST_ROOT_BYTES} are read")
        return Path(updater.download_target(wanted)).read_bytes()


def _told(error: Exception, address: str) -> UnreadableError:
    """The kind of an error as a sentence of ours: what the library says may repeat what a server said."""
    from tuf.api import exceptions  # noqa: PLC0415 - 250 ms

    if isinstance(error, exceptions.DownloadLengthMismatchError):
        return over_limit(f"{address} sends more bytes than the document may have: do not use it")
    if isinstance(error, exceptions.ExpiredMetadataError):
        return malformed(f"what {address} says has expired; is the clock of this machine right?")
    if isinstance(error, exceptions.BadVersionNumberError):
        return malformed(f"what {address} says is of another version, as if rolled back: do not use it")
    if isinstance(error, exceptions.RepositoryError):
        kind = type(error).__name__
        return malformed(f"what {address} says is not signed as it has to be ({kind}): do not use it")
    message = f"{address} cannot be reached or does not answer: is there a network, or a proxy to name?"
    return UnreadableError(Reason.IO_ERROR, message)
