"""The bare baselines: digests of every file of a folder, and nothing else.

python benchmarks/bare.py FOLDER THREADS [blake3]

SHA-256 of each file with hashlib. With `blake3` also BLAKE3 over pieces of 16 MiB, as if they were
tensors: what two digests of the same bytes cost at least.
"""

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHUNK_BYTES = 1 << 20
TENSOR_CHUNKS = 16


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(CHUNK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


def both(path: Path) -> str:
    from blake3 import blake3  # noqa: PLC0415 - the plain baseline does without

    digest, tensor, chunks = hashlib.sha256(), blake3(), 0
    buffer = memoryview(bytearray(CHUNK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            tensor.update(buffer[:count])
            chunks += 1
            if chunks % TENSOR_CHUNKS == 0:
                tensor.digest()
                tensor = blake3()
    return digest.hexdigest()


def main(folder: str, threads: str, kind: str = "sha256") -> None:
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    with ThreadPoolExecutor(int(threads)) as pool:
        for path, digest in zip(files, pool.map(both if kind == "blake3" else sha256, files), strict=True):
            print(digest, path.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
