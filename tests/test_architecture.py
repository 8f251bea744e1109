"""The rooms and their arrows, the registries, and the style rules that no linter knows."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "aibom"
MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


KNOWN = {name_of(path) for path in MODULES}

# What each room may import, besides itself.
ALLOWED = {
    "domain": set(),
    "readers": {"domain"},
    "sources": {"readers", "domain"},
    "formats": {"readers", "domain"},
    "discovery": {"readers", "domain"},
    "fingerprint": {"readers", "domain"},
    "inventory": {"readers", "domain"},
    "trust": {"readers", "domain"},
    "lineage": {"readers", "domain"},
    "policy": {"readers", "domain"},
    "outputs": {"domain"},
    "workflows": {
        "sources", "formats", "discovery", "fingerprint", "inventory", "trust", "lineage", "policy",
        "readers", "domain",
    },
}  # fmt: skip
ALLOWED["cli"] = ALLOWED["workflows"] | {"workflows", "outputs"}
ALLOWED["api"] = ALLOWED["workflows"] | {"workflows"}

# A third-party library is imported only in its own room.
THIRD_PARTY = {
    "adlfs": {"sources"},
    "blake3": {"fingerprint"},
    "botocore": {"sources"},
    "cel_expr_python": {"policy"},
    "certifi": {"sources"},
    "click": {"cli"},
    "cryptography": {"trust"},
    "cyclonedx": {"outputs"},
    "gcsfs": {"sources"},
    "jinja2": {"formats", "outputs"},
    "jsonschema_rs": {"outputs"},
    "numpy": {"fingerprint"},
    "orjson": {"outputs", "cli"},
    "packageurl": {"outputs"},
    "packaging": {"discovery"},
    "pkcs11": {"trust"},
    "pyarrow": {"fingerprint", "readers"},
    "requests": {"sources"},
    "rich": {"cli"},
    "sigstore": {"trust"},
    "sigstore_models": {"trust"},
    "tree_sitter": {"discovery"},
    "tree_sitter_javascript": {"discovery"},
    "tree_sitter_typescript": {"discovery"},
    "tuf": {"trust"},
    "urllib3": {"sources"},
    "yaml": {"readers"},
}
HEAVY = {
    "adlfs", "botocore", "cel_expr_python", "certifi", "cryptography", "cyclonedx", "gcsfs", "jsonschema_rs",
    "numpy", "packageurl", "pkcs11", "pyarrow", "requests", "rich", "sigstore", "sigstore_models", "tuf",
    "urllib3",
}  # fmt: skip
# Each needs a heavy library as a whole, and is itself imported where it is used.
LAZY = {
    "aibom.fingerprint.rows_arrow", "aibom.fingerprint.signals_arrow",
    *(f"aibom.sources.http_{part}" for part in ("body", "connection", "exchange", "range")),
}  # fmt: skip
IMPURE = {
    "socket",
    "subprocess",
    "urllib",
    "http",
    "requests",
    "ctypes",
    "pickle",
    "marshal",
    "importlib",
    "eval",
}


def room_of(path: Path) -> str | None:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


AREAS = sorted({room_of(path) or "top" for path in MODULES})


def modules_of(area: str) -> list[Path]:
    return [path for path in MODULES if (room_of(path) or "top") == area]


def imports_of(tree: ast.AST) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in inside if name in KNOWN]
            names += modules or [node.module or ""]
    return names


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@pytest.mark.parametrize("area", AREAS)
def test_every_import_follows_an_arrow_of_the_design(area: str) -> None:
    for path in modules_of(area):
        room = room_of(path)
        for name in imports_of(tree_of(path)):
            parts = name.split(".")
            if parts[0] == "aibom" and len(parts) > 1 and parts[1] != room and room is not None:
                assert parts[1] in ALLOWED[room], f"{room} imports {name}"


@pytest.mark.parametrize("area", AREAS)
def test_every_library_stays_in_its_room(area: str) -> None:
    for path in modules_of(area):
        room = room_of(path)
        for name in imports_of(tree_of(path)):
            root = name.partition(".")[0]
            if root != "aibom" and root not in sys.stdlib_module_names:
                assert root in THIRD_PARTY, f"{root} is not a known dependency"
                assert room in THIRD_PARTY[root], f"{root} is imported in {room}"


@pytest.mark.parametrize("area", AREAS)
def test_heavy_libraries_are_imported_where_they_are_used(area: str) -> None:
    for path in modules_of(area):
        top = [node for node in tree_of(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = imports_of(ast.Module(body=list(top), type_ignores=[]))
        if name_of(path) not in LAZY:
            assert not LAZY & set(names)
            assert not {name.partition(".")[0] for name in names} & HEAVY


@pytest.mark.parametrize("area", AREAS)
def test_pure_rooms_reach_for_nothing_outside(area: str) -> None:
    for path in modules_of(area) if area not in ("cli", "sources", "top") else ():
        names = set(imports_of(tree_of(path))) - {"urllib.parse"}  # text only
        allowed = {"importlib"} if room_of(path) == "outputs" else set()  # reads bundled schemas
        assert not {name.partition(".")[0] for name in names} & IMPURE - allowed


@pytest.mark.parametrize("area", AREAS)
def test_only_the_command_line_prints_and_nothing_is_global(area: str) -> None:
    for path in modules_of(area):
        for node in ast.walk(tree_of(path)):
            assert not isinstance(node, ast.Global)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "eval", "exec", "__import__", "compile"), node.lineno


@pytest.mark.parametrize("area", AREAS)
def test_broad_excepts_stand_in_the_named_places_only(area: str) -> None:
    for path in modules_of(area):
        broad = [
            node
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.ExceptHandler)
            and (node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException"))
        ]
        allowed = dict.fromkeys(
            # `keyless` is for what panics in Rust.
            ("aibom.workflows.look", "aibom.cli.main", "aibom.workflows.survey", "aibom.trust.keyless"),
            1,
        ) | {"aibom.workflows.fleet": 2}
        assert len(broad) <= allowed.get(name_of(path), 0)


def test_there_is_no_import_cycle() -> None:
    graph = {name_of(path): set(imports_of(tree_of(path))) & KNOWN for path in MODULES}
    done: set[str] = set()

    def visit(name: str, chain: tuple[str, ...]) -> None:
        assert name not in chain, " -> ".join((*chain, name))
        if name not in done:
            for target in graph[name] - {name}:
                visit(target, (*chain, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("folder", ["formats", "policy/rules"])
def test_every_module_of_a_registry_is_listed_in_it(folder: str) -> None:
    listed = set(imports_of(tree_of(PACKAGE / folder / "__init__.py")))
    for path in (PACKAGE / folder).glob("*.py"):
        if not path.name.startswith("_"):
            assert name_of(path) in listed, f"{path.name} is not registered"


def test_every_source_is_listed_or_part_of_one_that_is() -> None:
    parts_of_local = {
        "local", "local_file", "local_publish", "hub_cache", "git", "git_checkout", "git_changes",
    }  # fmt: skip
    shared = {"opening", "listing", "remote_file", "http", "beside", "within"}
    servers = {"dependency_track", "evidence_folder"}  # that take results, and hold nothing to scan
    listed = {name.rpartition(".")[2] for name in imports_of(tree_of(PACKAGE / "sources" / "__init__.py"))}
    modules = {path.stem for path in (PACKAGE / "sources").glob("*.py")} - {"__init__"}
    assert "local" in listed
    # A module named after a listed one, or after what is shared, is a part of it.
    parts = {name for name in modules if any(name.startswith(f"{whole}_") for whole in listed | shared)}
    assert modules - listed - parts <= parts_of_local | shared | servers


@pytest.mark.parametrize("area", AREAS)
def test_no_file_is_longer_than_400_lines_and_no_body_than_60(area: str) -> None:
    for path in modules_of(area):
        text = path.read_text("utf-8")
        assert text.count("\n") <= 400
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                doc = node.body[0] if ast.get_docstring(node) else None
                length = (node.end_lineno or 0) - node.lineno + 1
                if doc is not None:
                    length -= (doc.end_lineno or 0) - doc.lineno + 1
                assert length <= 60, f"{node.name}: {length} lines"


@pytest.mark.parametrize("area", AREAS)
def test_every_module_says_what_it_is(area: str) -> None:
    for path in modules_of(area):
        assert ast.get_docstring(tree_of(path))
