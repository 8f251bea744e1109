"""A first policy, out of what is there: each section holds what was seen, and nothing else.

A section is written only if today's estate keeps it. The requirements themselves are asked what
they would object to, so that a proposal and a judgement can never disagree.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aibom.domain.component import ComponentKind
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.domain.text import capped, visible
from aibom.policy.document import VERSION, Policy, Section, parse_policy
from aibom.policy.estate import Estate, Subject
from aibom.policy.evaluation import THE_LAST_DAY, evaluate
from aibom.policy.requirement import ARTEFACTS, Objection
from aibom.policy.rules import REQUIREMENTS
from aibom.policy.rules._place import Purl
from aibom.policy.setting import PolicyError
from aibom.policy.waivers import NEVER

_FAILING: Final = Severity.HIGH  # what `--fail-on` says by default
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[./+-][A-Za-z0-9]+)*\Z", re.ASCII)
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
# A star in somebody's name would be a pattern in ours, and a percent sign could stand for one.
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*\Z", re.ASCII)
# A place that nothing comes from: whatever is there is then objected to, and so told.
_NOWHERE: Final = "pkg:generic/nowhere"
_LENIENT: Final = "unknown: warn"
_HEAD: Final = """\
# Written by `aibom policy init`: what is there today passes, and little else.
# Read it line by line: a place, format or licence is listed because it was seen, not because
# somebody approved it. `aibom policy explain` says what each section demands.
version: {version}
name: {name}
"""
_LEFT: Final = "Left out, since nothing was seen to make them of, or since the estate does not keep them: "
_WIDTH: Final = 78
_COMMENT_CHARS: Final = 1_000
_NAME_CHARS: Final = 120
_TOLD_COUNT: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The document, and the findings of today that it cannot let pass."""

    document: bytes
    unmet: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    estate: Estate

    def objections(self, key: str, lines: Iterable[str]) -> list[Objection] | None:
        """What a section would object to; None when it is none, or when nothing is asked."""
        try:
            section = _policy(_block(key, lines)).section(key)
        except PolicyError:
            return None
        assert section is not None
        return self._asked(section)

    def _asked(self, section: Section) -> list[Objection] | None:
        if section.whole is not None:
            return list(section.whole(self.estate))
        each, kinds = section.each, section.requirement.kinds
        assert each is not None
        asked = [item for item in self.estate.report.components if item.kind in kinds]
        if not asked:
            return None
        return [objection for item in asked for objection in each(Subject(item, self.estate))]


def propose(report: Report, name: str = "todays-estate") -> Proposal:
    """The policy, as commented YAML."""
    seen = _Seen(Estate(report, THE_LAST_DAY))
    anything = any(each.kind in ARTEFACTS for each in report.components)
    writers = _WRITERS if anything else {}
    blocks = {key: block for key, writer in writers.items() if (block := writer(seen, key))}
    rules, unmet = _accepted(report)
    left = [each.id for each in REQUIREMENTS if each.id not in blocks]
    parts = [_HEAD.format(version=VERSION, name=quoted(name)), rules, *blocks.values()]
    if not blocks and not rules:
        parts.append(_block("rules", ["digest-mismatch: critical"], "Nothing was seen to make demands of."))
    if left:
        parts.append("\n" + _comment(f"{_LEFT}{', '.join(left)}."))
    return Proposal(document="".join(parts).encode(), unmet=unmet)


def quoted(text: str) -> str:
    """The text as one YAML scalar; whatever is in it cannot end the line or the quotes."""
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_char, text)) + '"'


