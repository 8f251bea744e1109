"""Malicious files that harm nobody, and benign files as the libraries write them."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from corpus import (
    benign_boosters,
    benign_data,
    benign_graphs,
    benign_sklearn,
    benign_text,
    benign_torch,
    malicious_archives,
    malicious_evasions,
    malicious_graphs,
    malicious_headers,
    malicious_nested,
    malicious_pickles,
    malicious_programs,
    malicious_text,
    malicious_torch,
)
from corpus.writer import MANIFEST, Corpus

MODULES = (
    malicious_pickles,
    malicious_evasions,
    malicious_nested,
    malicious_torch,
    malicious_archives,
    malicious_graphs,
    malicious_headers,
    malicious_text,
    malicious_programs,
    benign_torch,
    benign_sklearn,
    benign_boosters,
    benign_data,
    benign_graphs,
    benign_text,
)


def stamp() -> str:
    """Changes whenever the code that writes the corpus changes."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


def write_corpus(folder: Path) -> list[str]:
    """Writes files/ and the manifest below `folder`; says which generators lacked a library."""
    corpus = Corpus(folder / "files")
    missing = []
    for module in MODULES:
        started, before = time.perf_counter(), len(corpus.items)
        for generate in module.GENERATORS:
            try:
                generate(corpus)
            except ImportError as error:
                missing.append(f"{module.__name__}.{generate.__name__}: {error}")
        print(
            f"{module.__name__:28}{len(corpus.items) - before:5} files {time.perf_counter() - started:6.1f} s",
            flush=True,
        )
    corpus.write_manifest(folder / MANIFEST)
    return missing
