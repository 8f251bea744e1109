"""Templates that reach for Python, or never end, in every spelling that we know. Nothing is rendered."""

from __future__ import annotations

import json

import pytest

from aibom.domain.confidence import Confidence
from aibom.domain.facts import Facts
from aibom.domain.hazard import HazardKind
from aibom.formats.tokenizer import CHAT_TEMPLATE, TOKENIZER_CONFIG
from aibom.formats.transformers_config import FORMAT as CONFIG
from tests.hostile import read

CALLS = [f"{{{{ m{i}() }}}}" * 10 for i in range(8)]  # ten times the macro before
MACROS = [f"{{% macro m{i}() %}}{body}{{% endmacro %}}" for i, body in enumerate(["x", *CALLS])]

ESCAPES = [
    ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "__subclasses__"),
    ("{{ ''['__class__'] }}", "__class__"),
    ("{{ ''['__cla' + 'ss__'] }}", "__class__"),
    ("{{ ''['__cla' ~ 'ss__'] }}", "__class__"),
    ("{{ ''['__cla' 'ss__'] }}", "__class__"),
    (r"{{ ''|attr('\x5f\x5fclass\x5f\x5f') }}", "__class__"),
    ("{{ ''|attr(['__', 'class', '__']|join) }}", "__class__"),
    ("{{ ''|attr('_' * 2 ~ 'class' ~ '_' * 2) }}", "__class__"),
    ("{{ messages|map(attribute='content.__class__')|list }}", "__class__"),
    ("{{ messages|map('attr', '__class__')|list }}", "__class__"),
    ("{{ messages|selectattr('__class__.__name__') }}", "__class__"),
    ("{{ messages|groupby('__class__') }}", "__class__"),
    ("{{ messages|sort(attribute='a,__class__') }}", "__class__"),
    ("{% set a = '__cla' %}{% set b = 'ss__' %}{{ x[a ~ b] }}", "__class__"),
    ("{% set a, b = '__cla', 'ss__' %}{{ x[a ~ b] }}", "__class__"),
    ("{% set ns = namespace(a='__cla') %}{{ x[ns.a ~ 'ss__'] }}", "__class__"),
    ("{% with a = '__cla' %}{{ x[a ~ 'ss__'] }}{% endwith %}", "__class__"),
    ("{% macro f(k) %}{{ x['__' ~ k] }}{% endmacro %}{{ f('globals__') }}", "__globals__"),
    ("{% macro f(k='globals__') %}{{ x['__' ~ k] }}{% endmacro %}", "__globals__"),
    ("{% macro f() %}__class__{% endmacro %}{{ x[f()] }}", "__class__"),
    ("{% for k in ['class__'] %}{{ x['__' ~ k] }}{% endfor %}", "__class__"),
    ("{{ '{0.__class__}'.format(x) }}", "__class__"),
    ("{{ x['%s%s'|format('__cla', 'ss__')] }}", "__class__"),
    ("{{ x['%c%cclass%c%c' % (95, 95, 95, 95)] }}", "__class__"),
    ("{{ x['__ssalc__'|reverse] }}", "__class__"),
    ("{{ x['__ssalc__'[::-1]] }}", "__class__"),
    ("{{ x['XXclassXX'|replace('X', '_')] }}", "__class__"),
    ("{{ x['XXclassXX'.replace('X', '_')] }}", "__class__"),
    ("{{ x['__CLASS__'|lower] }}", "__class__"),
    ("{{ x['a __class__'.split()[1]] }}", "__class__"),
    ("{% set k %}__class__{% endset %}{{ x[k] }}", "__class__"),
    ("{{ x[dict(__class__=1)|list|first] }}", "__class__"),
    ("{{ cycler.__init__.__globals__.os.popen('x') }}", "__globals__"),
    ("{{ lipsum.__globals__['os'] }}", "__globals__"),
    ("{{ self._TemplateReference__context }}", "_TemplateReference__context"),
    ("{{ x.gi_frame.f_globals }}", "f_globals"),
    ("{{ x['f_globals'] }}", "f_globals"),
    ("{% if x.__class__ is defined %}{% endif %}", "__class__"),
]  # fmt: skip

UNRESOLVED = [
    ("{{ x|attr(y) }}", "|attr"),
    ("{{ x|map('attr', y) }}", "|map"),
    ("{{ x|map(attribute=y) }}", "|map"),
    ("{{ x[a ~ b] }}", "[...]"),
    ("{{ x[y|join] }}", "[...]"),
    ("{{ x['_' ~ y] }}", "[...]"),
    ("{% include 'x' %}", "include"),
    ("{% import 'x' as y %}", "import"),
    ("{% from 'x' import y %}", "import"),
    ("{% extends 'x' %}", "extends"),
]

