"""PMML and OpenVINO: what the documents state, and that nothing in them is resolved."""

from __future__ import annotations

import tracemalloc
import xml.etree.ElementTree as ET

import defusedxml
import defusedxml.ElementTree
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import DOCUMENT_BYTES, MIB
from aibom.domain.protocols import Format, Match
from aibom.formats.xml_models import OPENVINO, PMML
from aibom.readers.xml import TOKEN_BYTES, XML_DEPTH
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

FILES = {"tree.pmml": PMML, "openvino.xml": OPENVINO}
MODEL = '<PMML version="4.4"><TreeModel modelName="m"/></PMML>'


def pmml(text: str, encoding: str = "utf-8") -> Facts:
    return read(PMML, text.encode(encoding), "m.pmml")


def found(facts: Facts) -> list[str]:
    return [hazard.found for hazard in facts.hazards]


def test_a_pmml_document_states_what_its_elements_say() -> None:
    facts = read_fixture(PMML, "xml/tree.pmml")
    root = ET.parse(FIXTURES / "xml/tree.pmml").getroot()
    space = {"p": root.tag[1:].partition("}")[0]}
    model = root.find("p:TreeModel", space)
    assert model is not None
    assert facts.version == root.get("version")
    assert facts.values(Attribute.ARCHITECTURE) == ("TreeModel",)
    assert facts.values(Attribute.NAME) == (model.get("modelName"),)
    assert facts.values(Attribute.TASK) == (model.get("functionName"),)
    assert list(facts.values(Attribute.INPUT)) == [
        f.get("name") for f in root.iterfind(".//p:DataField", space)
    ]
    application = root.find("p:Header/p:Application", space)
    assert application is not None
    assert facts.first(Attribute.TRAINING_FRAMEWORK) == " ".join(application.attrib.values())


def test_an_openvino_document_states_what_its_elements_say() -> None:
    facts = read_fixture(OPENVINO, "xml/openvino.xml")
    root = ET.parse(FIXTURES / "xml/openvino.xml").getroot()
    assert (facts.version, facts.first(Attribute.NAME)) == (root.get("version"), root.get("name"))
    assert facts.metadata == (("Runtime_version", "2024.1"),)


@pytest.mark.parametrize("name", FILES)
def test_documents_of_real_writers_have_no_hazard(name: str) -> None:
    facts = read_fixture(FILES[name], f"xml/{name}")
    assert facts.hazards == ()
    assert facts.defects == ()
    assert facts.capabilities == frozenset()


@pytest.mark.parametrize(
    ("prolog", "expected"),
    [
        ("<!DOCTYPE PMML>", ["doctype"]),
        ('<!DOCTYPE PMML SYSTEM "http://a/b.dtd">', ["external-dtd"]),
        ('<!DOCTYPE PMML PUBLIC "PMML 2.0" "pmml.dtd">', ["external-dtd"]),
        ('<!DOCTYPE PMML [<!ENTITY a "b">]>', ["doctype", "entity"]),
        ('<!DOCTYPE PMML [<!ENTITY a SYSTEM "file:///etc/passwd">]>', ["doctype", "external-entity"]),
        ('<!DOCTYPE PMML [<!ENTITY % a SYSTEM "http://a"> %a;]>', ["doctype", "external-entity"]),
        ('<?xml-stylesheet href="a.xsl"?>', ["instruction"]),
        ('<?xml-model href="a.rnc"?>', ["instruction"]),
        ("<?php echo ?>", []),
        ("<!-- <!DOCTYPE a> -->", []),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_what_makes_a_parser_open_things_is_a_hazard_in_every_encoding(
    prolog: str, expected: list[str], encoding: str
) -> None:
    facts = pmml(prolog + MODEL, encoding)
    assert found(facts) == expected
    assert {hazard.kind for hazard in facts.hazards} <= {HazardKind.EXTERNAL_ENTITY}


def test_an_inclusion_is_a_hazard_under_any_prefix() -> None:
    space = "http://www.w3.org/2001/XInclude"
    facts = pmml(f'<PMML version="4"><q:include xmlns:q="{space}" href="/etc/passwd"/></PMML>')
    assert found(facts) == ["inclusion"]
    assert found(pmml('<PMML version="4"><include href="/etc/passwd"/></PMML>')) == []


def test_nothing_is_read_behind_declared_entities_and_that_is_told() -> None:
    laughs = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 20))
    facts = pmml(f'<!DOCTYPE PMML [<!ENTITY a0 "ha">{laughs}]><PMML version="&a19;"/>')
    assert found(facts) == ["doctype", "entity"]
    assert [defect.reason for defect in facts.defects] == [Reason.UNSUPPORTED]
    assert facts.version is None


