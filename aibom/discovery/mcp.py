"""Servers of the Model Context Protocol in the settings of the programs that start them.

Names of servers, packages and hosts are told. Variables and headers are never looked at, and what
in an address could be a secret (queries, credentials, long random parts) is left out.

Sources: the Model Context Protocol documentation, and the configuration references of Claude,
Cursor, VS Code, Codex, opencode, Zed, Gemini CLI, Goose and Continue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.marked import UNKNOWN, Kind, Node, documents, kind_of
from aibom.discovery.mcp_commands import started
from aibom.discovery.targets import NOTHING, Target
from aibom.domain.component import ComponentKind
from aibom.domain.errors import Reason
from aibom.domain.limits import CONFIGURATION_BYTES
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag
from aibom.domain.text import visible

SERVER_COUNT: Final = 1_000  # of one file
_ADDRESS_CHARS: Final = 1_000
_TABLES: Final = (
    "mcpServers",
    "mcp_servers",
    "context_servers",
    "mcp-servers",
    "modelContextProtocolServers",
)
_FOREIGN = re.compile(
    r"(?:\A|[/-])(?:package|package-lock|composer|tsconfig|pnpm-lock|server)\.(?:json|ya?ml)\Z"
)
_HINT = re.compile(rb"mcp|MCP|context_servers|modelContextProtocol|[\"']?servers[\"']?\s*:|\bcmd:")
_MCP_FILE = re.compile(
    r"(?:\A|[/._-])mcp(?:[._-][\w-]+)?\.(?:jsonc?|ya?ml|toml)\Z|(?:\A|[/.])mcp/[^/]+\.json\Z"
)
_GOOSE: Final = ("stdio", "sse", "streamable_http")
_LOOPBACK = re.compile(
    r"(?:localhost|127(?:\.\d+){3}|::1|0\.0\.0\.0|host\.docker\.internal|[\w-]+\.localhost)\Z"
)
_SECRET = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[\w.~=-]{20,}\Z|[A-Za-z0-9_-]{40,}\Z")
_DEFAULT = re.compile(r"\$\{[A-Za-z_]\w*:-([^}$]*)\}")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\{\{[^}]*\}\}|\$\w+|<[^>]*>")


@dataclass(frozen=True, slots=True)
class _Server:
    name: str
    node: Node


def discover(text: Text, found: Found) -> None:
    """Every server of the file. Raises `UnreadableError`."""
    kind: Kind | None = kind_of(text.path)
    count = 0
    for root in documents(text.data, kind=kind) if kind is not None else ():
        for server in _servers(root, own=_MCP_FILE.search(text.path) is not None):
            count += 1
            if count > SERVER_COUNT:
                found.defect(Reason.LIMIT, f"more than {SERVER_COUNT} servers")
                return
            _refer(server, found)


def _servers(root: Node, *, own: bool) -> Iterator[_Server]:
    """The servers of every table of them; `own`: the file holds nothing else."""
    seen: set[int] = set()
    for path, node in root.walk():
        key = path[-1] if path else ""
        holder = path[-2] if len(path) > 1 else ""
        table = (
            key in _TABLES
            or (key == "servers" and (own or holder in ("mcp", "mcp.json")))
            or key in ("mcp", "mcp.servers")
            or (key == "extensions" and any(one.text("type") in _GOOSE for one in node.members.values()))
            or (own and not path)
        )
        for server in _entries(node) if table else ():
            if id(server.node) not in seen:
                seen.add(id(server.node))
                yield server


def _entries(table: Node) -> Iterator[_Server]:
    for name, node in table.members.items():
        if _starts(node):
            yield _Server(name, node)
    for number, node in enumerate(table.items, 1):
        if _starts(node):
            yield _Server(node.text("name") or str(number), node)


def _starts(node: Node) -> bool:
    command = node.get("command") or node.get("cmd")
    started_here = command is not None and (
        isinstance(command.value, str) or bool(command.items) or command.text("path") is not None
    )
    return started_here or _url(node) is not None


def _url(node: Node) -> Node | None:
    for key in ("url", "serverUrl", "httpUrl", "uri", "endpoint"):
        given = node.get(key)
        if given is not None and isinstance(given.value, str):
            return given
    return None


def _refer(server: _Server, found: Found) -> None:
    loader = f"mcp:{visible(server.name)}"
    url = _url(server.node)
    if url is not None and isinstance(url.value, str):
        _add(found, remote(url.value), loader, url)
        return
    for target, node in _started(server.node):
        _add(found, target, loader, node)


def _started(server: Node) -> Iterator[tuple[Target, Node]]:
    """What the command runs, at the word that names it; for a bridge also what it connects to."""
    words = list(_words(server))
    texts = [text for text, _ in words]
    if not words:
        return
    run = started(texts)
    yield run.target, words[min(run.at, len(words) - 1)][1]
    if run.bridge:
        for text, node in words:
            if text.startswith(("http://", "https://")):
                yield remote(text), node
                return


def _words(server: Node) -> Iterator[tuple[str, Node]]:
    """Program and arguments, as one list or apart."""
    command = server.get("command") or server.get("cmd")
    if command is None:
        return
    inner = command if command.is_mapping else server
    program = command.get("path") if command.is_mapping else command
    for node in (*_list(program), *_list(inner.get("args"))):
        if isinstance(node.value, (str, int)):
            # A variable with a default, as Claude Code writes it.
            yield _DEFAULT.sub(r"\1", str(node.value)), node


def _list(node: Node | None) -> Sequence[Node]:
    return () if node is None else node.items or ((node,) if isinstance(node.value, str) else ())


def remote(text: str) -> Target:
    """The address of a server without what could be a secret; plain http counts unless it stays here."""
    text = text.strip()
    try:
        parts = urlsplit(text[:_ADDRESS_CHARS])
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return NOTHING
    scheme = parts.scheme.lower()
    if (
        scheme not in ("http", "https", "ws", "wss")
        or not host
        or _PLACEHOLDER.search(host)
        or UNKNOWN in host
    ):
        return NOTHING
    path = "/".join("***" if _is_secret(part) else part for part in parts.path.split("/"))
    shown = f"[{host}]" if ":" in host else host
    plain = scheme in ("http", "ws") and not _LOOPBACK.match(host)
    try:
        ref = Ref(scheme=scheme, location=f"{scheme}://{shown}{port}{path}".rstrip("/"))
    except ValueError:
        return NOTHING
    return Target(ref=ref, flags=frozenset({Flag.HTTP}) if plain else frozenset())


def _is_secret(part: str) -> bool:
    return _SECRET.match(part) is not None or _PLACEHOLDER.search(part) is not None or UNKNOWN in part


def _add(found: Found, target: Target, loader: str, node: Node) -> None:
    flags = target.flags if target.ref is not None else frozenset()
    found.add(_kind(target), target.ref, loader, node.text_line, node.column, flags=flags)


def _kind(target: Target) -> ComponentKind:
    """A program that is started here is code or a package; what is connected to is a service."""
    scheme = target.ref.scheme if target.ref is not None else ""
    if scheme in ("http", "https", "ws", "wss"):
        return ComponentKind.SERVICE
    return ComponentKind.CODE if scheme == "file" else ComponentKind.LIBRARY


DISCOVERER = Discoverer(
    name="mcp",
    title="Model Context Protocol servers",
    wants=lambda path: kind_of(path) is not None and _FOREIGN.search(path) is None and "-lock." not in path,
    discover=discover,
    hint=lambda data: _HINT.search(data) is not None,
    data_bytes=CONFIGURATION_BYTES,
)
