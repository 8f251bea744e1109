"""Licence texts: known by their titles and sentences, never by a mention in passing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, Facts
from aibom.domain.protocols import Match
from aibom.formats.licence_file import _SENTENCES, _TITLES, FORMAT, LICENCE_BYTES
from tests.hostile import FIXTURES, probe_of, read, read_fixture

MIT = (FIXTURES / "cards/model/LICENSE").read_text()
BSD = "Redistribution and use in source and binary forms, with or without modification, are permitted"


def licence(text: str) -> Facts:
    return read(FORMAT, text.encode(), "LICENSE")


def test_the_fixture_is_the_mit_licence() -> None:
    facts = read_fixture(FORMAT, "cards/model/LICENSE")
    assert facts.values(Attribute.LICENCE) == ("MIT",)
    assert facts.statements[0].details == (("basis", "phrase"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("                 Apache License\n           Version 2.0, January 2004", "Apache-2.0"),
        ("Copyright 2018- The Team.\n\n Apache License\n Version 2.0, January 2004", "Apache-2.0"),
        ('Licensed under the Apache License, Version 2.0 (the "License");', "Apache-2.0"),
        (BSD + ".", "BSD-2-Clause"),
        (BSD + ". Neither the name may be used to endorse or promote products", "BSD-3-Clause"),
        (BSD + ". The name may not be used to endorse or promote products", "BSD-3-Clause"),
        ("A. HISTORY OF THE SOFTWARE\n=====\n\nPython was created", "PSF-2.0"),
        (BSD + ". All advertising materials mentioning features. Neither the name", "BSD-4-Clause"),
        ("GNU GENERAL PUBLIC LICENSE\n Version 2, June 1991", "GPL-2.0"),
        ("GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007", "GPL-3.0"),
        ("GNU LESSER GENERAL PUBLIC LICENSE\n Version 2.1, February 1999", "LGPL-2.1"),
        ("GNU LESSER GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007", "LGPL-3.0"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\n Version 3, 19 November 2007", "AGPL-3.0"),
        ("Mozilla Public License Version 2.0\n=====", "MPL-2.0"),
        ("Attribution 4.0 International\n\n=====", "CC-BY-4.0"),
        ("Creative Commons Attribution-ShareAlike 4.0 International Public License", "CC-BY-SA-4.0"),
        ("Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
        ("Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Legal Code\n\nCC0 1.0 Universal", "CC0-1.0"),
        ("This is free and unencumbered software released into the public domain.", "Unlicense"),
        ("LLAMA 2 COMMUNITY LICENSE AGREEMENT", "llama2"),
        ("META LLAMA 3 COMMUNITY LICENSE AGREEMENT\nMeta Llama 3 Version Release", "llama3"),
        ("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT", "llama3.1"),
        ("LLAMA 3.2 COMMUNITY LICENSE AGREEMENT", "llama3.2"),
        ("# Llama 3.3 Community License Agreement", "llama3.3"),
        ("Gemma Terms of Use\n\nLast modified: February 21, 2024", "gemma"),
        ("CreativeML Open RAIL-M\ndated August 22, 2022", "creativeml-openrail-m"),
        ("CreativeML Open RAIL++-M License", "openrail++"),
        ("BigCode Open RAIL-M v1 License Agreement", "bigcode-openrail-m"),
        ("BigScience RAIL License v1.0\ndated May 19, 2022", "bigscience-bloom-rail-1.0"),
        ("BigScience Open RAIL-M License", "bigscience-openrail-m"),
        ("Fjord OpenRAIL-S licence", "openrail"),
    ],
)
def test_common_licences_are_known_by_their_beginning(text: str, expected: str) -> None:
    assert licence(text).values(Attribute.LICENCE) == (expected,)


@pytest.mark.parametrize(("name", "phrase"), [*_TITLES, *_SENTENCES])
def test_every_phrase_of_the_tables_can_be_found(name: str, phrase: str) -> None:
    (found,) = licence(phrase).values(Attribute.LICENCE)
    assert found == name.replace("BSD-3", "BSD-2")


def test_an_unknown_text_is_told_by_its_title_and_is_no_licence() -> None:
    facts = licence("\nCopyright (c) 2024 Kari\n# Tongyi Qianwen LICENSE AGREEMENT\n\nBy using ...")
    assert facts.values(Attribute.LICENCE) == ()
    assert facts.values(Attribute.LICENCE_NAME) == ("Tongyi Qianwen LICENSE AGREEMENT",)
    assert facts.statements[0].details == (("basis", "title"),)


def test_a_licence_with_another_condition_is_not_that_licence() -> None:
    facts = licence('"Commons Clause" License Condition v1.0\n\nApache License\nVersion 2.0')
    assert facts.values(Attribute.LICENCE) == ()
    assert facts.values(Attribute.LICENCE_NAME) == ("Apache-2.0 with Commons Clause",)


def test_a_mention_far_behind_is_not_the_licence() -> None:
    facts = licence("Fjord Licence\n" + "word " * 400 + "GNU General Public License version 3")
    assert facts.values(Attribute.LICENCE) == ()
    assert licence("Fjord Licence\n" + "word " * 4_000 + MIT).values(Attribute.LICENCE) == ()


def test_the_first_of_several_licences_is_told() -> None:
    assert licence(MIT + "\n" + BSD).values(Attribute.LICENCE) == ("MIT",)
    assert licence(BSD + "\n" + MIT).values(Attribute.LICENCE) == ("BSD-2-Clause",)


@given(st.integers(1, 6), st.sampled_from(["\n", "\r\n", "  ", "\n# ", "\t"]))
def test_line_breaks_and_case_do_not_matter(every: int, gap: str) -> None:
    words = MIT.split()
    pieces = [" ".join(words[i : i + every]) for i in range(0, len(words), every)]
    assert licence(gap.join(pieces)).values(Attribute.LICENCE) == ("MIT",)
    assert licence(gap.join(pieces).upper()).values(Attribute.LICENCE) == ("MIT",)


def test_a_long_text_is_read_up_to_the_bound_and_says_so() -> None:
    facts = licence(MIT + "x" * LICENCE_BYTES)
    assert facts.values(Attribute.LICENCE) == ("MIT",)
    assert facts.defects[0].reason is Reason.LIMIT


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("LICENSE", MIT.encode(), Match.CONTENT),
        ("Licence.txt", b"Own terms", Match.NAME),
        ("LICENSE-APACHE", b"Apache License Version 2.0", Match.CONTENT),
        ("COPYING", b"Own terms", Match.NAME),
        ("MODEL_LICENSE", b"Own terms", Match.NAME),
        ("LICENSE.Fjord", b"Own terms", Match.NO),
        ("LICENSE.Fjord", MIT.encode(), Match.CONTENT),
        ("LICENSE", b"", Match.NO),
        ("LICENSE", b"a\0b", Match.NO),
        ("license.py", b"x = 1", Match.NO),
        ("licenses.txt", b"Own terms", Match.NO),
        ("README", MIT.encode(), Match.NO),
    ],
)
def test_recognised_by_name_and_text(name: str, data: bytes, match: Match) -> None:
    assert FORMAT.recognise(probe_of(data, name)) is match