def _char(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if " " <= char <= "~" else f"\\U{ord(char):08x}"


def _policy(body: str) -> Policy:
    return parse_policy(f"version: {VERSION}\nname: n\n{body}".encode("utf-8", "surrogatepass"))


def _block(key: str, lines: Iterable[str], *comments: str) -> str:
    told = "".join(map(_comment, comments))
    return f"\n{told}{key}:\n" + "".join(f"  {line}\n" for line in lines)


def _comment(text: str) -> str:
    lines = textwrap.wrap(visible(capped(text, _COMMENT_CHARS)), _WIDTH, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def _list(key: str, values: Iterable[str]) -> list[str]:
    return [f"{key}:", *(f"  - {quoted(value)}" for value in values)]


def _allowed(probe: str, entry: Callable[[str], str | None], told: str, *always: str) -> _Writer:
    """A section that allows what the requirement, asked with `probe` alone, objects to."""

    def write(seen: _Seen, key: str) -> str:
        objections = seen.objections(key, _list("allow", [probe]))
        if objections is None:
            return ""
        found = [entry(each.found) for each in objections if each.decided and each.found]
        counts = Counter(each for each in found if each is not None)
        values = sorted({*always, *counts})
        if not values:
            return ""
        return _first_kept(seen, key, _list("allow", values), f"{told}: {_counted(counts)}.")

    return write


def _counted(found: Counter[str]) -> str:
    """The most frequent ones, with how often they were found."""
    words = [f"{capped(name, _NAME_CHARS)} ({count:,})" for name, count in found.most_common(_TOLD_COUNT)]
    more = len(found) - len(words)
    return ", ".join([*words, f"{more:,} more"] if more else words) or "none"


def _first_kept(seen: _Seen, key: str, lines: list[str], *comments: str) -> str:
    """The strictest form of a section that passes: as it is, else with a word about what is unknown."""
    requirement = next(each for each in REQUIREMENTS if each.id == key)
    loose = ["undeclared: allow"] if "undeclared" in requirement.schema else []
    objections = seen.objections(key, lines)
    if objections and loose:
        lines = [*lines, *loose]
        objections = seen.objections(key, lines)
    if objections is not None and not objections:
        return _block(key, lines, *comments)
    if objections is None or any(each.decided for each in objections):
        return ""
    silent = f"Undecided: {len(objections):,}. That only warns; delete `{_LENIENT}` when all is known."
    return _block(key, [*lines, _LENIENT], *comments, silent)


def _place(text: str) -> str | None:
    """The namespace that something comes from; a name without one stands for itself."""
    purl = Purl.of(text)
    if purl is None:
        return text if _NAME.match(text) and not text.startswith("pkg:") else None
    if not _NAME.match(purl.name):
        return None
    whole, namespace = f"pkg:{purl.type}/{purl.name}", purl.name.rpartition("/")[0]
    spellings = list(purl.spellings())
    if whole in spellings:
        return f"pkg:{purl.type}/{namespace}/*" if namespace else whole
    # From another registry than the type says: that one package, there.
    moved = [each for each in spellings if "?" in each and "@" not in each and not set("*%") & set(each)]
    return moved[0] if moved else None


def _required(seen: _Seen, key: str) -> str:
    """A section that requires those of its words that everything keeps."""
    words = _words(key, "require")
    objections = seen.objections(key, _list("require", words))
    if objections is None:
        return ""
    missing = Counter(word for each in objections for word in each.expected.split(", "))
    kept = [word for word in words if not missing[word]]
    if not kept:
        return ""
    comment = f"Everything keeps these. Missing: {_counted(missing)}."
    return _first_kept(seen, key, _list("require", kept), comment)


def _datasets(seen: _Seen, key: str) -> str:
    """Models without data would keep every demand on it, and say nothing."""
    kinds = {each.kind for each in seen.estate.report.components}
    return _required(seen, key) if ComponentKind.DATASET in kinds else ""


def _content(seen: _Seen, key: str) -> str:
    write = _allowed("safe", str, "What loading the files runs; other than safe", "safe")
    return write(seen, key) if seen.estate.report.contents else ""


def _words(key: str, setting: str) -> list[str]:
    schema = next(each for each in REQUIREMENTS if each.id == key).schema[setting]
    items = schema["items"]
    assert isinstance(items, dict)
    return list(items["enum"]) if "enum" in items else [items["const"]]


def _separate(seen: _Seen, key: str, candidates: Sequence[list[str]], comment: str) -> str:
    """A section of those candidates that are kept, each by itself."""
    kept = [lines for lines in candidates if seen.objections(key, lines) == []]
    return _block(key, [line for lines in kept for line in lines], comment) if kept else ""


def _integrity(seen: _Seen, key: str) -> str:
    digests = [word for word in _words(key, "hashes") if seen.objections(key, _list("hashes", [word])) == []]
    candidates = [["revision: pinned"], ["coverage: complete"]]
    if digests:
        candidates.insert(0, _list("hashes", digests[:1]))
    return _separate(seen, key, candidates, "Every model and dataset keeps these.")


def _references(seen: _Seen, key: str) -> str:
    count = len(seen.estate.report.references)
    if not count:
        return ""
    pinned = _list("require", _words(key, "require"))
    words = [word for word in _words(key, "forbid") if not seen.objections(key, _list("forbid", [word]))]
    candidates = [pinned, _list("forbid", words)] if words else [pinned]
    return _separate(seen, key, candidates, f"Code and configuration refer to something {count:,} times.")


def _accepted(report: Report) -> tuple[str, tuple[Finding, ...]]:
    """Rules that find something today, told and lowered; what cannot be waived stays as it is."""
    nothing = _policy("rules: {digest-mismatch: critical}\n")
    failing = [each for each in evaluate(nothing, report).findings if each.severity >= _FAILING]
    counts = Counter(each.rule for each in failing if each.rule not in NEVER)
    unmet = tuple(each for each in failing if each.rule in NEVER)
    if not counts:
        return "", unmet
    levels = {each.rule: each.severity.label for each in failing}
    lines = [f"{rule}: medium  # {levels[rule]}; found {counts[rule]:,} times" for rule in sorted(counts)]
    comment = "Found today. Each is lowered so that the estate passes; delete its line when it is mended."
    return _block("rules", lines, comment), unmet


_Writer = Callable[[_Seen, str], str]
_WRITERS: Final[dict[str, _Writer]] = {
    "sources": _allowed(_NOWHERE, _place, "Models and datasets come from these places"),
    "integrity": _integrity,
    "formats": _allowed("none", str, "Formats of weights and data"),
    "content": _content,
    "licences": _allowed("none", str, "Licences as declared"),
    "model-card": _required,
    "base-models": _allowed(_NOWHERE, _place, "Models were made from these"),
    "datasets": _datasets,
    "references": _references,
    "bom": _required,
}
