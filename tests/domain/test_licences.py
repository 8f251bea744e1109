"""Licences: an identifier only where it is certain, and never one for `other`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.licences import named_of, says_nothing, spdx_of

# The identifiers of huggingface/hub-docs, repositories-licenses.md.
HUB = [
    "apache-2.0", "mit", "openrail", "bigscience-openrail-m", "creativeml-openrail-m",
    "bigscience-bloom-rail-1.0", "bigcode-openrail-m", "afl-3.0", "artistic-2.0", "bsl-1.0", "bsd",
    "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "c-uda", "cc", "cc0-1.0", "cc-by-2.0",
    "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0",
    "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0",
    "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0",
    "wtfpl", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2", "agpl-3.0", "gfdl",
    "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "isc", "h-research", "intel-research",
    "lppl-1.3c", "ms-pl", "apple-ascl", "apple-amlr", "mpl-2.0", "odc-by", "odbl", "openmdw-1.0",
    "openmdw-1.1", "openrail++", "osl-3.0", "postgresql", "ofl-1.1", "ncsa", "unlicense", "zlib", "pddl",
    "lgpl-lr", "deepfloyd-if-license", "fair-noncommercial-research-license", "llama2", "llama3",
    "llama3.1", "llama3.2", "llama3.3", "llama4", "grok2-community", "gemma", "unknown", "other",
]  # fmt: skip


@pytest.mark.parametrize("identifier", HUB)
def test_every_identifier_of_the_hub_is_exactly_one_of_three_things(identifier: str) -> None:
    answers = (spdx_of(identifier) is not None, named_of(identifier) is not None, says_nothing(identifier))
    assert sum(answers) == 1


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("  Apache  2.0 ", "Apache-2.0"),
        ("Apache License 2.0", "Apache-2.0"),
        ("odc-by", "ODC-By-1.0"),
        ("pddl", "PDDL-1.0"),
        ("lgpl-lr", "LGPLLR"),
        ("MIT License", "MIT"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "CC-BY-SA-4.0"),
        ("http://creativecommons.org/licenses/by/4.0/deed.en", "CC-BY-4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://www.apache.org/licenses/LICENSE-2.0.html", "Apache-2.0"),
        ("https://opensource.org/license/mit", "MIT"),
        ("https://spdx.org/licenses/MPL-2.0.html", "MPL-2.0"),
        ("https://creativecommons.org/licenses/by/3.0/us/", None),
        ("https://creativecommons.org/licenses/by/9.9/", None),
        ("https://example.org/licenses/mit", None),
        ("gpl", None),
        ("cc", None),
        ("bsd", None),
        ("llama2", None),
        ("gemma", None),
        ("other", None),
        ("", None),
    ],
)
def test_an_spdx_identifier_is_given_only_where_no_doubt_is_left(text: str, identifier: str | None) -> None:
    assert spdx_of(text) == identifier


def test_a_named_licence_has_a_page_where_one_is_certain() -> None:
    gemma, family = named_of("gemma"), named_of("gpl")
    assert gemma is not None
    assert family is not None
    assert gemma.url == "https://ai.google.dev/gemma/terms"
    assert family.url is None


@given(st.text(max_size=20))
def test_any_text_has_an_answer(text: str) -> None:
    assert not (spdx_of(text) and says_nothing(text))
