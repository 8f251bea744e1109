"""A policy document is strict: what it does not know, it refuses, and says where."""

from __future__ import annotations

import contextlib
import hashlib
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.cli.packs import policy_pack
from aibom.domain.finding import Severity
from aibom.policy import RULES, PolicyError, parse_policy
from aibom.policy.document import EXTENDS_DEPTH, Mode, OnUnknown, Opener


def test_a_policy_is_named_by_its_digest() -> None:
    data = b"version: 1\nname: mine\nrules: {unindexed-bytes: low}\n"
    policy = parse_policy(data)
    assert (policy.use.name, policy.use.sha256) == ("mine", hashlib.sha256(data).hexdigest())
    assert policy.severity("unindexed-bytes", Severity.HIGH) is Severity.LOW
    assert policy.severity("missing-part", Severity.HIGH) is Severity.HIGH


HEAD = "version: 1\nname: n\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "policy:1:1: the document is empty"),
        ("- a", "policy:1:1: the policy is a mapping"),
        (HEAD + "rulez: {}", "policy:3:1: unknown key 'rulez', did you mean 'rules'?"),
        (HEAD + "licences: {alow: [MIT]}", "policy:3:12: unknown key 'alow', did you mean 'allow'?"),
        ("version: 2\nname: n\nrules: {}", "policy:1:10: version is 1; this program knows no other"),
        ("version: '1'\nname: n\nrules: {}", "policy:1:10: version is 1"),
        ("version: 1.0\nname: n\nrules: {}", "policy:1:10: version is 1"),
        ("version: true\nname: n\nrules: {}", "policy:1:10: version is 1"),
        ("version: 1\nrules: {unindexed-bytes: low}", "policy:1:1: the policy needs name"),
        (HEAD, "policy:1:1: this policy demands nothing; name rules, or a section"),
        (HEAD + "mode: warn", "demands nothing"),
        (HEAD + "rules: {}", "policy:3:8: rules is a mapping with at least one"),
        (HEAD + "rules: {nope: low}", "policy:3:9: unknown key 'nope'"),
        (HEAD + "rules: {unindexed-bytes: bad}", "policy:3:26: unindexed-bytes: 'bad' is none of"),
        (HEAD + "name: m\nrules: {}", "policy:3:1: key 'name' stands in line 2, too"),
        (HEAD + "licences: {allow: []}", "policy:3:19: allow is an empty list; leave it out"),
        (HEAD + "licences: {}", "policy:3:11: licences needs allow"),
        (HEAD + "integrity: {mode: warn}", "policy:3:12: integrity demands nothing; name one of hashes"),
        (HEAD + "licences: [MIT]", "policy:3:11: licences is a mapping with allow"),
        (HEAD + "licences: {allow: [MIT], unknown: pass}", "policy:3:35: unknown: 'pass' is none of"),
        (HEAD + "licences: {allow: [MIT], mode: off}", "policy:3:32: mode: 'off' is none of"),
        (HEAD + "licences: {allow: [MIT], severity: huge}", "policy:3:36: severity: 'huge' is none of"),
        (HEAD + "licences: {allow: [MIT], effective-on: soon}", "policy:3:40: effective-on is a date"),
        (HEAD + "mode: maybe\nrules: {secret: low}", "policy:3:7: mode: 'maybe' is none of"),
        (HEAD + "max-waiver: 30\nrules: {secret: low}", "policy:3:13: max-waiver is a number of days"),
        (HEAD + "extends: {file: b.yaml}", "policy:3:10: extends needs sha256"),
        ("a: &x 1\nb: *x", "policy:1:4: anchors and aliases are not taken"),
        ("a: !!int 1", "policy:1:4: tags are not taken"),
        (HEAD + "---\na: 1", "policy:3:1: a second document"),
        ("a:\n\tb: 1", "policy:2:1: not YAML: .*indent with spaces"),
        ("a: [", "policy:2:1: not YAML"),
        ("[" * 20, "policy:1:17: nested deeper than 16"),
        ("a" * 10_000_000, "policy:1:1: more than 1,048,576 bytes"),
    ],
    ids=[
        "empty", "list", "unknown key", "unknown key of a section", "version", "version text",
        "version fraction", "version flag", "no name", "nothing", "only a mode", "no rules", "no rule",
        "no severity", "twice", "empty list", "empty section", "only common keys", "section list", "unknown",
        "section mode", "section severity", "section day", "mode", "days", "extends by name", "anchor", "tag",
        "two documents", "tab", "open", "deep", "ten megabytes",
    ],
)  # fmt: skip
def test_a_bad_policy_is_refused_with_its_place_and_what_instead(text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=f"^{words}" if words.startswith("policy") else words) as caught:
        parse_policy(text.encode())
    assert re.match(r"policy:[0-9]+:[0-9]+: ", str(caught.value))


@given(st.text(" \n:-[]{},'\"#", max_size=9).map(lambda text: HEAD + text) | st.text(max_size=30))
def test_nothing_but_the_error_leaves(text: str) -> None:
    with contextlib.suppress(PolicyError):
        parse_policy(text.encode("utf-8", "replace"))