@given(
    st.lists(
        st.sampled_from(
            ["<!DOCTYPE PMML>", '<!DOCTYPE PMML SYSTEM "a">', '<!DOCTYPE PMML [<!ENTITY a "b">]>',
             '<!DOCTYPE PMML [<!ENTITY % a "b">]>', "<!-- c -->", '<?xml version="1.0"?>', "\n", "x",
             "<?a b?>", "<![CDATA[x]]>"]
        ),
        max_size=3,
    ),
    st.sampled_from(["utf-8", "utf-16"]),
)  # fmt: skip
def test_the_verdict_on_declarations_is_that_of_defusedxml(parts: list[str], encoding: str) -> None:
    data = ("".join(parts) + MODEL).encode(encoding)
    ours = outcome(PMML, data, "m.pmml")
    try:
        defusedxml.ElementTree.fromstring(data, forbid_dtd=True)
    except defusedxml.DefusedXmlException:
        assert isinstance(ours, Facts)
        assert ours.hazards
    except ET.ParseError:
        assert isinstance(ours, UnreadableError) or ours.hazards or ours.defects
    else:
        assert isinstance(ours, Facts)
        assert not ours.hazards
        assert not ours.defects


def test_functions_of_pmml_that_are_code_elsewhere_are_custom_operators() -> None:
    text = (
        '<PMML version="4"><TransformationDictionary><DefineFunction name="my.own"/>'
        '<Apply function="my.own"/><Apply function="x-abs"/><Apply function="com.example.Evil"/>'
        "</TransformationDictionary></PMML>"
    )
    facts = pmml(text)
    assert [(h.kind, h.found) for h in facts.hazards] == [(HazardKind.CUSTOM_OPERATOR, "com.example.Evil")]
    assert facts.capabilities == {Capability.CUSTOM_OPERATORS}
    assert facts.hazards[0].offset == text.index('<Apply function="com')


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ('type="ReLU" version="opset15"', []),
        ('type="ReLU"', []),
        ('type="StringTensorUnpack" version="extension"', ["extension.StringTensorUnpack"]),
        ('type="Evil" version="custom_opset"', ["custom_opset.Evil"]),
        ('type="Evil" version="opset1;x"', ["opset1;x.Evil"]),
    ],
)
def test_layers_of_no_operation_set_are_custom_operators(layer: str, expected: list[str]) -> None:
    body = '<body><layers><layer type="A" version="opset1"/></layers></body>'
    inner = f"<layers><layer {layer}>{body}</layer></layers>"
    facts = read(OPENVINO, f'<net name="n" version="11">{inner}</net>'.encode(), "m.xml")
    assert found(facts) == expected


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "no element found"),
        (b"<PMML>", Reason.MALFORMED, "no element found"),
        (b"<html/>", Reason.MALFORMED, "root element is another"),
        (b"<p:PMML/>", Reason.MALFORMED, "unbound prefix"),
        (b'<?xml version="1.0" encoding="idna"?><PMML/>', Reason.UNSUPPORTED, "encoding 'idna'"),
        (b'<?xml version="1.0" encoding="iso-8859-99"?><PMML/>', Reason.UNSUPPORTED, "character set"),
        (b"<a>" * (XML_DEPTH + 1), Reason.LIMIT, f"{XML_DEPTH} levels"),
        (b'<PMML a="' + b"x" * (2 * TOKEN_BYTES), Reason.LIMIT, "token"),
        (b" " * (DOCUMENT_BYTES + 1), Reason.LIMIT, "at most"),
    ],
    ids=range(9),
)
def test_hostile_documents_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        read(PMML, data, "m.pmml")
    assert caught.value.reason is reason


def test_what_stands_before_an_error_is_kept() -> None:
    facts = pmml("<!DOCTYPE PMML>" + MODEL.replace("</PMML>", "<a></b>"))
    assert found(facts) == ["doctype"]
    assert facts.first(Attribute.NAME) == "m"
    assert [defect.reason for defect in facts.defects] == [Reason.MALFORMED]


def test_a_tag_without_end_costs_no_memory() -> None:
    data = b"<PMML " + b"".join(b'a%d="x" ' % i for i in range(200_000))
    tracemalloc.start()
    outcome(PMML, data, "m.pmml")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * MIB


@pytest.mark.parametrize("name", FILES)
def test_truncated_and_flipped_documents_never_escape(name: str) -> None:
    data = (FIXTURES / f"xml/{name}").read_bytes()
    end = data.rindex(b">")
    for cut in truncations(data):
        result = outcome(FILES[name], cut, name)
        assert isinstance(result, UnreadableError) or result.defects or len(cut) > end
    for copy in flips(data, 300):
        outcome(FILES[name], copy, name)


@pytest.mark.parametrize(
    ("fmt", "data", "name", "match"),
    [
        (PMML, MODEL.encode(), "model.bin", Match.CONTENT),
        (PMML, MODEL.encode("utf-16"), "model.bin", Match.CONTENT),
        (PMML, b"<!--" + b" " * 9_000 + b"-->" + MODEL.encode(), "model.bin", Match.CONTENT),
        (PMML, b'<p:PMML xmlns:p="x">', "a.xml", Match.CONTENT),
        (PMML, b"<html>", "a.pmml", Match.NAME),
        (PMML, b"<html>", "a.xml", Match.NO),
        (OPENVINO, b'<net version="11" name="x">', "model.bin", Match.CONTENT),
        (OPENVINO, b"<net>", "model.xml", Match.NO),
        (OPENVINO, b"text about <net version=1>", "model.xml", Match.NO),
    ],
)
def test_recognised_by_the_root_element(fmt: Format, data: bytes, name: str, match: Match) -> None:
    assert fmt.recognise(probe_of(data, name)) is match
