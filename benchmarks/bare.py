"""The bare baseline: SHA-256 of every file of a folder with hashlib, and nothing else.

python benchmarks/bare.py FOLDER THREADS
"""

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHUNK_BYTES = 1 << 20


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(CHUNK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


def main(folder: str, threads: str) -> None:
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    with ThreadPoolExecutor(int(threads)) as pool:
        for path, digest in zip(files, pool.map(sha256, files), strict=True):
            print(digest, path.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
