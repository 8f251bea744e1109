"""Text files of a model folder: templates, configurations that name code, the code itself, XML."""

from __future__ import annotations

import json

from corpus import templates
from corpus.assembler import ADDRESS, COMMAND
from corpus.remote_code import MODULES
from corpus.writer import Corpus, Generator

AUTO_MAP = {
    "AutoConfig": "configuration_inert.InertConfig",
    "AutoModelForCausalLM": "modeling_inert.InertModel",
}
CONFIG: dict[str, object] = {"model_type": "llama", "architectures": ["InertModel"], "hidden_size": 8}
CONFIGURATION = (
    "from transformers import PretrainedConfig\n\n\nclass InertConfig(PretrainedConfig):\n    pass\n"
)


def dumped(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()


def write_templates(corpus: Corpus) -> None:
    """One class for each place that a template lives in; every unsafe one comes up twice."""
    groups = {"template": templates.UNSAFE, "endless template": templates.ENDLESS}
    for kind, group in groups.items():
        for title, template in group.items():
            config: dict[str, object] = {"tokenizer_class": "LlamaTokenizer", "chat_template": template}
            corpus.malicious(kind, f"{title}/tokenizer_config.json", dumped(config))
    for title, template in templates.UNSAFE.items():
        corpus.malicious("template file", f"{title}/chat_template.jinja", template.encode())
    evil, plain = templates.UNSAFE["cycler_globals"], templates.CHATML
    named = [{"name": "default", "template": plain}, {"name": "tool_use", "template": evil}]
    table = {"default": plain, "rag": evil}
    corpus.malicious("template", "named_list/tokenizer_config.json", dumped({"chat_template": named}))
    corpus.malicious("template", "named_table/tokenizer_config.json", dumped({"chat_template": table}))
    corpus.malicious("template file", "processor/chat_template.json", dumped({"chat_template": evil}))
    corpus.malicious("template file", "additional/additional_chat_templates/tool_use.jinja", evil.encode())
    corpus.malicious(
        "template file", "processor_config/processor_config.json", dumped({"chat_template": evil})
    )
    corpus.malicious("template file", "endless/chat_template.jinja", templates.ENDLESS["range"].encode())


def write_remote_code(corpus: Corpus) -> None:
    """A folder for each: the configuration names the module, the module carries the expectation."""
    for title, source in MODULES.items():
        corpus.beside("remote code", f"{title}/config.json", dumped(CONFIG | {"auto_map": AUTO_MAP}))
        corpus.beside("remote code", f"{title}/configuration_inert.py", CONFIGURATION.encode())
        corpus.malicious("remote code", f"{title}/modeling_inert.py", source.encode())
    # The module that auto_map names is clean, and imports one that is not.
    relative = "from .helper import x\n" + MODULES["system"].replace(
        "import os\n\nos.system('echo inert')", "y = 1"
    )
    corpus.beside("remote code", "relative_import/config.json", dumped(CONFIG | {"auto_map": AUTO_MAP}))
    corpus.beside("remote code", "relative_import/configuration_inert.py", CONFIGURATION.encode())
    corpus.beside("remote code", "relative_import/modeling_inert.py", relative.encode())
    corpus.malicious(
        "remote code", "relative_import/helper.py", b"import os\n\nx = os.system('echo inert')\n"
    )


def references() -> dict[str, object]:
    """Documents that make a loader fetch or run code that is not beside them."""
    code = {"AutoModel": "someone/else--modeling_inert.InertModel"}
    pipeline = {"inert": {"impl": "inert_pipeline.InertPipeline", "pt": ["AutoModel"], "type": "text"}}
    nodes = [{"idx": 0, "name": "0", "path": "", "type": "os.system"}]
    index = {"_class_name": ["pipeline_inert", "InertPipeline"], "unet": ["inert_module", "InertUNet"]}
    return {
        "other_repository/config.json": CONFIG | {"auto_map": code},
        "missing_file/config.json": CONFIG | {"auto_map": AUTO_MAP},
        "outside/config.json": CONFIG | {"auto_map": {"AutoModel": "../../../tmp/inert.InertModel"}},
        "nested_config/config.json": CONFIG | {"vision_config": {"auto_map": code}},
        "tokenizer/tokenizer_config.json": {
            "auto_map": {"AutoTokenizer": [None, "tokenization_inert.InertTokenizer"]}
        },
        "processor/preprocessor_config.json": {
            "auto_map": {"AutoImageProcessor": "image_inert.InertProcessor"}
        },
        "pipeline/config.json": CONFIG | {"custom_pipelines": pipeline},
        "sentence_transformers/modules.json": nodes,
        "diffusers/model_index.json": index,
        "instantiate/config.yaml": {"_target_": "os.system", "_args_": [COMMAND]},
    }


def write_references(corpus: Corpus) -> None:
    for path, document in references().items():
        corpus.malicious("code reference", path, dumped(document))
    corpus.malicious(
        "code reference", "yaml_tag/config.yaml", b"!!python/object/apply:os.system ['echo inert']\n"
    )
    new = b"a: !!python/object/new:subprocess.Popen\n  args: ['echo inert']\n"
    corpus.malicious("code reference", "yaml_new/model.yaml", new)


ENTITIES = {
    "file": '<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "address": f'<!DOCTYPE PMML [<!ENTITY x SYSTEM "{ADDRESS}">]>',
    "parameter": f'<!DOCTYPE PMML [<!ENTITY % p SYSTEM "{ADDRESS}"> %p; <!ENTITY x "y">]>',
    "external_dtd": f'<!DOCTYPE PMML SYSTEM "{ADDRESS}"[<!ENTITY x "y">]>',
    "laughs": "<!DOCTYPE PMML [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "<!ENTITY x '&j;'>]>",
    "expect": '<!DOCTYPE PMML [<!ENTITY x SYSTEM "expect://echo inert">]>',
}
PMML = '<?xml version="1.0"?>{}<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header copyright="&x;"/></PMML>'
OPENVINO = '<?xml version="1.0"?>{}<net name="inert" version="11"><layers><layer id="0" name="&x;" type="Parameter"/></layers></net>'


def write_xml(corpus: Corpus) -> None:
    for title, entity in ENTITIES.items():
        corpus.malicious("xml", f"{title}.pmml", PMML.format(entity).encode())
        named = entity.replace("DOCTYPE PMML", "DOCTYPE net")
        corpus.malicious("xml", f"openvino_{title}.xml", OPENVINO.format(named).encode())
    wide = PMML.format(ENTITIES["file"]).replace("?>", ' encoding="UTF-16"?>', 1).encode("utf-16")
    corpus.malicious("xml", "utf16.pmml", wide)


GENERATORS: tuple[Generator, ...] = (write_templates, write_remote_code, write_references, write_xml)
