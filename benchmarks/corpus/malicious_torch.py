"""PyTorch files of every generation, with the payload in each place that a loader or a reader may look at."""

from __future__ import annotations

import pickle as op
import struct
import zlib

from corpus.assembler import Code, call, group, header, name, number, payload, push, shell, stream
from corpus.containers import Member, simple_tar, simple_zip, tar_file, tar_member, zip_file
from corpus.writer import Corpus, Generator

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
FLOATS = struct.pack("<2f", 0.5, -0.5)
ENCRYPTED, UTF8, DESCRIPTOR = 0x1, 0x800, 0x8


def tensor(*view: None) -> Code:
    """Two floats of storage 0, as torch.save writes them; the old format adds what the storage is a view of."""
    storage = group(("storage", name("torch", "FloatStorage"), "0", "cpu", 2, *view)) + op.BINPERSID
    hooks = call("collections", "OrderedDict", ())
    return call("torch._utils", "_rebuild_tensor_v2", (Code(storage), 0, (2,), (1,), False, hooks))


CLEAN = stream(push({"w": tensor()}))
INFECTED = stream(push({"w": tensor(), "x": shell()}))


def parts(pickled: bytes = CLEAN, more: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """The members of a torch zip."""
    members = {
        "data.pkl": pickled,
        "byteorder": b"little",
        "data/0": FLOATS,
        "version": b"3\n",
        **(more or {}),
    }
    return {f"archive/{member}": data for member, data in members.items()}


def as_zip(pickled: bytes = CLEAN, more: dict[str, bytes] | None = None) -> bytes:
    return simple_zip(parts(pickled, more))


def with_first(first: Member, *others: Member) -> bytes:
    """A torch zip whose data.pkl is `first`, and which has `others` at its end."""
    rest = [Member(name=key, data=data) for key, data in parts().items() if key != "archive/data.pkl"]
    return zip_file([first, *rest, *others])


def infected(**fields: object) -> Member:
    return Member(name="archive/data.pkl", data=INFECTED, **fields)  # type: ignore[arg-type]


def zip_places() -> dict[str, bytes]:
    clean = Member(name="archive/data.pkl", data=CLEAN)
    return {
        "data_pkl.pt": as_zip(INFECTED),
        "data_pkl_as_bin.bin": as_zip(INFECTED),
        "data_pkl_as_safetensors.safetensors": as_zip(INFECTED),
        "deflated.pt": with_first(infected(deflated=True)),
        "second_stream.pt": as_zip(CLEAN + payload()),
        "protocol_4.pt": as_zip(stream(push({"x": shell(4)}, 4), 4)),
        "renamed_pickle.pt": simple_zip(
            {**parts(), "archive/data.pkl": CLEAN, "archive/data.pickle": payload()}
        ),
        "renamed_root.pt": simple_zip(
            {key.replace("archive", "a/b c"): v for key, v in parts(INFECTED).items()}
        ),
        "without_root.pt": simple_zip({"data.pkl": INFECTED, "version": b"3\n", "data/0": FLOATS}),
        "two_roots.pt": simple_zip({**parts(), "other/data.pkl": INFECTED, "other/version": b"3\n"}),
        "in_storage.pt": as_zip(more={"data/0": payload()}),
        "behind_storage.pt": as_zip(more={"data/0": FLOATS + payload(4)}),
        "unused_storage.pt": as_zip(more={"data/1": payload()}),
        "zlib_in_storage.pt": as_zip(more={"data/1": zlib.compress(payload())}),
        "zip_in_storage.pt": as_zip(more={"data/1": simple_zip({"data.pkl": payload()})}),
        "torch_zip_in_zip.pt": as_zip(more={"inner": as_zip(INFECTED)}),
        "extra_member.pt": as_zip(more={"extra/notes": payload()}),
        "version_is_pickle.pt": as_zip(more={"version": payload()}),
        "no_suffix_member.pt": as_zip(more={"config": payload(0)}),
        "python_member.pt": as_zip(more={"setup.py": b"import os\nos.system('echo inert')\n"}),
        "constants.pt": as_zip(more={"constants.pkl": payload()}),
        "empty_data_pkl.pt": with_first(Member(name="archive/data.pkl", data=b""), infected()),
        "persistent_id_is_call.pt": as_zip(
            stream(Code(group(("storage", shell(), "0", "cpu", 2)) + op.BINPERSID))
        ),
        "storage_type_is_callable.pt": as_zip(
            stream(Code(group(("storage", name("os", "system"), "0", "cpu", 2)) + op.BINPERSID))
        ),
        "duplicate_first.pt": with_first(infected(), clean),
        "duplicate_last.pt": with_first(clean, infected()),
        "duplicate_case.pt": with_first(clean, Member(name="archive/DATA.PKL", data=INFECTED)),
        "duplicate_slash.pt": with_first(clean, Member(name="archive//data.pkl", data=INFECTED)),
        "duplicate_dot.pt": with_first(clean, Member(name="archive/./data.pkl", data=INFECTED)),
        "duplicate_backslash.pt": with_first(clean, Member(name="archive\\data.pkl", data=INFECTED)),
    }


def zip_records() -> dict[str, bytes]:
    """One field of the zip records lies; PyTorch's own reader looks past most of them."""
    plain = as_zip(INFECTED)
    wide = struct.pack("<HHQQ", 1, 16, len(INFECTED), len(INFECTED))
    unicode_name = b"\x01" + struct.pack("<I", zlib.crc32(b"archive/data.pkl")) + b"archive/notes.txt"
    unicode_path = struct.pack("<HH", 0x7075, len(unicode_name)) + unicode_name
    return {
        "local_name.pt": with_first(infected(central_name="archive/data.txt")),
        "central_name.pt": zip_file(
            [Member(name="archive/notes.txt", central_name="archive/data.pkl", data=INFECTED)]
            + [Member(name=key, data=data) for key, data in parts().items() if key != "archive/data.pkl"]
        ),
        "encrypted_flag.pt": with_first(infected(local_flags=ENCRYPTED)),
        "encrypted_flag_central.pt": with_first(infected(central_flags=ENCRYPTED)),
        "encrypted_flag_local.pt": with_first(infected(local_flags=ENCRYPTED, central_flags=0)),
        "descriptor_flag.pt": with_first(infected(local_flags=DESCRIPTOR)),
        "patch_flag.pt": with_first(infected(local_flags=0x20)),
        "strong_encryption_flag.pt": with_first(infected(local_flags=0x41)),
        "utf8_flag_differs.pt": with_first(infected(local_flags=UTF8, central_flags=0)),
        "bad_crc.pt": with_first(infected(crc=1)),
        "zero_crc.pt": with_first(infected(crc=0)),
        "size_too_small.pt": with_first(infected(size=10)),
        "size_too_large.pt": with_first(infected(size=1 << 31)),
        "stored_size_zero.pt": with_first(infected(stored_size=0, size=0)),
        "unknown_method.pt": with_first(infected(method=99)),
        "stored_called_deflated.pt": with_first(infected(method=8)),
        "zip64_sizes.pt": with_first(
            infected(size=0xFFFFFFFF, stored_size=0xFFFFFFFF, extra=wide, central_extra=wide)
        ),
        "zip64_only_central.pt": with_first(infected(size=0xFFFFFFFF, stored_size=0xFFFFFFFF, central_extra=wide)),
        "zip64_twice.pt": with_first(
            infected(size=0xFFFFFFFF, stored_size=0xFFFFFFFF, extra=wide + wide, central_extra=wide + wide)
        ),
        "unicode_path.pt": with_first(infected(central_extra=unicode_path)),
        "extra_is_pickle.pt": with_first(infected(extra=struct.pack("<HH", 0xCAFE, len(payload())) + payload())),
        "hidden_member.pt": with_first(Member(name="archive/data.pkl", data=CLEAN), infected(hidden=True)),
        "ghost_points_at_payload.pt": hidden_behind_ghost(),
        "count_too_small.pt": zip_file([Member(name=k, data=d) for k, d in parts(INFECTED).items()], count=1),
        "count_too_large.pt": zip_file([Member(name=k, data=d) for k, d in parts(INFECTED).items()], count=60000),
        "prefixed.pt": b"\x7fprefix" * 10 + plain,
        "prefixed_and_shifted.pt": b"#!inert\n" + zip_file(
            [Member(name=k, data=d) for k, d in parts(INFECTED).items()], shift=8
        ),
        "pickle_prefix.pt": payload() + as_zip(),
        "pickle_suffix.pt": as_zip() + payload(),
        "zip_suffix.pt": as_zip() + as_zip(INFECTED),
        "zip_prefix.pt": as_zip(INFECTED) + as_zip(),
        "comment_is_pickle.pt": zip_file([Member(name=k, data=d) for k, d in parts().items()], comment=payload()),
        "comment_is_end_record.pt": zip_file(
            [Member(name=k, data=d) for k, d in parts(INFECTED).items()], comment=b"PK\5\6" + bytes(18)
        ),
        "truncated.pt": plain[:-30],
        "directory_missing.pt": plain[: plain.index(b"PK\1\2")],
    }  # fmt: skip


def hidden_behind_ghost() -> bytes:
    """The directory lists data.pkl at the place of a local header that it does not list."""
    hidden = Member(name="archive/other", data=INFECTED, hidden=True)
    listed = Member(name="archive/data.pkl", data=INFECTED, at=0, ghost=True)
    rest = [Member(name=key, data=data) for key, data in parts().items() if key != "archive/data.pkl"]
    return zip_file([hidden, listed, *rest])


def legacy(*streams: tuple[int, bytes], tail: bytes = b"") -> bytes:
    """The five pickles of a file before PyTorch 1.6, some of them replaced, then the storages."""
    sizes: dict[str, int] = {"short": 2, "int": 4, "long": 4}
    long1 = MAGIC.to_bytes(10, "little")
    pickles = [
        header(2) + op.LONG1 + bytes([len(long1)]) + long1 + op.STOP,
        stream(number(PROTOCOL_VERSION)),
        stream(
            push({"protocol_version": PROTOCOL_VERSION, "little_endian": True, "type_sizes": push(sizes)})
        ),
        stream(push({"w": tensor(None)})),
        stream(push(["0"])),
    ]
    for index, data in streams:
        pickles[index] = data
    return b"".join(pickles) + struct.pack("<q", 2) + FLOATS + tail


def legacies() -> dict[str, bytes]:
    long1 = MAGIC.to_bytes(10, "little")
    magic = Code(op.LONG1 + bytes([len(long1)]) + long1)
    return {
        "magic.pt": legacy((0, stream(Code(shell() + op.POP + magic)))),
        "version.pt": legacy((1, stream(Code(shell() + op.POP + number(PROTOCOL_VERSION))))),
        "system_info.pt": legacy((2, stream(push({"little_endian": shell()})))),
        "object.pt": legacy((3, stream(push({"w": tensor(None), "x": shell()})))),
        "object_protocol_4.bin": legacy((3, stream(push({"x": shell(4)}, 4), 4))),
        "object_only.pth": legacy((3, payload())),
        "storage_keys.pt": legacy((4, stream(push(["0", shell()])))),
        "behind_storages.pt": legacy(tail=payload()),
        "zip_behind_storages.pt": legacy(tail=as_zip(INFECTED)),
        "truncated.pt": legacy((3, INFECTED))[:-20],
        "sixth_pickle.ckpt": legacy(tail=bytes(64) + payload(4)),
    }


def tars() -> dict[str, bytes]:
    """The tar files of PyTorch before 0.1.12: three members, each a pickle."""
    clean = {"sys_info": stream(push({"little_endian": True})), "storages": stream(number(0)),
             "tensors": stream(number(0)), "pickle": stream(push({"epoch": 1}))}  # fmt: skip
    found = {f"{member}.pt": simple_tar({**clean, member: payload()}) for member in clean}
    found["extra_member.pth"] = simple_tar({**clean, "more": payload()})
    found["behind_end.pt"] = simple_tar(clean) + payload()
    found["duplicate.pt"] = tar_file(
        [tar_member("pickle", payload()), *(tar_member(*x) for x in clean.items())]
    )
    return found


def scripts() -> dict[str, bytes]:
    """TorchScript: the code calls operators that touch files, or the pickles import."""
    module = name("__torch__", "Net") + op.EMPTY_TUPLE + op.NEWOBJ + push({"training": False}) + op.BUILD
    code = "class Net(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n{}"
    forward = "  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n    {}\n    return x\n"
    constants, clean = stream(Code(op.EMPTY_TUPLE)), stream(Code(module))

    def script(line: str = "y = torch.neg(x)", more: dict[str, bytes] | None = None) -> bytes:
        source = code.format(forward.format(line)).encode()
        return as_zip(clean, {"constants.pkl": constants, "code/__torch__.py": source, **(more or {})})

    return {
        "data_pkl.pt": script(more={"data.pkl": stream(Code(module + op.POP + shell()))}),
        "constants_pkl.pt": script(more={"constants.pkl": stream(group((shell(),)))}),
        "debug_pkl.pt": script(more={"code/__torch__.py.debug_pkl": payload()}),
        "extra_file.pt": script(more={"extra/producer": payload()}),
        "writes_a_file.pt": script('_0 = torch.save(x, "/tmp/inert")'),
        "reads_a_file.pt": script('y = torch.from_file("/etc/passwd", True, 10)'),
        "library_operator.pt": script('_0 = ops.inert.run_command("echo inert")'),
    }


CLASSES = {
    "torch zip": zip_places,
    "torch zip records": zip_records,
    "torch legacy": legacies,
    "torch tar": tars,
    "torch script": scripts,
}


def write(corpus: Corpus) -> None:
    for kind, make in CLASSES.items():
        for file_name, data in make().items():
            corpus.malicious(kind, file_name, data)


GENERATORS: tuple[Generator, ...] = (write,)
