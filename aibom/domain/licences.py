"""What licence a card means: the identifiers of the Hugging Face Hub and SPDX's, side by side.

Hub list: huggingface/hub-docs, `docs/hub/repositories-licenses.md`. SPDX: spdx.org/licenses. An
identifier of a family ("gpl", "cc", "bsd") names no licence, so it has no SPDX identifier here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SPDX: Final = (
    "AFL-3.0", "AGPL-3.0", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause",
    "BSD-3-Clause-Clear", "BSL-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0",
    "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0",
    "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-SA-3.0",
    "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0",
    "C-UDA-1.0", "ECL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "GPL-2.0", "GPL-2.0-only",
    "GPL-2.0-or-later", "GPL-3.0", "GPL-3.0-only", "GPL-3.0-or-later", "ISC", "LGPL-2.1", "LGPL-3.0",
    "LGPLLR", "LPPL-1.3c", "MIT", "MIT-0", "MPL-2.0", "MS-PL", "NCSA", "ODC-By-1.0", "ODbL-1.0",
    "OFL-1.1", "OSL-3.0", "OpenMDW-1.0", "PDDL-1.0", "PostgreSQL", "Unlicense", "WTFPL", "Zlib",
    "etalab-2.0",
)  # fmt: skip

_ALIASES: Final = {
    "c-uda": "C-UDA-1.0",
    "lgpl-lr": "LGPLLR",
    "odbl": "ODbL-1.0",  # each of these three has one version only
    "odc-by": "ODC-By-1.0",
    "pddl": "PDDL-1.0",
    "apache-license-2.0": "Apache-2.0",
    "apache-license,-version-2.0": "Apache-2.0",
    "apache-license-version-2.0": "Apache-2.0",
    "mit-license": "MIT",
    "the-mit-license": "MIT",
    "cc0": "CC0-1.0",
}

_HUB: Final = "https://huggingface.co/"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLicence:
    """A licence or licence family without an SPDX identifier, and its page where one is certain."""

    name: str
    url: str | None = None


# Full name, and the page where one is certain: below the Hub, or an address.
_NAMED: Final = {
    "apple-amlr": ("Apple Model License for Research", "apple/deeplabv3-mobilevit-small/blob/main/LICENSE"),
    "apple-ascl": (
        "Apple Sample Code license",
        "https://developer.apple.com/support/downloads/terms/apple-sample-code/Apple-Sample-Code-License.pdf",
    ),
    "bigcode-openrail-m": (
        "BigCode Open RAIL-M v1",
        "https://www.bigcode-project.org/docs/pages/bigcode-openrail",
    ),
    "bigscience-bloom-rail-1.0": ("BigScience BLOOM RAIL 1.0", "spaces/bigscience/license"),
    "bigscience-openrail-m": ("BigScience OpenRAIL-M", "blog/bigscience-openrail-m"),
    "bsd": ("BSD license family", None),
    "cc": ("Creative Commons license family", None),
    "creativeml-openrail-m": ("CreativeML OpenRAIL-M", "spaces/CompVis/stable-diffusion-license"),
    "deepfloyd-if-license": ("DeepFloyd IF Research License Agreement", None),
    "fair-noncommercial-research-license": (
        "FAIR Noncommercial Research License",
        "facebook/fair-noncommercial-research-license/blob/main/LICENSE",
    ),
    "gemma": ("Gemma Terms of Use", "https://ai.google.dev/gemma/terms"),
    "gfdl": ("GNU Free Documentation License family", None),
    "gpl": ("GNU General Public License family", None),
    "grok2-community": ("Grok 2 Community License Agreement", "xai-org/grok-2/blob/main/LICENSE"),
    "h-research": ("H Research License", "Hcompany/Holo1-3B/blob/main/LICENSE"),
    "intel-research": ("Intel Research Use License Agreement", None),
    "lgpl": ("GNU Lesser General Public License family", None),
    "llama2": ("Llama 2 Community License Agreement", "meta-llama/Llama-2-7b-chat-hf/blob/main/LICENSE.txt"),
    "llama3": ("Llama 3 Community License Agreement", "meta-llama/Meta-Llama-3-8B/blob/main/LICENSE"),
    "llama3.1": (
        "Llama 3.1 Community License Agreement",
        "meta-llama/Meta-Llama-3.1-70B-Instruct/blob/main/LICENSE",
    ),
    "llama3.2": ("Llama 3.2 Community License Agreement", "meta-llama/Llama-3.2-1B/blob/main/LICENSE.txt"),
    "llama3.3": (
        "Llama 3.3 Community License Agreement",
        "meta-llama/Llama-3.3-70B-Instruct/blob/main/LICENSE",
    ),
    "llama4": (
        "Llama 4 Community License Agreement",
        "meta-llama/Llama-4-Scout-17B-16E-Instruct/blob/main/LICENSE",
    ),
    "openmdw-1.1": ("Open Model, Data & Weights License Agreement v1.1", "https://openmdw.ai/license/1-1/"),
    "openrail": ("OpenRAIL license family", None),
    "openrail++": ("Open Rail++-M License", "stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md"),
}

# The pages that datasets give instead of an identifier. A Creative Commons licence that was ported
# to a country (`by/3.0/us`) is another licence.
_PAGE = re.compile(
    r"https?://(?:www\.)?(?:"
    r"creativecommons\.org/licenses/(?P<cc>[a-z-]+/[0-9.]+)(?:/(?:deed|legalcode)[a-z._-]*)?"
    r"|creativecommons\.org/publicdomain/(?P<zero>zero/1\.0)(?:/(?:deed|legalcode)[a-z._-]*)?"
    r"|(?:opensource|spdx)\.org/licen[cs]es?/(?P<id>[a-z0-9.-]+?)(?:\.html|\.php)?"
    r"|apache\.org/licenses/license-2\.0(?:\.html|\.txt)?"
    r")/?\Z"
)

_BY_KEY: Final = {identifier.lower(): identifier for identifier in _SPDX} | _ALIASES
_NOT_A_LICENCE: Final = frozenset({"", "other", "unknown", "none", "n/a", "unlicensed", "noassertion"})


def spdx_of(text: str) -> str | None:
    """The SPDX identifier that a card's licence means, None when it names none without doubt."""
    return _BY_KEY.get(_key(text))


def named_of(text: str) -> NamedLicence | None:
    """The full name and page of a Hub licence that SPDX does not list."""
    found = _NAMED.get(_key(text))
    if found is None:
        return None
    name, page = found
    return NamedLicence(name=name, url=_HUB + page if page and "://" not in page else page)


def says_nothing(text: str) -> bool:
    """True for `other`, `unknown` and the like, which must never be told as a licence."""
    return _key(text) in _NOT_A_LICENCE


def _key(text: str) -> str:
    words = "-".join(text.lower().split())
    page = _PAGE.match(words)
    if page is None:
        return words
    if page["zero"]:
        return "cc0-1.0"
    if page["cc"]:
        return f"cc-{page['cc'].replace('/', '-')}"
    return page["id"] or "apache-2.0"
