"""Servers of the Model Context Protocol: every place they are configured in, every way they are started."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.mcp import DISCOVERER, SERVER_COUNT
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.references import found_in, told


def servers(path: str, text: str) -> list[str]:
    return told(DISCOVERER, path, text)


def started(*words: str) -> list[str]:
    """What is told of a server that is started by these words."""
    server = {"command": words[0], "args": list(words[1:])}
    return [one[2:] for one in servers(".mcp.json", json.dumps({"mcpServers": {"x": server}}))]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("npx", "-y", "@scope/pkg@1.2.3"), "library npm:@scope/pkg@1.2.3"),
        (("npx", "-y", "@scope/pkg"), "library npm:@scope/pkg unpinned"),
        (("npx", "-y", "pkg@latest", "/data"), "library npm:pkg@latest floating-tag unpinned"),
        (("npx", "pkg@^1.0.0"), "library npm:pkg@^1.0.0 unpinned"),
        (("npx", "--package", "@scope/pkg@2.0.0", "bin"), "library npm:@scope/pkg@2.0.0"),
        (("npx", "-y", "github:owner/name"), "library git:https://github.com/owner/name unpinned"),
        (("npx", "-y", "${PACKAGE}"), "library ? unresolved"),
        (("cmd", "/c", "npx", "-y", "pkg@1.0.0"), "library npm:pkg@1.0.0"),
        (("C:\\nodejs\\npx.cmd", "pkg@1.0.0"), "library npm:pkg@1.0.0"),
        (("bash", "-lc", "cd /srv && npx -y pkg@1.0.0"), "library npm:pkg@1.0.0"),
        (("env", "A=b", "npx", "pkg@1.0.0"), "library npm:pkg@1.0.0"),
        (("bunx", "pkg@1.0.0"), "library npm:pkg@1.0.0"),
        (("pnpm", "dlx", "pkg@1.0.0"), "library npm:pkg@1.0.0"),
        (("npm", "exec", "-y", "pkg@1.0.0"), "library npm:pkg@1.0.0"),
        (("uvx", "mcp-server-git==2025.1.14"), "library pypi:mcp-server-git@2025.1.14"),
        (("uvx", "mcp_server_git"), "library pypi:mcp-server-git unpinned"),
        (("uvx", "pkg@latest"), "library pypi:pkg@latest floating-tag unpinned"),
        (("uvx", "pkg[cli]>=1.0"), "library pypi:pkg unpinned"),
        (("uvx", "--from", "pkg==1.0", "tool"), "library pypi:pkg@1.0"),
        (("uvx", "--from", "git+https://github.com/o/n@v1", "tool"),
         "library git:https://github.com/o/n@v1 unpinned"),
        (("uvx", "--from", f"git+https://github.com/o/n.git@{'a' * 40}", "t"),
         f"library git:https://github.com/o/n@{'a' * 40}"),
        (("uv", "tool", "run", "pkg==1.0"), "library pypi:pkg@1.0"),
        (("uv", "run", "--with", "mcp[cli]", "mcp", "run", "server.py"), "library pypi:mcp unpinned"),
        (("uv", "--directory", "/srv/tool", "run", "server.py"), "code file:/srv/tool local-path"),
        (("uv", "run", "server.py"), "code file:server.py local-path"),
        (("pipx", "run", "pkg==1.0"), "library pypi:pkg@1.0"),
        (("docker", "run", "-i", "--rm", "-e", "TOKEN", "ghcr.io/o/n:1.0"),
         "library docker:ghcr.io/o/n@1.0 unpinned"),
        (("docker", "run", "-i", "mcp/time"), "library docker:mcp/time floating-tag unpinned"),
        (("docker", "run", "--mount", "type=bind,src=/a,dst=/b", f"mcp/time@sha256:{'0' * 64}", "/b"),
         f"library docker:mcp/time@sha256:{'0' * 64}"),
        (("python", "-m", "mcp_server_time"), "library pypi:mcp-server-time unpinned"),
        (("python3", "server.py"), "code file:server.py local-path"),
        (("node", "/srv/dist/index.js"), "code file:/srv/dist/index.js local-path"),
        (("node", "--inspect"), "library ? unresolved"),
        (("deno", "run", "-A", "npm:pkg@1.0.0"), "library npm:pkg@1.0.0"),
        (("go", "run", "github.com/o/n/cmd@latest"),
         "library golang:github.com/o/n/cmd@latest floating-tag unpinned"),
        (("github-mcp-server", "stdio"), "code file:github-mcp-server local-path"),
        (("./bin/server",), "code file:./bin/server local-path"),
        (("${BINARY}",), "library ? unresolved"),
    ],
)  # fmt: skip
def test_a_command_runs_a_package_an_image_or_a_file(words: tuple[str, ...], expected: str) -> None:
    assert started(*words) == [expected]


def test_a_bridge_is_told_with_what_it_connects_to() -> None:
    assert started("npx", "-y", "mcp-remote@0.1.0", "http://mcp.example.com/sse") == [
        "library npm:mcp-remote@0.1.0",
        "service http:http://mcp.example.com/sse http",
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://mcp.example.com/mcp", "https:https://mcp.example.com/mcp"),
        ("http://mcp.example.com:8080/sse/", "http:http://mcp.example.com:8080/sse http"),
        ("http://localhost:3000/mcp", "http:http://localhost:3000/mcp"),
        ("http://127.0.0.1/mcp", "http:http://127.0.0.1/mcp"),
        ("http://[::1]:80/mcp", "http:http://[::1]:80/mcp"),
        ("https://user:secret@example.com/mcp?key=secret#secret", "https:https://example.com/mcp"),
        ("https://example.com/s/a8f3k2m9x7q1w5e6r4t0secret/mcp", "https:https://example.com/s/***/mcp"),
        ("https://example.com/${TOKEN}/mcp", "https:https://example.com/***/mcp"),
        ("${MCP_URL}", "? unresolved"),
        ("https://${HOST}/mcp", "? unresolved"),
        ("http://[", "? unresolved"),
        ("https://example.com:port/", "? unresolved"),
    ],
)
def test_an_address_is_told_without_its_secrets(url: str, expected: str) -> None:
    text = json.dumps({"mcpServers": {"x": {"url": url, "headers": {"Authorization": "Bearer secret"}}}})
    kind = "library" if expected.startswith("?") else "service"
    assert servers("mcp.json", text) == [f"1 {kind} {expected}"]


STDIO = '"command": "uvx", "args": ["pkg==1.0"], "env": {"API_KEY": "secret-value"}'


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("claude_desktop_config.json", f'{{"mcpServers": {{"x": {{{STDIO}}}}}}}'),
        (".claude.json", f'{{"projects": {{"/p": {{"mcpServers": {{"x": {{{STDIO}}}}}}}}}}}'),
        (".cursor/mcp.json", f'{{"mcpServers": {{"x": {{{STDIO}}}}}}} // comment'),
        (".vscode/mcp.json", f'{{"servers": {{"x": {{"type": "stdio", {STDIO}}}}}, "inputs": []}}'),
        (".vscode/settings.json", f'{{"mcp": {{"servers": {{"x": {{{STDIO}}}}}}}}}'),
        (".gemini/settings.json", f'{{"mcpServers": {{"x": {{{STDIO}}}}}}}'),
        ("settings.json", f'{{"context_servers": {{"x": {{"source": "custom", {STDIO}}}}}}}'),
        (
            "zed/settings.json",
            '{"context_servers": {"x": {"command": {"path": "uvx", "args": ["pkg==1.0"]}}}}',
        ),
        ("opencode.json", '{"mcp": {"x": {"type": "local", "command": ["uvx", "pkg==1.0"]}}}'),
        (".codex/config.toml", '[mcp_servers.x]\ncommand = "uvx"\nargs = ["pkg==1.0"]'),
        ("config.yaml", "mcpServers:\n- name: x\n  command: uvx\n  args: [pkg==1.0]"),
        ("goose.yaml", "extensions:\n  x: {type: stdio, cmd: uvx, args: [pkg==1.0]}"),
    ],
)
def test_servers_are_found_wherever_they_are_configured(path: str, text: str) -> None:
    (reference,) = found_in(DISCOVERER, path, text).references
    assert reference.loader == "mcp:x"
    assert reference.target is not None
    assert (reference.target.scheme, reference.target.location, reference.target.revision) == (
        "pypi",
        "pkg",
        "1.0",
    )
    assert "secret" not in repr(reference)


def test_a_server_is_told_where_its_package_is_named() -> None:
    text = '{\n "mcpServers": {\n  "x": {\n   "command": "npx",\n   "args": [\n    "-y",\n    "pkg"]}}}'
    (reference,) = found_in(DISCOVERER, "mcp.json", text).references
    assert (reference.location.line, reference.location.column) == (7, 5)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", '{"name": "mcp", "mcpServers": {"x": {"command": "npx", "args": ["pkg"]}}}'),
        ("prose.json", '{"text": "put mcpServers: {command: npx} into mcp.json"}'),
        ("openapi.yaml", "openapi: 3.1.0\nservers:\n- url: https://example.com\n# mcp"),
        ("tasks.json", '{"tasks": [{"command": "npx", "args": ["pkg"]}], "about": "mcp"}'),
        ("vscode.json", '{"extensions": {"recommendations": ["a.mcp"]}}'),
        (".devcontainer/devcontainer.json", '{"customizations": {"vscode": {"extensions": ["x.mcp"]}}}'),
        ("site.yaml", "extensions:\n  x: {url: https://example.com}\n# mcp"),
        ("notes.md", '{"mcpServers": {"x": {"command": "npx"}}}'),
        ("mcp.json", '{"mcpServers": {"x": {"disabled": true}, "y": "npx", "z": null}}'),
        ("mcp.json", "{}"),
    ],
)
def test_decoys_stay_silent(path: str, text: str) -> None:
    assert servers(path, text) == []


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("mcp.json", b'{"mcpServers": ' + b"[" * 100_000, Reason.LIMIT),
        ("mcp.json", b'{"mcpServers": \xff}', Reason.MALFORMED),
        ("mcp.yaml", b"mcpServers: &a [*a]", Reason.UNSUPPORTED),
        ("mcp.yaml", b"mcp: &a [1]\n" + b"k: [*a,*a,*a,*a,*a,*a,*a,*a]\n" * 9_000, Reason.LIMIT),
    ],
)
def test_hostile_files_are_refused(path: str, data: bytes, reason: Reason) -> None:
    with pytest.raises(UnreadableError) as caught:
        found_in(DISCOVERER, path, data)
    assert caught.value.reason is reason


def test_a_name_cannot_write_to_the_terminal() -> None:
    (reference,) = found_in(
        DISCOVERER, "mcp.json", '{"mcpServers": {"\\u001b[2J": {"command": "x"}}}'
    ).references
    assert reference.loader == "mcp:\\x1b[2J"


def test_only_so_many_servers_are_told() -> None:
    table = {f"s{n}": {"command": "npx", "args": [f"pkg{n}"]} for n in range(SERVER_COUNT + 5)}
    found = found_in(DISCOVERER, "mcp.json", json.dumps({"mcpServers": table}))
    assert len(found.references) == SERVER_COUNT
    assert [defect.reason for defect in found.defects] == [Reason.LIMIT]


WORD = st.sampled_from(
    [
        "npx",
        "uvx",
        "uv",
        "run",
        "docker",
        "-m",
        "python",
        "--from",
        "-p",
        "cmd",
        "/c",
        "--with",
        "a//b@c",
        "bash",
        "-c",
    ]
)


@given(st.lists(WORD | st.text(max_size=8), min_size=1, max_size=6), st.text(":/@[]ab.${}?#", max_size=20))
def test_any_command_and_any_address_is_read(words: list[str], url: str) -> None:
    table = {"x": {"command": words[0], "args": words[1:]}, "y": {"url": f"http://{url}"}}
    for reference in found_in(DISCOVERER, "mcp.json", json.dumps({"mcpServers": table})).references:
        assert reference.loader in ("mcp:x", "mcp:y")
