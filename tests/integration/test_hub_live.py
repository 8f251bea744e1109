"""The live Hub, only when AIBOM_LIVE_HUB=1: reads one tiny public model, and writes nothing.

It fetches some 100 kB. What we say is compared with what the library `huggingface_hub` says.
"""

from __future__ import annotations

import os

import pytest
from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from aibom.domain.entry import Entry
from aibom.sources.http import Http
from aibom.sources.hub import PLACE
from aibom.sources.opening import Opening

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.environ.get("AIBOM_LIVE_HUB") != "1", reason="only with AIBOM_LIVE_HUB=1"),
]
NAME = "hf-internal-testing/tiny-random-gpt2"


def test_a_tiny_public_model_is_what_the_library_says() -> None:
    http = Http(environment=os.environ)
    token = os.environ.get("HF_TOKEN", "")
    opening = Opening(network=lambda: http, environment={"HF_TOKEN": token})
    source = PLACE.open(f"hf://{NAME}", opening)
    library = HfApi(token=token or False)
    ref = source.target.ref
    assert ref is not None
    assert ref.revision == library.model_info(NAME).sha
    theirs = {
        item.path: item
        for item in library.list_repo_tree(NAME, recursive=True, revision=ref.revision)
        if isinstance(item, RepoFile)
    }
    ours = {item.path: item for item in source.entries() if isinstance(item, Entry)}
    assert ours.keys() == theirs.keys()
    for path, entry in ours.items():
        claims = {digest.algorithm: digest.value for digest in entry.claimed}
        lfs = theirs[path].lfs
        assert entry.size == theirs[path].size
        assert claims.get("xet") == theirs[path].xet_hash
        assert claims["sha256" if lfs else "git-sha1"] == (lfs.sha256 if lfs else theirs[path].blob_id)
        with source.open(entry) as reader:
            assert len(reader.read_at(0, min(1_000, reader.size))) == min(1_000, entry.size)