ENDLESS = [
    ("{% for i in range(1000000000) %}{% endfor %}", "range"),
    ("{% set n = 10 ** 9 %}{% for i in range(0, n)|list %}{% endfor %}", "range"),
    ("{% for i in range(1000) %}" * 3 + "x" + "{% endfor %}" * 3, "nested loops"),
    ("{% for i in 'aaaaaaaaaaaaaaaaaaaa' %}" * 5 + "x" + "{% endfor %}" * 5, "nested loops"),
    ("{{ 'a' * 10000000000 }}", "repeated text"),
    ("{{ 10 ** (10 ** 10) }}", "**"),
    ("{{ 'x'.ljust(10 ** 9) }}", "ljust"),
    ("{{ x|indent(1000000000) }}", "indent"),
    ("{{ '%1000000000d' % 1 }}", "format"),
    ("{{ '{:>1000000000}'.format(1) }}", "format"),
    ("{% set a = 'xxxxxxxxxx' %}" + "{% set a = a~a~a~a~a~a~a~a~a~a %}" * 6, "repeated text"),
    ("{% for i in x %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}", "doubled text"),
    ("{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}", "macro f"),
    ("{% macro f(n) %}{% for i in x %}{{ f(n - 1) }}{% endfor %}{% endmacro %}", "macro f"),
    ("{% macro g(n) %}{{ f(n) }}{% endmacro %}{% macro f(n) %}{{ g(n|int) ~ g(0)}}{% endmacro %}", "macro f"),
    ("{% for x in [1, 1] recursive %}{{ loop([1, 1]) }}{% endfor %}", "recursive loop"),
    ("{% set l = [1] %}{% for x in l %}{% do l.append(x) %}{% endfor %}", "growing list"),
    ("{{ lipsum(n=100000000) }}", "lipsum"),
    ("".join(MACROS) + "{{ m8() }}", "nested loops"),
    ("".join(reversed(MACROS)) + "{{ m8() }}", "nested loops"),
]  # fmt: skip


def config(template: object) -> Facts:
    return read(TOKENIZER_CONFIG, json.dumps({"chat_template": template}).encode(), "tokenizer_config.json")


def kinds(facts: Facts) -> set[tuple[HazardKind, str, Confidence]]:
    return {(hazard.kind, hazard.found, hazard.confidence) for hazard in facts.hazards}


@pytest.mark.parametrize(("template", "found"), ESCAPES)
def test_a_walk_to_pythons_internals_is_found_in_every_spelling(template: str, found: str) -> None:
    facts = config(template)
    assert (HazardKind.UNSAFE_TEMPLATE, found, Confidence.HIGH) in kinds(facts)
    assert facts.defects == ()


@pytest.mark.parametrize(("template", "found"), UNRESOLVED)
def test_a_name_that_only_the_running_template_knows_is_told_with_less_confidence(
    template: str, found: str
) -> None:
    assert kinds(config(template)) == {(HazardKind.UNSAFE_TEMPLATE, found, Confidence.MEDIUM)}


@pytest.mark.parametrize(("template", "found"), ENDLESS)
def test_a_template_out_of_all_proportion_is_found(template: str, found: str) -> None:
    assert (HazardKind.ENDLESS_TEMPLATE, found, Confidence.HIGH) in kinds(config(template))


@pytest.mark.parametrize("template", [ESCAPES[0][0], ENDLESS[0][0]])
def test_a_template_is_examined_wherever_it_stands(template: str) -> None:
    expected = kinds(config(template))
    assert expected
    assert (
        kinds(config([{"name": "default", "template": "{{ x }}"}, {"name": "b", "template": template}]))
        == expected
    )
    assert kinds(config({"tool_use": template})) == expected
    both = json.dumps({"chat_template": template}).encode()
    assert kinds(read(CHAT_TEMPLATE, both, "chat_template.json")) == expected
    assert kinds(read(CHAT_TEMPLATE, template.encode(), "chat_template.jinja")) == expected
    assert kinds(read(CONFIG, both, "processor_config.json")) == expected


def test_a_template_that_does_not_parse_is_a_defect_of_its_file() -> None:
    facts = config("{{ a.__class__")
    assert facts.hazards == ()
    assert "chat template: line 1" in facts.defects[0].message
