"""References in manifests of clusters and in values of Helm charts.

Sources: the API references of Kubernetes (containers, image volumes, ConfigMap), KServe
(InferenceService, LLMInferenceService, ServingRuntime), KubeAI (Model), Seldon (SeldonDeployment),
KubeRay (RayService), Kubeflow (Trainer, pipelines), Argo Workflows and Kustomize.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from aibom.discovery.command import Referred
from aibom.discovery.commands import Commands
from aibom.discovery.containers import commands_of, image_of, pairs, stored, word, words
from aibom.discovery.environment import model_named
from aibom.discovery.fetchers import artifact, pulled
from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.marked import Node, Path, documents, kind_of
from aibom.discovery.servers import tool_of
from aibom.discovery.shell_words import Word
from aibom.discovery.targets import NOTHING, Target, named
from aibom.domain.component import ComponentKind
from aibom.domain.errors import UnreadableError
from aibom.domain.limits import CONFIGURATION_BYTES

_MODEL: Final = ComponentKind.MODEL
_VALUES = re.compile(r"values(?:[.-][\w.-]+)?\.ya?ml\Z|[\w.-]+[.-]values\.ya?ml\Z", re.IGNORECASE)
# With a text behind it: the description of an interface has an object there.
_RESOURCE = re.compile(rb"apiVersion[\"']?[ \t]*:[ \t]*[\"']?(?:[a-z]|\{\{)|deploymentSpec[\"']?[ \t]*:")
_HINT = re.compile(rb"image|model|args|command|uri|script|data", re.IGNORECASE)
# Definitions of resources are long, and hold no resource.
_DEFINITION = re.compile(r"^kind:[ \t]*['\"]?CustomResourceDefinition", re.MULTILINE)
_BOUNDARY = re.compile(r"^(?=---)", re.MULTILINE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ABOUT_MODEL = re.compile(r"model(?:Artifacts?)?", re.IGNORECASE)
_PARAMETER = re.compile(
    r"\$\((?:inputs\.)?params\.([\w-]{1,100})\)|\{\{(?:inputs|workflow)\.parameters\.([\w-]{1,100})\}\}"
)
_PROGRAM = re.compile(r"\s*(?:import|from)\s")
# Keys whose value is a place that a model is fetched from.
_PLACES: Final = ("storageUri", "modelUri", "modelURI", "storage_uri", "model_uri", "modelPuller")
# Runtimes of KServe that are told their model by arguments.
_FORMATS: Final = {
    "huggingface": ("huggingfaceserver",),
    "vLLM": ("vllm", "serve"),
    "vllm": ("vllm", "serve"),
}
_Configured = dict[str, dict[str, Word]]
_NOTHING: Final = Node(None, 1, 1)
_CONTAINER: Final = frozenset(
    ("image", "newTag", "repository", "env", "command", "args", "extraArgs", "script", "source")
)
_SERVED: Final = ("model_source", "model_id", "hf_model_id", "model_name_or_path")


def discover(text: Text, found: Found) -> None:
    """Every container and model of the manifests. Raises `UnreadableError`."""
    kind = kind_of(text.path)
    commands = commands_of(text, found)
    data = _without_definitions(text.data) if kind == "yaml" else text.data
    roots = documents(data, kind=kind) if kind is not None else []
    configured = _configurations(roots)
    waiting = list(configured.values())
    for root in roots:
        manifest = _is_manifest(root)
        if manifest or _VALUES.fullmatch(text.name):
            commands.variables.update(_defaults(root))
            waiting += _document(root, configured, commands)
        if not manifest and _VALUES.fullmatch(text.name):
            _values(root, commands)
    for variables in waiting:
        single = {name: one for name, one in variables.items() if "\n" not in one.text}
        commands.told("data", single, server=False, since=0)


def _defaults(root: Node) -> Iterator[tuple[str, str]]:
    """Parameters of Tekton and Argo by the names that steps ask for them: `params.model`."""
    for path, node in root.walk():
        if path[-1:] in (("params",), ("parameters",)) and node.items:
            for name, one in pairs(node).items():
                yield f"params.{name}", one.text


def _asked(text: str, variables: Mapping[str, str]) -> str:
    """The text with what is known of its parameters."""
    return _PARAMETER.sub(lambda match: variables.get(f"params.{match[1] or match[2]}", match[0]), text)


def _without_definitions(data: bytes) -> bytes:
    if b"CustomResourceDefinition" not in data:
        return data
    parts = _BOUNDARY.split(data.decode("utf-8", "replace").replace("\r\n", "\n"))
    kept = (part if not _DEFINITION.search(part) else "\n" * part.count("\n") for part in parts)
    return "".join(kept).encode()


def _is_manifest(root: Node) -> bool:
    """A resource, the representation of a pipeline, or a template of which only lines could be read."""
    if root.items:
        return any("apiVersion" in item.members for item in root.items)
    return {"apiVersion", "kind"} <= root.members.keys() or "deploymentSpec" in root.members


def _configurations(roots: list[Node]) -> _Configured:
    """The data of each ConfigMap by its name."""
    maps = [root for root in roots if root.text("kind") == "ConfigMap"]
    return {
        root.text("metadata", "name") or f"\0{number}": pairs(root.get("data"))
        for number, root in enumerate(maps)
    }


def _document(root: Node, configured: _Configured, commands: Commands) -> Iterator[dict[str, Word]]:
    """One manifest; yields variables of which it is not known yet what names them."""
    kind = root.text("kind") or ""
    if kind == "ConfigMap":
        _configuration(root, commands)
    elif kind == "Model":
        _model(root, commands)
    for path, node in root.walk():
        if node.is_mapping:
            _container(node, configured, commands)
            _storage(path, node, commands)
            _volumes(node, commands)
            _serve(node, commands)
        elif node.items and node.items[0].is_mapping and path[-1:] != ("env",):
            yield _named(pairs(node))


def _values(root: Node, commands: Commands) -> None:
    """Keys of a chart's values that name a model: `modelId`, `model`, `modelURL`, `LLM_MODEL_ID`."""
    for path, node in root.walk():
        if node.is_mapping and path[-1:] != ("env",):
            told = {_spelled(name): one for name, one in pairs(node).items()}
            commands.told("values", told, server=False)
            _pulled(path, node, commands)


