"""The git program over one remote repository: nothing of this machine's configuration, nothing that runs.

It fetches one commit without large files into a temporary folder, and hands out objects, whose ids are
computed again here. Hooks, filters, submodules, lazy fetches, prompts and every protocol but one are off.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.limits import GIB, KIB, MIB
from aibom.domain.text import capped, visible

FETCH_SECONDS: Final = 3_600.0
LOCAL_SECONDS: Final = 600.0
REPOSITORY_BYTES: Final = 4 * GIB  # of all that git writes for one target
FULL_REPOSITORY_BYTES: Final = 64 * GIB
OBJECT_COUNT: Final = 1_000_000  # files and folders of one commit, and what else a server sends with it
MEMORY_BYTES: Final = 4 * GIB  # address space of each process
ADVERTISED_BYTES: Final = 1 * MIB  # of a list of branches and tags
WATCH_SECONDS: Final = 0.1

_TOLD: Final = ("SSH_AUTH_SOCK", "https_proxy", "HTTPS_PROXY", "http_proxy", "no_proxy", "NO_PROXY")
_BUNDLES: Final = ("GIT_SSL_CAINFO", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# `ulimit` counts files in blocks of 512 bytes, memory in KiB. A lower limit that holds already is fine.
_SHELL: Final = 'ulimit -c 0 -f "$1" 2>/dev/null; ulimit -v "$2" 2>/dev/null; shift 2; exec git "$@"'
_SSH: Final = (
    "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o ClearAllForwardings=yes -o ForwardAgent=no"
)
_SETTINGS: Final = {
    "protocol.allow": "never", "http.followRedirects": "false", "http.sslVerify": "true",
    "http.lowSpeedLimit": "1000", "http.lowSpeedTime": "60", "credential.helper": "", "core.askPass": "",
    "core.hooksPath": os.devnull, "core.attributesFile": os.devnull, "core.fsmonitor": "false",
    "transfer.fsckObjects": "true", "transfer.unpackLimit": "1", "transfer.bundleURI": "false",
    "submodule.recurse": "false", "gc.auto": "0", "maintenance.auto": "false", "pack.threads": "2",
    # Large files are copied in pieces, and a pack is not mapped as a whole.
    "core.bigFileThreshold": "16m", "core.packedGitWindowSize": "16m", "core.packedGitLimit": "256m",
}  # fmt: skip
_TROUBLES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reason, message)
    for pattern, reason, message in (
        (r"returned error: 30\d|redirect", Reason.UNSUPPORTED,
         "the server sends on to another address, which is not followed: name that one if it is right"),
        (r"host key verification failed", Reason.DENIED,
         "the key of the ssh host is not among those that are known (~/.ssh/known_hosts)"),
        (r"authentication failed|could not read (?:username|password)|permission denied|error: 40[13]",
         Reason.DENIED,
         "the server refuses access: AIBOM_GIT_TOKEN and AIBOM_GIT_HOST hold a token and the host for it"),
        (r"certificate|SSL", Reason.DENIED, "the server has no certificate that is trusted here"),
        (r"not our ref|unadvertised object|no such remote ref|remote error: upload-pack: not our",
         Reason.MISSING, "the server has no such commit, or does not hand it out"),
        (r"not found|does not appear to be a git repository|error: 404|does not exist", Reason.MISSING,
         "there is no such git repository, or not for everybody to see"),
        (r"dubious ownership", Reason.DENIED, "the repository belongs to another user of this machine"),
        (r"fsck|unresolved deltas|bad object|corrupt|pack has bad|invalid tree|index-pack", Reason.MALFORMED,
         "git refuses what the server sent: an object is not what it should be"),
        (r"unable to access|could ?n[o']t resolve|could not read from remote|hung up|early eof|timed out",
         Reason.IO_ERROR, "the server cannot be reached, or ended the connection"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """One address, and what git may be told about it. `settings` may hold a credential."""

    url: str
    protocol: str  # https, http, ssh or file
    settings: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class Program:
    """Runs git for one remote, in a temporary folder that goes with this object, or when Python ends."""

    def __init__(self, remote: Remote, environment: Mapping[str, str], *, full: bool = False) -> None:
        self._most = FULL_REPOSITORY_BYTES if full else REPOSITORY_BYTES
        self._folder = Path(tempfile.mkdtemp(prefix="aibom-git-"))
        weakref.finalize(self, _remove, self._folder, os.getpid())
        (self._folder / "home").mkdir()
        self._environment = _environment(remote, environment, str(self._folder / "home"))
        self._url = remote.url

    def advertised(self, names: tuple[str, ...]) -> dict[str, str]:
        """The refs of exactly these names, with their commits; `ref: <name>` for what HEAD leads to."""
        with self.run("ls-remote", "--symref", "origin", *names, seconds=FETCH_SECONDS) as out:
            data = out.read(ADVERTISED_BYTES + 1)
        if len(data) > ADVERTISED_BYTES:
            raise over_limit(f"the server lists branches and tags in more than {ADVERTISED_BYTES} bytes")
        lines = data.decode("utf-8", "surrogateescape").splitlines()
        pairs = (line.partition("\t") for line in lines)
        return {name if not left.startswith("ref: ") else f"ref: {name}": left for left, _, name in pairs}

    def fetch(self, commit: str, blob_bytes: int) -> None:
        """One commit with its trees, and its files up to a size if the server can leave out others."""
        algorithm = "sha256" if len(commit) == 64 else "sha1"
        init = ("init", "--bare", "--template=", f"--object-format={algorithm}", "--initial-branch=none")
        self.run(*init, "repository", seconds=LOCAL_SECONDS).close()
        options = ("--depth=1", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet")
        wanted = (f"--filter=blob:limit={blob_bytes}", "origin", commit)
        self._in_repository("fetch", *options, *wanted, seconds=FETCH_SECONDS).close()

    def objects(self) -> dict[str, tuple[str, int]]:
        """Kind and size of every object that is here, by id."""
        form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
        with self._in_repository("cat-file", form, "--batch-all-objects", "--unordered") as out:
            lines = (line.decode("ascii", "replace").split() for line in out)
            found: dict[str, tuple[str, int]] = {}
            for oid, kind, size in (parts for parts in lines if len(parts) == 3):
                if len(found) == OBJECT_COUNT:
                    raise over_limit(f"the server sends more than {OBJECT_COUNT:,} objects for one commit")
                found[oid] = (kind, int(size))
            return found

    def contents(self, oids: Iterable[str]) -> Iterator[tuple[str, str, bytes]]:
        """Id, kind and bytes of each object. Raises malformed when the bytes are not what the id says."""
        asked = list(dict.fromkeys(oids))
        if not asked:
            return
        feed = "".join(f"{oid}\n" for oid in asked).encode()
        with self._in_repository("cat-file", "--batch", feed=feed) as out:
            for oid in asked:
                name, kind, size = [*out.readline(KIB).decode("ascii", "replace").split(), "", "", ""][:3]
                body = out.read(int(size)) if size.isdecimal() else b""
                if name != oid or out.read(1) != b"\n" or object_id(kind, body, oid) != oid:
                    raise malformed(f"the git object {oid} is not here, or not what its id says")
                yield oid, kind, body

    def spooled(self, oid: str, size: int) -> int:
        """A descriptor of a file with the bytes of a large blob, which has no name any more."""
        with self._in_repository("cat-file", "blob", oid) as out:
            hashed = hashlib.new(_algorithm(oid), b"blob %d\0" % size, usedforsecurity=False)
            while piece := out.read(MIB):
                hashed.update(piece)
            if out.tell() != size or hashed.hexdigest() != oid:
                raise malformed(f"the git object {oid} is not what its id says")
            return os.dup(out.fileno())

    def _in_repository(self, *arguments: str, feed: bytes = b"", seconds: float = LOCAL_SECONDS) -> IO[bytes]:
        return self.run("--git-dir=repository", *arguments, feed=feed, seconds=seconds)

    def run(self, *arguments: str, feed: bytes = b"", seconds: float) -> IO[bytes]:
        """What git writes, as an open file. Raises `UnreadableError` when it fails, or at a bound."""
        limits = (str(self._most // 512), str(MEMORY_BYTES // KIB))
        with contextlib.ExitStack() as stack:
            entered, errors = (stack.enter_context(self._file()) for _ in range(2))
            out = self._file()
            stack.callback(out.close)
            entered.write(feed)
            entered.seek(0)
            process = subprocess.Popen(  # noqa: S603 - git, with arguments of ours and of checked form
                ["/bin/sh", "-c", _SHELL, "git", *limits, *arguments],
                cwd=self._folder, env=self._environment, stdin=entered, stdout=out, stderr=errors,
                start_new_session=True,
            )  # fmt: skip
            try:
                self._watch(process, out, time.monotonic() + seconds)
            finally:
                _end(process)
            if process.returncode:
                errors.seek(0)
                raise self._trouble(process.returncode, errors.read(64 * KIB))
            out.seek(0)
            stack.pop_all()
            entered.close()
            errors.close()
            return out

    def _file(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=self._folder)

    def _watch(self, process: subprocess.Popen[bytes], out: IO[bytes], until: float) -> None:
        pause = 0.002
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(pause)
                return
            pause = min(WATCH_SECONDS, pause * 2)
            if time.monotonic() > until:
                raise UnreadableError(Reason.IO_ERROR, "git takes too long for this repository")
            if _written(self._folder) + os.fstat(out.fileno()).st_size > self._most:
                raise over_limit(f"the repository takes more than {self._most} bytes without its large files")

    def _trouble(self, code: int, errors: bytes) -> UnreadableError:
        """What went wrong, without what git or the server says word by word where that is known."""
        text = errors.decode("utf-8", "replace")
        if code == 127 or "git: not found" in text:
            return UnreadableError(
                Reason.IO_ERROR, "the git program is not installed, and needed for git+ targets"
            )
        if code in (-signal.SIGXFSZ, -signal.SIGXCPU) or "File too large" in text:
            return over_limit(f"the repository takes more than {self._most} bytes without its large files")
        if "out of memory" in text.lower() or "mmap failed" in text:
            return over_limit(f"git needs more than {MEMORY_BYTES} bytes of memory for this repository")
        for pattern, reason, message in _TROUBLES:
            if pattern.search(text):
                return UnreadableError(reason, message)
        text = text.replace(str(self._folder), "").replace(
            self._url.removeprefix("file://"), "the repository"
        )
        last = (text.strip().splitlines() or [f"code {code}"])[-1]
        return UnreadableError(Reason.IO_ERROR, f"git failed: {capped(visible(last), 200)}")


def object_id(kind: str, body: bytes, like: str) -> str:
    """The id of an object, computed with the algorithm that another id has."""
    header = f"{kind} {len(body)}\0".encode("ascii", "replace")
    return hashlib.new(_algorithm(like), header + body, usedforsecurity=False).hexdigest()


def _algorithm(oid: str) -> str:
    return "sha256" if len(oid) == 64 else "sha1"


def _environment(remote: Remote, given: Mapping[str, str], home: str) -> dict[str, str]:
    """All that git sees. A credential in the environment is in no list of processes."""
    settings = {
        **_SETTINGS,
        f"protocol.{remote.protocol}.allow": "always",
        "remote.origin.url": remote.url,
        **dict(remote.settings),
    }
    told = {name: given[name] for name in _TOLD if given.get(name)}
    authorities = next((given[name] for name in _BUNDLES if given.get(name)), None)
    if authorities:
        settings["http.sslCAInfo"] = authorities
    numbered = {
        f"GIT_CONFIG_{part}_{number}": pair[at]
        for number, pair in enumerate(settings.items())
        for at, part in enumerate(("KEY", "VALUE"))
    }
    return {
        **told, **numbered, "GIT_CONFIG_COUNT": str(len(settings)), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never",
        "GIT_SSH_COMMAND": _SSH, "GIT_SSH_VARIANT": "ssh", "GIT_PROTOCOL": "version=2",
        # Unlike the settings, these two also reach the process at the other end of file://.
        "GIT_ALLOW_PROTOCOL": remote.protocol, "GIT_NO_LAZY_FETCH": "1", "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_CEILING_DIRECTORIES": str(Path(home).parent), "GIT_OPTIONAL_LOCKS": "0",
        "PATH": given.get("PATH") or os.defpath, "HOME": home, "XDG_CONFIG_HOME": home, "LC_ALL": "C",
    }  # fmt: skip


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # and no process that was forked from it
        shutil.rmtree(folder, ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends git and all that it started, which is a session of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _written(folder: Path) -> int:
    """Bytes of the files below; what vanishes meanwhile counts nothing."""
    total, todo = 0, [str(folder)]
    while todo:
        with contextlib.suppress(OSError), os.scandir(todo.pop()) as names:
            for name in names:
                if name.is_dir(follow_symlinks=False):
                    todo.append(name.path)
                else:
                    with contextlib.suppress(OSError):
                        total += name.stat(follow_symlinks=False).st_size
    return total
