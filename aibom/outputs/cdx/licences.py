"""The licences that a component declares. None of them was concluded by us."""

from __future__ import annotations

from aibom.domain.component import Claim
from aibom.domain.facts import Attribute
from aibom.domain.licences import named_of, says_nothing
from aibom.outputs.cdx.ledger import Ledger
from aibom.outputs.cdx.text import Json, present, shown, url, without_credentials
from aibom.outputs.licences import expression_problem, spdx_id


def licences(ledger: Ledger) -> list[Json]:
    """The `licenses` of a component: an SPDX id, one expression, or a name with its page.

    `other` and `unknown` are never told as a licence; the name that the same source gives is.
    """
    names = _by_source(ledger, Attribute.LICENCE_NAME)
    links = _by_source(ledger, Attribute.LICENCE_LINK)
    told: list[Claim] = []
    for claim in ledger.take(Attribute.LICENCE):
        if says_nothing(claim.value):
            ledger.keep(claim)
        else:
            told.append(claim)
    settled = {claim.source for claim in told}
    for source, name in names.items():
        if source in settled or says_nothing(name.value):
            ledger.keep(name)
        else:
            told.append(name)
    chosen = _chosen(told, links, ledger)
    for link in links.values():
        ledger.keep(link)
    return chosen


def _chosen(claims: list[Claim], links: dict[str, Claim], ledger: Ledger) -> list[Json]:
    sole = len({claim.value for claim in claims}) == 1
    chosen: list[Json] = []
    indexes: dict[str, int] = {}
    for claim in claims:
        choice = _choice(claim, links.get(claim.source), sole=sole)
        place = indexes.setdefault(str(choice), len(chosen))
        if place == len(chosen):
            chosen.append(choice)
        ledger.cite(f"/licenses/{place}", claim)
        if place > 0 and claim.source != claims[0].source:
            ledger.oppose(claim, claims[0])
    return chosen


def _by_source(ledger: Ledger, attribute: Attribute) -> dict[str, Claim]:
    found: dict[str, Claim] = {}
    for claim in ledger.take(attribute):
        if claim.source in found:
            ledger.keep(claim)
        else:
            found[claim.source] = claim
    return found


def _choice(claim: Claim, link: Claim | None, *, sole: bool) -> Json:
    text = claim.value
    identifier = spdx_id(text)
    if identifier:
        return {"license": {"id": identifier, "acknowledgement": "declared"}}
    # Before 1.7 an expression may not stand beside other licences.
    if sole and " " in text and shown(text) == text and expression_problem(text) is None:
        return {"expression": text, "acknowledgement": "declared"}
    named = named_of(text)
    page = (named.url if named else None) or (url(link.value) if link else None) or url(text)
    name = named.name if named else shown(without_credentials(text))
    return {"license": {"name": name, **present(acknowledgement="declared", url=page)}}