def _pulled(path: Path, node: Node, commands: Commands) -> None:
    """`ollama: {models: {pull: [...], run: [...]}}` and `ollama: {models: [...]}` of the charts of Ollama."""
    if "ollama" not in path:
        return
    models = node.get("models") if path[-1] == "ollama" else None
    lists = [models] if models is not None else []
    if path[-1] == "models":
        lists = [listed for key in ("pull", "run", "create") if (listed := node.get(key)) is not None]
    for item in (item for each in lists for item in each.items):
        one = word(item.get("name") or item) if item.get("template") is None else None
        if one is not None:
            commands.refer([Referred("ollama models", _MODEL, pulled(one.text))], (one,))


def _spelled(name: str) -> str:
    """`modelId` as `MODEL_ID`; what charts call a URL is often the name of a repository."""
    return _HUMP.sub("_", name).replace("-", "_").upper().removesuffix("_URL")


def _container(node: Node, configured: _Configured, commands: Commands) -> None:
    """Whatever has an image, a command, arguments or a script: containers, steps, model servers."""
    members = node.members
    if not members.keys() & _CONTAINER:
        return
    named = "newTag" in members or {"repository", "tag"} <= members.keys()
    image = image_of(members.get("image") or (node if named else None))
    since = len(commands.found.references)
    program = commands.image("image", image)
    variables = pairs(members.get("env"))
    known = _taken(node, configured) | {name: one.text for name, one in variables.items()}
    given = words(members.get("command")) + words(members.get("args"))
    given = [one._replace(text=_asked(one.text, commands.variables)) for one in given]
    if members.get("command") is None and members.get("args") is None:
        given = words(members.get("extraArgs"))
    other = _FORMATS.get(node.text("modelFormat", "name") or "") or (tool_of(image.text) if image else ())
    commands.started(given, program or other, known)
    for one in given:
        if _PROGRAM.match(one.text):
            commands.python(one.text, one.line)  # a step of a Kubeflow pipeline
    for key in ("script", "source"):
        script = members.get(key)
        if script is not None and isinstance(script.value, str) and members.keys() & {"image", "command"}:
            _script(script, given, commands)
    commands.told("env", variables, server=program is not None, since=since)


def _taken(node: Node, configured: _Configured) -> dict[str, str]:
    """What a container takes from the ConfigMaps of the same file."""
    found: dict[str, str] = {}
    for source in (node.get("envFrom") or _NOTHING).items:
        taken = configured.get(source.text("configMapRef", "name") or "", {})
        found |= {f"{source.text('prefix') or ''}{name}": one.text for name, one in taken.items()}
    for variable in (node.get("env") or _NOTHING).items:
        name = variable.text("name")
        reference = variable.get("valueFrom", "configMapKeyRef") or _NOTHING
        one = configured.get(reference.text("name") or "", {}).get(reference.text("key") or "")
        if name is not None and one is not None:
            found[name] = one.text
    return found


def _script(script: Node, command: list[Word], commands: Commands) -> None:
    """The script of a step of Tekton or Argo, in the language of its first line or its command."""
    text = _asked(script.value if isinstance(script.value, str) else "", commands.variables)
    if any(one.text.rpartition("/")[2].startswith("python") for one in command):
        commands.python(text, script.text_line)
    else:
        commands.program(text, script.text_line)


def _named(variables: dict[str, Word]) -> dict[str, Word]:
    """Parameters are spelled `model-name` where variables are `MODEL_NAME`."""
    return {name.replace("-", "_"): one for name, one in variables.items()}


