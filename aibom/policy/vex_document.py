"""A VEX document, read strictly: OpenVEX 0.2.0, or CycloneDX 1.4 to 1.7 with analyses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from aibom.domain.digest import HEX_CHARS
from aibom.domain.errors import UnreadableError
from aibom.domain.limits import STRING_CHARS
from aibom.domain.vulnerability import Assessment, Impact
from aibom.policy.vex import Link, Product, Statement, time_of
from aibom.readers import json
from aibom.readers.cyclonedx_analysis import assessment_of, names_of
from aibom.readers.json import Json, integer, members, strings, text

VEX_BYTES: Final = 64 << 20
STATEMENT_COUNT: Final = 100_000
PRODUCT_COUNT: Final = 1_000_000  # of all statements, with their subcomponents
CONTEXT: Final = "https://openvex.dev/ns/v0.2.0"
JUSTIFICATIONS: Final = frozenset(
    {
        "component_not_present", "inline_mitigations_already_exist",
        "vulnerable_code_cannot_be_controlled_by_adversary", "vulnerable_code_not_in_execute_path",
        "vulnerable_code_not_present",
    }
)  # fmt: skip
_VERSIONS: Final = ("1.4", "1.5", "1.6", "1.7")
_IMPACTS: Final = {impact.value: impact for impact in Impact}
_LINK: Final = re.compile(
    r"urn:cdx:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([1-9][0-9]{0,8})(?:#(.+))?\Z"
)
# IANA's names, as OpenVEX spells them; there are no others that a bill of materials here has.
_HASHES: Final = {
    "md5": "md5", "sha1": "sha1", "sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512",
    "blake2b-512": "blake2b",
}  # fmt: skip


class VexError(ValueError):
    """The document is no VEX document that can be applied; the text says why, and where in it."""


def parse_vex(data: bytes, name: str) -> tuple[Statement, ...]:
    """Its statements. `name` is what they are called by in results. Raises `VexError`."""
    if len(data) > VEX_BYTES:
        raise VexError(f"it is larger than {VEX_BYTES:,} bytes")
    try:
        document = members(json.parse(data))
    except UnreadableError as error:
        raise VexError(str(error)) from error
    context = text(document.get("@context")) or ""
    if context == CONTEXT:
        return tuple(_open_vex(document, name))
    if document.get("bomFormat") == "CycloneDX" and document.get("specVersion") in _VERSIONS:
        return tuple(_cyclonedx(document, name))
    if context.startswith("https://openvex.dev/ns"):
        raise VexError(f"OpenVEX of the context {context[:80]}: read is {CONTEXT}")
    raise VexError("neither OpenVEX 0.2.0 nor CycloneDX 1.4 to 1.7 in JSON")


def _list(value: Json, where: str, most: int = STATEMENT_COUNT) -> list[dict[str, Json]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise VexError(f"{where}: a list of objects is expected")
    if len(value) > most:
        raise VexError(f"{where}: more than {most:,} entries")
    return [members(each) for each in value]


def _open_vex(document: Mapping[str, Json], name: str) -> Iterator[Statement]:
    issued = text(document.get("timestamp"))
    count = 0
    for number, each in enumerate(_list(document.get("statements"), "/statements")):
        where = f"/statements/{number}"
        products = tuple(_products(each, where))
        count += sum(1 + len(product.subcomponents) for product in products)
        if count > PRODUCT_COUNT:
            raise VexError(f"{where}: more than {PRODUCT_COUNT:,} products")
        yield Statement(
            names=_names(each, where),
            assessment=_assessment(each, where, issued),
            products=products,
            source=f"{name}#{where}",
        )


def _names(statement: Mapping[str, Json], where: str) -> frozenset[str]:
    vulnerability = members(statement.get("vulnerability"))
    name = text(vulnerability.get("name"))
    if not name:
        raise VexError(f"{where}/vulnerability: it needs a name")
    return frozenset(each.lower() for each in (name, *strings(vulnerability.get("aliases"))) if each)


def _assessment(statement: Mapping[str, Json], where: str, issued: str | None) -> Assessment:
    impact = _IMPACTS.get(text(statement.get("status")) or "")
    if impact is None:
        raise VexError(f"{where}/status: one of {', '.join(_IMPACTS)}")
    when = text(statement.get("timestamp")) or issued
    if time_of(when) is None:
        raise VexError(f"{where}: neither it nor the document has a timestamp of RFC 3339")
    label, free = (_words(statement, key) for key in ("justification", "impact_statement"))
    if label and label not in JUSTIFICATIONS:
        raise VexError(f"{where}/justification: one of {', '.join(sorted(JUSTIFICATIONS))}")
    action = _words(statement, "action_statement")
    if impact is Impact.NOT_AFFECTED and not (label or free):
        raise VexError(f"{where}: not_affected needs a justification or an impact_statement")
    if impact is Impact.AFFECTED and not action:
        raise VexError(f"{where}: affected needs an action_statement")
    why = ": ".join(filter(None, (label, free))) or _words(statement, "status_notes")
    return Assessment(impact=impact, why=why, action=action, issued=when)


def _words(statement: Mapping[str, Json], key: str) -> str:
    return (text(statement.get(key)) or "").strip()[:STRING_CHARS]


def _products(statement: Mapping[str, Json], where: str) -> Iterator[Product]:
    """Without products a statement is about nothing: no other document stands around it here."""
    listed = _list(statement.get("products"), f"{where}/products", PRODUCT_COUNT)
    if not listed:
        raise VexError(f"{where}/products: it needs a product")
    for number, each in enumerate(listed):
        place = f"{where}/products/{number}"
        inner = _list(each.get("subcomponents", []), f"{place}/subcomponents", PRODUCT_COUNT)
        subcomponents = tuple(
            _product(part, f"{place}/subcomponents/{index}") for index, part in enumerate(inner)
        )
        yield _product(each, place, subcomponents)


def _product(value: Mapping[str, Json], where: str, subcomponents: tuple[Product, ...] = ()) -> Product:
    identifier = text(value.get("@id")) or ""
    identifiers = members(value.get("identifiers"))
    hashes = members(value.get("hashes"))
    if not (identifier or identifiers or hashes):
        raise VexError(f"{where}: it needs an @id, an identifier or a hash")
    purls = (text(identifiers.get("purl")), identifier if identifier.startswith("pkg:") else None)
    return Product(
        purls=tuple(dict.fromkeys(each for each in purls if each)),
        link=_link(identifier),
        hashes=tuple(
            (_HASHES[key], (text(found) or "").lower())
            for key, found in hashes.items()
            if key in _HASHES and len(text(found) or "") == HEX_CHARS[_HASHES[key]]
        ),
        subcomponents=subcomponents,
    )


def _link(ref: str) -> Link | None:
    found = _LINK.match(ref)
    if found is None:
        return None
    return Link(serial=found[1], version=int(found[2]), ref=unquote(found[3] or ""))


def _cyclonedx(document: Mapping[str, Json], name: str) -> Iterator[Statement]:
    """Those of its vulnerabilities that somebody has analysed."""
    metadata = members(document.get("metadata"))
    issued = text(metadata.get("timestamp"))
    purls = dict(_purls([document.get("components"), [metadata.get("component")]]))
    serial = (text(document.get("serialNumber")) or "").removeprefix("urn:uuid:")
    own = (serial, integer(document.get("version")) or 1)
    for number, each in enumerate(_list(document.get("vulnerabilities", []), "/vulnerabilities")):
        where = f"/vulnerabilities/{number}"
        assessment = assessment_of(each, issued)
        if assessment is not None:
            affects = _list(each.get("affects", []), f"{where}/affects", PRODUCT_COUNT)
            yield Statement(
                names=frozenset(word.lower() for word in names_of(each)),
                assessment=assessment,
                products=tuple(_affected(part, purls, own) for part in affects),
                source=f"{name}#{where}",
            )


def _purls(todo: list[Json]) -> Iterator[tuple[str, str]]:
    """The package URL behind each bom-ref of the document."""
    while todo:
        listed = todo.pop()
        for each in listed if isinstance(listed, list) else ():
            component = members(each)
            ref, purl = text(component.get("bom-ref")), text(component.get("purl"))
            if ref and purl:
                yield ref, purl
            todo.append(component.get("components"))


def _affected(value: Mapping[str, Json], purls: Mapping[str, str], own: tuple[str, int]) -> Product:
    """By a link to the judged document, by the package URL behind a reference, or by itself."""
    ref = text(value.get("ref")) or ""
    link = _link(ref)
    purl = purls.get(ref) or (ref if ref.startswith("pkg:") else None)
    if link is None and purl is None and ref and own[0]:
        link = Link(serial=own[0], version=own[1], ref=ref)  # says something about itself alone
    listed = value.get("versions")
    versions = [members(each) for each in listed] if isinstance(listed, list) else []
    exact = tuple(filter(None, (text(each.get("version")) for each in versions)))
    return Product(
        purls=(purl,) if purl else (),
        link=link,
        # Ranges are not evaluated: what is known by a range alone fits no version.
        versions=exact or (("",) if versions else ()),
    )
