"""Archives that unpack to somewhere else, to far too much, or to something different for each reader."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zlib

from corpus.assembler import payload
from corpus.containers import Member, simple_tar, simple_zip, tar_file, tar_member, zip_file
from corpus.malicious_nested import npy
from corpus.malicious_torch import CLEAN, as_zip, parts
from corpus.writer import Corpus, Generator

MIB = 1 << 20
BOMB_BYTES = 1 << 30
CHUNK = bytes(MIB)
WORDS = b"a harmless line of text\n"
LINK = (stat.S_IFLNK | 0o777) << 16


def zip_slips() -> dict[str, bytes]:
    """Members whose names lead out of the folder that they are unpacked to."""
    names = {
        "parent": "../../tmp/inert",
        "deep_parent": "a/b/../../../inert",
        "absolute": "/tmp/inert",
        "backslash": "..\\..\\inert",
        "drive": "C:\\Windows\\inert.dll",
        "network": "\\\\127.0.0.1\\share\\inert",
        "home": "~/.ssh/../../../inert",
        "nul": "good.txt\0/../../inert",
        "dot_pth": "../site-packages/inert.pth",
    }
    found = {f"{title}.zip": simple_zip({"readme.txt": WORDS, name: WORDS}) for title, name in names.items()}
    link = Member(name="data", data=b"/etc", attributes=LINK)
    found["link.zip"] = zip_file([link, Member(name="data/passwd", data=WORDS)])
    found["link_only.zip"] = zip_file(
        [Member(name="weights.bin", data=b"../../../etc/passwd", attributes=LINK)]
    )
    found["in_torch.pt"] = simple_zip({**parts(), "archive/../../../tmp/inert": WORDS})
    found["in_npz.npz"] = simple_zip({"a.npy": npy("'<f8'", bytes(8)), "../a.npy": npy("'<f8'", bytes(8))})
    found["in_nested.zip"] = simple_zip({"inner.zip": found["parent.zip"]})
    return found


def tar_slips() -> dict[str, bytes]:
    text = ("readme.txt", WORDS)
    link = tar_member("data", type=tarfile.SYMTYPE, linkname="/etc")
    hard = tar_member("data", type=tarfile.LNKTYPE, linkname="../../etc/passwd")
    device = tar_member("sda", type=tarfile.BLKTYPE, devmajor=8, devminor=0)
    pipe = tar_member("pipe", type=tarfile.FIFOTYPE)
    setuid = tar_member("run", b"\x7fELF\2\1\1" + bytes(57), mode=0o4755)
    long_name = tar_member("a/" * 60 + "../" * 70 + "inert", WORDS)
    parent = simple_tar(dict([text, ("../../tmp/inert", WORDS)]))
    return {
        "parent.tar": parent,
        "absolute.tar": simple_tar(dict([text, ("/tmp/inert", WORDS)])),
        "link.tar": tar_file([link, tar_member("data/passwd", WORDS)]),
        "link_chain.tar": tar_file(
            [tar_member("a", type=tarfile.SYMTYPE, linkname="."),
             tar_member("a/b", type=tarfile.SYMTYPE, linkname="../.."), tar_member("a/b/inert", WORDS)]
        ),
        "hard_link.tar": tar_file([hard]),
        "device.tar": tar_file([device]),
        "pipe.tar": tar_file([pipe]),
        "setuid_program.tar": tar_file([setuid]),
        "long_name.tar": tar_file([long_name]),
        "pax_path.tar": tar_file([tar_member("é/../../../inert", WORDS)], tarfile.PAX_FORMAT),
        "parent.tar.gz": gzip.compress(parent, mtime=0),
        "parent.tar.bz2": bz2.compress(parent),
        "parent.tar.xz": lzma.compress(parent),
        "payload.tar": simple_tar({"model/weights.pkl": payload()}),
        "payload.tar.gz": gzip.compress(simple_tar({"model/weights.pkl": payload()}), mtime=0),
        "torch_in.tar": simple_tar({"model.pt": as_zip(payload())}),
    }  # fmt: skip


def deflated_zeros(size: int) -> tuple[bytes, int]:
    """Zeros as a raw deflate stream, and their CRC-32."""
    packer, crc = zlib.compressobj(9, zlib.DEFLATED, -15), 0
    pieces = []
    for _ in range(size // MIB):
        pieces.append(packer.compress(CHUNK))
        crc = zlib.crc32(CHUNK, crc)
    return b"".join(pieces) + packer.flush(), crc


def stored(name: str, raw: bytes, crc: int, size: int, **fields: object) -> Member:
    """A member with content that was deflated before."""
    member = Member(name=name, crc=crc, size=size, stored_size=len(raw), method=8, **fields)  # type: ignore[arg-type]
    member.stored = raw
    return member


def bombs() -> dict[str, bytes]:
    raw, crc = deflated_zeros(BOMB_BYTES)
    ends = struct.pack("<II", crc, BOMB_BYTES)
    gz = b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + raw + ends
    single = zip_file([stored("zeros.bin", raw, crc, BOMB_BYTES)])
    part, part_crc = deflated_zeros(BOMB_BYTES // 64)
    many = zip_file([stored(f"{n}.bin", part, part_crc, BOMB_BYTES // 64) for n in range(64)])
    wide = zip_file([stored(f"{n}.bin", raw, crc, BOMB_BYTES, at=0, ghost=n > 0) for n in range(500)])
    torch_like = [
        Member(name=key, data=data) for key, data in parts().items() if not key.endswith("data.pkl")
    ]
    torch_like.insert(0, stored("archive/data.pkl", raw, crc, BOMB_BYTES))
    twice = simple_zip({f"{n}.zip": single for n in range(10)}, deflated=True)
    return {
        "zeros.gz": gz,
        "zeros.pkl.gz": gz,
        "zeros_of_zeros.gz": gzip.compress(gz, mtime=0),
        "zeros.zip": single,
        "lying_size.zip": zip_file([stored("zeros.bin", raw, crc, 100)]),
        "many.zip": many,
        "overlap.zip": wide,
        "nested.zip": simple_zip({f"{n}.zip": twice for n in range(4)}, deflated=True),
        "data_pkl.pt": zip_file(torch_like),
        "array.npz": zip_file([stored("a.npy", raw, crc, BOMB_BYTES)]),
        "zeros.joblib": b"\x78\xda" + raw + bytes(4),
        "zeros.tar.gz": gz,
        "zeros.bz2": bz2.compress(bytes(64 * MIB)) * 16,
        "zeros.xz": lzma.compress(bytes(128 * MIB), preset=0) * 8,
        "deep.zip": deep_zip(40),
        "deep.gz": deep_gzip(40),
    }


def deep_zip(depth: int) -> bytes:
    data = payload()
    for _ in range(depth):
        data = simple_zip({"a.zip": data})
    return data


def deep_gzip(depth: int) -> bytes:
    data = payload()
    for _ in range(depth):
        data = gzip.compress(data, 1, mtime=0)
    return data


def closed() -> dict[str, bytes]:
    """Archives that cannot be looked into here: none of them may count as looked at."""
    encrypted = Member(name="weights.pkl", data=bytes(range(200)), local_flags=1)
    aes = Member(name="weights.pkl", data=bytes(range(200)), local_flags=1, method=99)
    seven = b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<IQQI", 0, 64, 32, 0) + bytes(range(96))
    return {
        "model.7z": seven,
        "model.pt": seven,  # torch.load refuses, and other loaders unpack it first
        "model.rar": b"Rar!\x1a\7\1\0" + bytes(range(64)),
        "old.rar": b"Rar!\x1a\7\0" + bytes(range(64)),
        "encrypted.zip": zip_file([encrypted]),
        "aes.zip": zip_file([aes]),
        "encrypted.pt": zip_file([encrypted, *(Member(name=k, data=d) for k, d in parts().items())]),
        "split.zip": b"PK\7\x08" + simple_zip({"data.pkl": payload()}),
        "cabinet.cab": b"MSCF" + bytes(32) + payload(),
        "cpio.bin": b"070701" + b"0" * 104 + payload(),
        "compress.Z": b"\x1f\x9d\x90" + bytes(range(60)),
        "zip_in_zip_payload.zip": simple_zip({"a/inner.zip": simple_zip({"b.pkl": payload()})}),
        "payload_behind_directory.zip": simple_zip({"a.txt": WORDS}) + payload(4),
        "payload_between_members.zip": zip_file(
            [Member(name="a.txt", data=WORDS), Member(name="gap", data=payload(), hidden=True), Member(name="b.txt", data=WORDS)]
        ),
        "clean_pickle_bad_crc.pt": zip_file(
            Member(name=k, data=d, crc=5 if k.endswith("pkl") else None) for k, d in parts(CLEAN).items()
        ),
    }  # fmt: skip


CLASSES = {"zip slip": zip_slips, "tar slip": tar_slips, "bomb": bombs, "closed archive": closed}


def write(corpus: Corpus) -> None:
    for kind, make in CLASSES.items():
        for file_name, data in make().items():
            corpus.malicious(kind, file_name, data)


GENERATORS: tuple[Generator, ...] = (write,)