def _storage(path: Path, node: Node, commands: Commands) -> None:
    """`storageUri: hf://org/name`, `uri` of models, and `storage: {path, parameters: {bucket}}`."""
    members = node.members
    places: list[str] = [key for key in _PLACES if key in members]
    if "uri" in members and (
        _ABOUT_MODEL.fullmatch(str(path[-1]) if path else "") or "storageUris" in path or "adapters" in path
    ):
        places.append("uri")
    for key in places:
        kind = (
            ComponentKind.DATASET
            if "dataset" in path
            else ComponentKind.ADAPTER
            if "adapters" in path
            else _MODEL
        )
        one = word(members[key])
        target = _place(one.text, kind) if one is not None else None
        if one is not None and target is not None:
            commands.refer([Referred(key, kind, target)], (one,))
    stored_at = node.get("storage", "path")
    if stored_at is not None and (one := word(stored_at)) is not None:
        bucket = node.text("storage", "parameters", "bucket")
        target = named("s3", f"{bucket}/{one.text.lstrip('/')}") if bucket else NOTHING
        commands.refer([Referred("storage path", _MODEL, target)], (one,))


def _place(text: str, kind: ComponentKind) -> Target | None:
    return stored(text, kind) if "://" in text or text.startswith(("models:/", "runs:/")) else None


def _volumes(node: Node, commands: Commands) -> None:
    """A volume that is an image: how models are mounted that a registry keeps."""
    reference = node.get("image", "reference")
    one = word(reference) if reference is not None else None
    if one is not None:
        commands.refer([Referred("volume image", _MODEL, artifact(one.text))], (one,))


def _model(root: Node, commands: Commands) -> None:
    """`kind: Model` of KubeAI (`url`) and of the Ollama operator (`image`)."""
    group = root.text("apiVersion") or ""
    url, image = root.get("spec", "url"), root.get("spec", "image")
    if group.startswith("kubeai.org/") and url is not None and (one := word(url)) is not None:
        commands.refer([Referred("url", _MODEL, stored(one.text) or NOTHING)], (one,))
        adapters = root.get("spec", "adapters")
        for adapter in adapters.items if adapters is not None else ():
            place = adapter.get("url")
            if place is not None and (one := word(place)) is not None:
                commands.refer(
                    [Referred("adapters url", ComponentKind.ADAPTER, stored(one.text) or NOTHING)], (one,)
                )
    elif group.startswith("ollama.") and image is not None and (one := word(image)) is not None:
        commands.refer([Referred("image", _MODEL, pulled(one.text))], (one,))


def _configuration(root: Node, commands: Commands) -> None:
    """The programs in a ConfigMap."""
    data = root.get("data")
    for name, node in data.members.items() if data is not None else ():
        text = node.value if isinstance(node.value, str) else ""
        if name.endswith(".py"):
            commands.python(text, node.text_line)
        elif name.endswith(".sh") or text.startswith("#!"):
            commands.program(text, node.text_line)


def _serve(node: Node, commands: Commands) -> None:
    """`serveConfigV2` of a RayService: a document of its own inside of a text."""
    config = node.get("serveConfigV2")
    if config is None or not isinstance(config.value, str):
        return
    try:
        inner = documents(config.value.encode("utf-8", "replace"), kind="yaml")
    except UnreadableError as error:
        commands.found.defect(error.reason, f"serveConfigV2: {error.message}")
        return
    outer, offset = commands.found.place, config.text_line - 1
    moved = Commands(commands.found, {})
    commands.found.place = lambda line: outer(line + offset)
    for _, one in (pair for root in inner for pair in root.walk()):
        moved.told("env_vars", pairs(one.get("env_vars")), server=False)
        _served(one, moved)
    commands.found.place = outer


def _served(node: Node, commands: Commands) -> None:
    loading = node.get("model_loading_config")
    keys = [key for key in _SERVED if node.text(key)]
    if loading is not None or not keys:
        return
    one = word(node.members[keys[0]])
    found = model_named(one.text) if one is not None else None
    if one is not None and found is not None:
        commands.refer([Referred(keys[0], *found)], (one,))


def _hint(data: bytes) -> bool:
    return _RESOURCE.search(data) is not None and _HINT.search(data) is not None


DISCOVERER = Discoverer(
    name="kubernetes",
    title="Manifests of Kubernetes",
    wants=lambda path: kind_of(path) in ("yaml", "json"),
    discover=discover,
    hint=_hint,
    data_bytes=CONFIGURATION_BYTES,
)

VALUES = Discoverer(
    name="helm",
    title="Values of Helm charts",
    wants=lambda path: _VALUES.fullmatch(path.rpartition("/")[2]) is not None,
    discover=discover,
    hint=lambda data: b"apiVersion" not in data and _HINT.search(data) is not None,
    data_bytes=CONFIGURATION_BYTES,
)
