"""LICENSE, COPYING and the like: which of the common licences the text is.

A text is known by its title near the beginning or by a sentence that only it has. Identifiers are
those of the SPDX list, else the Hub's (huggingface/hub-docs, repositories-licenses.md). GPL texts
get the identifier without `-only` or `-or-later`: the text alone does not say which.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, Facts, FileKind
from aibom.domain.limits import MIB
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._document import Collector, details

LICENCE_BYTES: Final = 1 * MIB  # the rest of a longer file is not looked at
TITLE_CHARS: Final = 800  # normalised; a title further behind belongs to a notice
SENTENCE_CHARS: Final = 6_000  # the same for a sentence, in front of which copyright lines can stand

_NAME = re.compile(r"(?:model[-_]?)?(?:licen[cs]e|copying|unlicense)(?:[-_. ].*)?\Z", re.IGNORECASE)
_CODE = (".py", ".js", ".ts", ".json", ".yml", ".yaml", ".toml", ".html", ".go", ".rs", ".java", ".sh", ".c")
_PROSE = (".txt", ".md", ".rst")
_NOTICE = re.compile(r"copyright\b|\(c\)|©", re.IGNORECASE)
_GAP = re.compile(r"[^a-z0-9.+\-]+")

# Looked for in normalised text: lower case, one space for everything but letters, digits, ". + -".
_TITLES = (
    ("Apache-2.0", "apache license version 2.0"),
    ("GPL-3.0", "gnu general public license version 3"),
    ("GPL-2.0", "gnu general public license version 2"),
    ("AGPL-3.0", "gnu affero general public license version 3"),
    ("LGPL-3.0", "gnu lesser general public license version 3"),
    ("LGPL-2.1", "gnu lesser general public license version 2.1"),
    ("MPL-2.0", "mozilla public license version 2.0"),
    ("BSL-1.0", "boost software license - version 1.0"),
    ("PSF-2.0", "python software foundation license version 2"),
    ("PSF-2.0", "a. history of the software"),  # how the file of CPython begins
    ("CC-BY-4.0", "attribution 4.0 international"),
    ("CC-BY-SA-4.0", "attribution-sharealike 4.0 international"),
    ("CC-BY-ND-4.0", "attribution-noderivatives 4.0 international"),
    ("CC-BY-NC-4.0", "attribution-noncommercial 4.0 international"),
    ("CC-BY-NC-SA-4.0", "attribution-noncommercial-sharealike 4.0 international"),
    ("CC-BY-NC-ND-4.0", "attribution-noncommercial-noderivatives 4.0 international"),
    ("CC0-1.0", "cc0 1.0 universal"),
    ("ODbL-1.0", "open database license odbl v1.0"),
    ("ODC-By-1.0", "open data commons attribution license"),
    ("CDLA-Permissive-2.0", "community data license agreement - permissive - version 2.0"),
    ("llama2", "llama 2 community license agreement"),
    ("llama3", "llama 3 community license agreement"),
    ("llama3.1", "llama 3.1 community license agreement"),
    ("llama3.2", "llama 3.2 community license agreement"),
    ("llama3.3", "llama 3.3 community license agreement"),
    ("llama4", "llama 4 community license agreement"),
    ("gemma", "gemma terms of use"),
    ("openrail++", "creativeml open rail++-m"),
    ("creativeml-openrail-m", "creativeml open rail-m"),
    ("bigscience-openrail-m", "bigscience open rail-m"),
    ("bigscience-bloom-rail-1.0", "bigscience rail license v1.0"),
    ("bigcode-openrail-m", "bigcode open rail-m"),
    ("openrail", "open rail"),
    ("openrail", "openrail"),
)
_SENTENCES = (
    (
        "MIT",
        "permission is hereby granted free of charge to any person obtaining a copy of this software and",
    ),
    ("BSD-3-Clause", "redistribution and use in source and binary forms with or without modification are"),
    ("ISC", "permission to use copy modify and or distribute this software for any purpose with or without"),
    ("ISC", "permission to use copy modify and distribute this software for any purpose with or without fee"),
    ("Unlicense", "this is free and unencumbered software released into the public domain"),
)
# A condition on top of a known text makes another licence of it.
_RIDER = "commons clause"


def recognise(probe: Probe) -> Match:
    """Text under a usual name; by content when its beginning is that of a known licence."""
    is_text = bool(probe.head) and b"\0" not in probe.head
    if not is_text or not _NAME.match(probe.name) or probe.named(*_CODE):
        return Match.NO
    if _identify(_normalised(probe.head)):
        return Match.CONTENT
    return Match.NAME if "." not in probe.name or probe.named(*_PROSE) else Match.NO


def read(probe: Probe) -> Facts:
    """The licence that the text is, or the title of an unknown one. Raises `UnreadableError`."""
    found = Collector()
    data = probe.reader.read_at(0, min(probe.size, LICENCE_BYTES))
    if probe.size > LICENCE_BYTES:
        found.reject(f"only the first {LICENCE_BYTES} of {probe.size} bytes are read", Reason.LIMIT)
    text = _normalised(data)
    licence = _identify(text)
    if licence is None:
        found.add(Attribute.LICENCE_NAME, _title(data), "L1", details(basis="title"))
    elif _RIDER in text:
        found.add(Attribute.LICENCE_NAME, f"{licence} with Commons Clause", "L1", details(basis="phrase"))
    else:
        found.add(Attribute.LICENCE, licence, "L1", details(basis="phrase"))
    return found.facts(FORMAT.name, FileKind.CARD)


def _normalised(data: bytes) -> str:
    return _GAP.sub(" ", data.decode("utf-8", "replace").lower())


def _identify(text: str) -> str | None:
    """The licence that the text names first: what follows are notices of parts."""
    top = text[:TITLE_CHARS]
    places = [(at, name) for name, phrase in _TITLES if (at := top.find(phrase)) >= 0]
    places += [(at, name) for name, phrase in _SENTENCES if (at := text.find(phrase, 0, SENTENCE_CHARS)) >= 0]
    # `min` keeps the earlier line of the tables where two begin at the same place.
    name = min(places, key=lambda place: place[0])[1] if places else None
    return _bsd(text) if name == "BSD-3-Clause" else name


def _bsd(text: str) -> str:
    if "all advertising materials mentioning" in text:
        return "BSD-4-Clause"
    return "BSD-3-Clause" if "endorse or promote products" in text else "BSD-2-Clause"


def _title(data: bytes) -> str:
    """The first line that is neither blank, nor decoration, nor a copyright notice."""
    lines = (line.strip("# =-\t*") for line in data[:4096].decode("utf-8", "replace").splitlines())
    return capped(next((line for line in lines if line and not _NOTICE.match(line)), ""), 256)


FORMAT = Format(
    name="licence-file",
    title="Licence text",
    kind=FileKind.CARD,
    suffixes=("license", "licence", "copying"),
    recognise=recognise,
    read=read,
    media_type="text/plain",
)