def test_a_section_says_how_it_counts() -> None:
    text = "licences: {allow: [MIT], unknown: fail, mode: warn, effective-on: 2027-01-01, severity: low}"
    (section,) = parse_policy((HEAD + text).encode()).sections
    assert (section.unknown, section.mode, section.severity) == (OnUnknown.FAIL, Mode.WARN, Severity.LOW)
    assert (section.effective_on, section.place) == (date(2027, 1, 1), "policy:3:11")


BASE = (
    b"version: 1\nname: base\nmax-waiver: 30d\nmode: warn\nlicences: {allow: [MIT]}\nrules: {secret: low}\n"
)


def folder(**files: bytes) -> Opener:
    def opener(name: str) -> bytes:
        if name not in files:
            raise PolicyError("No such file or directory")
        return files[name]

    return opener


def extending(data: bytes, file: str = "base") -> bytes:
    return f"{HEAD}extends: {{file: '{file}', sha256: {hashlib.sha256(data).hexdigest()}}}\n".encode()


def test_a_policy_takes_over_what_it_does_not_say_itself() -> None:
    own = b"rules: {unindexed-bytes: high}\nformats: {allow: [onnx]}\n"
    policy = parse_policy(extending(BASE) + own, opener=folder(base=BASE))
    assert (policy.name, policy.mode, policy.max_waiver) == ("n", Mode.WARN, 30)
    assert dict(policy.severities) == {"secret": Severity.LOW, "unindexed-bytes": Severity.HIGH}
    assert [each.place for each in policy.sections] == ["policy:5:10", "base:5:11"]


def test_what_it_says_itself_wins() -> None:
    own = b"mode: enforce\nlicences: {allow: [Apache-2.0]}\nrules: {secret: off}\nmax-waiver: 400d\n"
    policy = parse_policy(extending(BASE) + own, opener=folder(base=BASE))
    assert (policy.mode, policy.max_waiver) == (Mode.ENFORCE, 400)
    assert dict(policy.severities) == {"secret": None}
    assert [each.place for each in policy.sections] == ["policy:5:11"]


def test_its_digest_is_of_all_that_it_says() -> None:
    alone = parse_policy(BASE)
    other = BASE + b"# another\n"
    one = parse_policy(extending(BASE), opener=folder(base=BASE))
    two = parse_policy(extending(other), opener=folder(base=other))
    assert len({alone.sha256, one.sha256, two.sha256, hashlib.sha256(extending(BASE)).hexdigest()}) == 4


def test_a_changed_policy_is_refused_with_the_digest_that_it_has() -> None:
    changed = BASE + b"# later\n"
    with pytest.raises(PolicyError, match=r"^policy:3:33: base has another digest: ") as caught:
        parse_policy(extending(BASE), opener=folder(base=changed))
    assert hashlib.sha256(changed).hexdigest() in str(caught.value)


def test_a_policy_that_is_not_there_is_told_with_the_line_that_names_it() -> None:
    with pytest.raises(PolicyError, match=r"^policy:3:17: base: No such file or directory$"):
        parse_policy(extending(BASE), opener=folder())


def test_an_error_in_the_other_policy_stands_there() -> None:
    bad = b"version: 1\nname: base\nlicences: {}\n"
    with pytest.raises(PolicyError, match=r"^base:3:11: licences needs allow"):
        parse_policy(extending(bad), opener=folder(base=bad))


def test_a_policy_that_is_alone_extends_nothing() -> None:
    with pytest.raises(PolicyError, match=r"^policy:3:10: this policy stands alone"):
        parse_policy(extending(BASE))


@pytest.mark.parametrize("file", ["/etc/passwd", "../base", "a/../../base", "..", "a/../..", "\\0"])
def test_a_path_that_leads_out_of_the_folder_is_refused_before_anything_is_opened(file: str) -> None:
    def opener(name: str) -> bytes:
        raise AssertionError(name)

    quoted = f'{HEAD}extends: {{file: "{file}", sha256: {"0" * 64}}}\n'
    with pytest.raises(PolicyError, match=r"^policy:3:17: file is a path in the folder of the first policy"):
        parse_policy(quoted.encode(), opener=opener)


def test_a_path_counts_from_the_policy_that_names_it() -> None:
    middle = extending(BASE, "../base")
    found = parse_policy(
        extending(middle, "teams/middle"), opener=folder(**{"teams/middle": middle, "base": BASE})
    )
    assert [each.place for each in found.sections] == ["base:5:11"]


def test_a_circle_ends_at_the_first_digest_that_does_not_fit() -> None:
    itself = extending(BASE, "policy")
    with pytest.raises(PolicyError, match="policy has another digest"):
        parse_policy(itself, opener=folder(policy=itself))


def test_only_so_many_policies_extend_one_another() -> None:
    chain = [BASE]
    for number in range(EXTENDS_DEPTH + 1):
        chain.append(extending(chain[-1], f"p{number}"))
    files = {f"p{number}": data for number, data in enumerate(chain)}
    assert parse_policy(chain[EXTENDS_DEPTH], opener=folder(**files)).name == "n"
    with pytest.raises(PolicyError, match=r"^p1:3:10: more than 4 policies extend one another"):
        parse_policy(chain[EXTENDS_DEPTH + 1], opener=folder(**files))


def test_the_baseline_pack_names_every_rule() -> None:
    policy = parse_policy(policy_pack("baseline"))
    assert {rule for rule, _ in policy.severities} == {rule.id for rule in RULES}
