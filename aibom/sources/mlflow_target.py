"""What a user types for an MLflow server, and which server and credentials the environment names."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported
from aibom.sources.http import Secret
from aibom.sources.http_address import Address, parse
from aibom.sources.http_addresses import is_loopback

TARGET_CHARS: Final = 4_096
CREDENTIAL_CHARS: Final = 4_096

_MODEL = re.compile(r"models:/([^/@]+)(?:/([^/@]+)|@([A-Za-z0-9_-]{1,255}))\Z", re.IGNORECASE)
_LOGGED = re.compile(r"models:/(m-[A-Za-z0-9]{1,64})\Z", re.IGNORECASE)
_RUN = re.compile(r"runs:/([A-Za-z0-9][A-Za-z0-9_-]{0,255})(?:/(.*))?\Z", re.IGNORECASE)
_VERSION = re.compile(r"[1-9][0-9]{0,17}\Z")
_TYPED: Final = "models:/name/version, models:/name@alias, models:/name/latest or runs:/id/path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the user typed, in parts. Exactly one of `name`, `logged` and `run` is there."""

    name: str = ""  # of a registered model
    version: str = ""  # a number, or `latest`
    alias: str = ""
    logged: str = ""  # id of a logged model (MLflow 3)
    run: str = ""
    path: str = ""  # of the artifacts of a run


def parse_target(target: str) -> Typed:
    """The parts of a target. Raises `UnreadableError` (malformed, unsupported), which says what to type."""
    if len(target) > TARGET_CHARS or not target.isprintable() or "\\" in target:
        raise malformed(f"not the name of a model or run: type {_TYPED}")
    if found := _LOGGED.match(target):
        return Typed(logged=found[1])
    if found := _RUN.match(target):
        path = (found[2] or "").strip("/")
        if path and {"", ".", ".."} & set(path.split("/")):
            raise malformed("the path of an artifact holds no empty part, no . and no ..")
        return Typed(run=found[1], path=path)
    found = _MODEL.match(target)
    if found is None or found[1] in (".", ".."):
        raise malformed(f"not the name of a model or run: type {_TYPED}")
    version = (found[2] or "").lower()
    if version and version != "latest" and not _VERSION.match(version):
        raise unsupported(
            "a stage does not name one version: type models:/name/version or models:/name@alias"
        )
    return Typed(name=found[1], version=version, alias=found[3] or "")


def tracking_address(environment: Mapping[str, str]) -> Address:
    """The server that the environment names. Raises `UnreadableError` (malformed, unsupported)."""
    url = environment.get("MLFLOW_TRACKING_URI", "")
    if not url:
        raise malformed("no MLflow server is named: set MLFLOW_TRACKING_URI to its https:// address")
    if not url.lower().startswith(("https://", "http://")):
        raise unsupported("MLFLOW_TRACKING_URI names no server with an http(s):// address")
    registry = environment.get("MLFLOW_REGISTRY_URI", url)
    if registry.rstrip("/") != url.rstrip("/"):
        raise unsupported("a registry (MLFLOW_REGISTRY_URI) apart from the tracking server is not supported")
    address = parse(url)
    if {"?", "#"} & set(url):
        raise malformed("MLFLOW_TRACKING_URI holds no `?` and no `#`")
    return address


def secret_of(environment: Mapping[str, str], address: Address) -> Secret | None:
    """User and password, else the token. Raises `UnreadableError` when they cannot be sent, or not safely."""
    user = environment.get("MLFLOW_TRACKING_USERNAME", "")
    password = environment.get("MLFLOW_TRACKING_PASSWORD", "")
    token = environment.get("MLFLOW_TRACKING_TOKEN", "")
    if user and password:
        if ":" in user:
            raise malformed("MLFLOW_TRACKING_USERNAME holds a colon, which no user name does")
        pair = f"{user}:{password}".encode("utf-8", "surrogateescape")
        value = f"Basic {base64.b64encode(pair).decode()}"
    elif token:
        value = f"Bearer {token}"
    else:
        return None
    if not value.isascii() or not value.isprintable() or len(value) > CREDENTIAL_CHARS:
        raise malformed("the credentials for the MLflow server hold what no header can")
    if address.scheme == "http" and not is_loopback(address.host):
        raise UnreadableError(
            Reason.DENIED,
            "credentials would cross the network without TLS: MLFLOW_TRACKING_URI needs https://",
        )
    return Secret(header="Authorization", value=value)
