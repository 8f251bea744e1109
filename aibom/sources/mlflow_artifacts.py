"""Where the artifacts of a model are: from an alias to a version, and from there to a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, unsupported
from aibom.domain.text import capped, visible
from aibom.readers import json
from aibom.sources.mlflow_server import OfRun, Proxied, Server, Store
from aibom.sources.mlflow_target import Typed, parse_target

HOP_COUNT: Final = 5  # a version that is a copy of another one, whose model was logged by a run
URI_CHARS: Final = 4_096

_PROXY: Final = "/api/2.0/mlflow-artifacts/artifacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """The artifacts of one target, and what the server says about them."""

    server: Server
    store: Store
    uri: str = ""  # of the store behind the server
    name: str = ""  # of a registered model
    version: str = ""
    run: str = ""
    logged: str = ""
    only: str | None = None  # the name of the one file that was asked for
    tags: tuple[tuple[str, str], ...] = ()


def found_at(server: Server, typed: Typed) -> Artifacts:
    """The artifacts that a target names. Raises `UnreadableError`."""
    version, told = _version(server, typed)
    run = json.text(told.get("run_id")) or typed.run
    tags = tuple(
        (json.text(each.get("key")) or "", json.text(each.get("value")) or "") for each in _tags(told)
    )
    store, uri = _stored(server, typed, version, run)
    only = None
    if not store.listed("") and store.root:
        # The listing of a file is empty, too.
        folder, _, name = store.root.rpartition("/")
        above = _at(store, folder)
        if not any(item.name == name and not item.is_folder for item in above.listed("")):
            raise UnreadableError(Reason.MISSING, "there are no artifacts at this place of the MLflow server")
        store, only = above, name
    return Artifacts(
        server=server, store=store, uri=uri, name=typed.name, version=version,
        run=run, logged=typed.logged, only=only, tags=tags,
    )  # fmt: skip


def _at(store: Store, root: str) -> Store:
    if isinstance(store, Proxied):
        return Proxied(server=store.server, root=root)
    return OfRun(server=store.server, run=store.run, root=root)


def _tags(told: dict[str, json.Json]) -> list[dict[str, json.Json]]:
    tags = told.get("tags") or json.members(told.get("data")).get("tags")
    return [json.members(each) for each in tags] if isinstance(tags, list) else []


def _version(server: Server, typed: Typed) -> tuple[str, dict[str, json.Json]]:
    """The version that is meant, and what the server says about it, or about the run or logged model."""
    if typed.run:
        return "", _run(server, typed.run)
    if typed.logged:
        told = _logged(server, typed.logged)
        info = json.members(told.get("info"))
        return "", {"tags": info.get("tags"), "run_id": info.get("source_run_id")}
    version = typed.version
    if typed.alias:
        what = f"the alias {typed.alias} of the model {visible(typed.name)}"
        query = {"name": typed.name, "alias": typed.alias}
        told = json.members(server.ask(what, "registered-models/alias", query).get("model_version"))
        version = _number(told)
    elif version == "latest":
        answer = server.ask(f"the model {visible(typed.name)}", "registered-models/get", {"name": typed.name})
        latest = json.members(answer.get("registered_model")).get("latest_versions")
        found = [_number(json.members(each)) for each in latest] if isinstance(latest, list) else []
        if not found:
            raise UnreadableError(Reason.MISSING, f"the model {visible(typed.name)} has no version")
        version = max(found, key=int)
    what = f"version {version} of the model {visible(typed.name)}"
    told = server.ask(what, "model-versions/get", {"name": typed.name, "version": version})
    told = json.members(told.get("model_version"))
    if _number(told) != version or told.get("name") != typed.name:
        raise malformed("the MLflow server answers with another model version than it was asked for")
    return version, told


def _number(told: dict[str, json.Json]) -> str:
    """A version is a number that is written as text."""
    number = told.get("version")
    text = str(number) if isinstance(number, int | str) and not isinstance(number, bool) else ""
    if not text.isascii() or not text.isdecimal() or len(text) > 18 or not text.strip("0"):
        raise malformed("the MLflow server names a version that is no number")
    return str(int(text))


def _run(server: Server, run: str) -> dict[str, json.Json]:
    told = json.members(server.ask(f"the run {run}", "runs/get", {"run_id": run}).get("run"))
    if json.members(told.get("info")).get("run_id") != run:
        raise malformed("the MLflow server answers with another run than it was asked for")
    return told


def _logged(server: Server, model: str) -> dict[str, json.Json]:
    told = json.members(server.ask(f"the logged model {model}", f"logged-models/{model}", {}).get("model"))
    if json.members(told.get("info")).get("model_id") != model:
        raise malformed("the MLflow server answers with another model than it was asked for")
    return told


def _stored(server: Server, typed: Typed, version: str, run: str) -> tuple[Store, str]:
    """Follows what the server names until it is a store. `run` is that of the version."""
    for _ in range(HOP_COUNT):
        if typed.run:
            base = _uri(json.members(_run(server, typed.run).get("info")).get("artifact_uri"))
            uri = f"{base.rstrip('/')}/{typed.path}".rstrip("/")
            store = _proxied(server, uri)
            return store or OfRun(server=server, run=typed.run, root=typed.path), uri
        if typed.logged:
            uri = _uri(json.members(_logged(server, typed.logged).get("info")).get("artifact_uri"))
        else:
            told = server.ask(
                f"version {version} of the model {visible(typed.name)}", "model-versions/get-download-uri",
                {"name": typed.name, "version": version},
            )  # fmt: skip
            uri = _uri(told.get("artifact_uri"))
        if not uri.startswith(("runs:/", "models:/")):
            return _proxied(server, uri) or _within(server, run, uri), uri
        typed = parse_target(uri)
        if typed.name:
            version, more = _version(server, typed)
            run = json.text(more.get("run_id")) or ""
    raise over_limit(f"the MLflow server leads through more than {HOP_COUNT} names to the artifacts")


def _uri(value: json.Json) -> str:
    uri = json.text(value) or ""
    if not uri or len(uri) > URI_CHARS or not uri.isprintable():
        raise malformed("the MLflow server names no place of the artifacts")
    return uri


def _proxied(server: Server, uri: str) -> Proxied | None:
    """The store that this server hands out itself (`mlflow-artifacts:`), None for any other."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise malformed("the MLflow server names a place that is no address") from None
    path = parts.path
    if parts.scheme in ("http", "https") and f"{_PROXY}/" in path:
        own, _, path = path.partition(_PROXY)
        if f"{parts.scheme}://{parts.netloc}{own}" != server.url:
            raise _elsewhere()
    elif parts.scheme != "mlflow-artifacts":
        return None
    elif parts.netloc and f"//{parts.netloc}" != f"//{urlsplit(server.url).netloc}":
        raise _elsewhere()
    root = unquote(path, errors="surrogateescape").strip("/")
    if not root or {"", ".", ".."} & set(root.split("/")) or not root.isprintable():
        raise malformed("the MLflow server names a place of artifacts that is no path")
    return Proxied(server=server, root=root)


def _elsewhere() -> UnreadableError:
    return unsupported("the artifacts are handed out by another server than MLFLOW_TRACKING_URI names")


def _within(server: Server, run: str, uri: str) -> Store:
    """A place that only the server reaches, which it shows when it lies below the artifacts of the run."""
    if run:
        base = _uri(json.members(_run(server, run).get("info")).get("artifact_uri")).rstrip("/")
        path = uri.removeprefix(f"{base}/").strip("/")
        if (uri == base or uri.startswith(f"{base}/")) and not {"", ".", ".."} & set(path.split("/")):
            return OfRun(server=server, run=run, root=path if uri != base else "")
    scheme = capped(visible(uri.partition(":")[0]), 40)
    raise unsupported(f"the artifacts lie in a {scheme}: store, which the MLflow server does not show")
