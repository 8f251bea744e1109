"""The rules about references: what each says, to what, with which remedy, and when it is silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.finding import Finding, Location, Severity
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag, Reference
from aibom.policy import evaluate, parse_policy
from aibom.policy.rules import by_id
from tests.builders import report

POLICY = parse_policy(b"version: 1\nname: all\nrules: {digest-mismatch: critical}\n")
RULES = {
    "floating-tag": Severity.LOW,
    "insecure-download": Severity.HIGH,
    "look-alike": Severity.HIGH,
    "no-organisation": Severity.LOW,
    "remote-code-enabled": Severity.MEDIUM,
    "unpinned-reference": Severity.LOW,
    "unsafe-load": Severity.MEDIUM,
}
COMMIT = "0123456789abcdef" * 2 + "01234567"
LOAD = "transformers.AutoModel.from_pretrained"
MODEL, SERVICE, LIBRARY = ComponentKind.MODEL, ComponentKind.SERVICE, ComponentKind.LIBRARY
HIGH, MEDIUM = Confidence.HIGH, Confidence.MEDIUM


def reference(
    place: str | None,
    *flags: Flag,
    revision: str | None = None,
    kind: ComponentKind = MODEL,
    loader: str = LOAD,
    confidence: Confidence = HIGH,
) -> Reference:
    """A reference to `scheme location`, in line 3 of app.py."""
    scheme, _, location = (place or "").partition(" ")
    return Reference(
        kind=kind,
        target=Ref(scheme=scheme, location=location, revision=revision) if place else None,
        loader=loader,
        location=Location(path="app.py", line=3, column=5),
        flags=frozenset(flags),
        confidence=confidence,
    )


def told(*references: Reference) -> list[Finding]:
    return list(evaluate(POLICY, report(references=references)).findings)


def only(one: Reference, rule: str) -> Finding:
    (found,) = [finding for finding in told(one) if finding.rule == rule]
    return found


@pytest.mark.parametrize(
    ("one", "rule", "message", "confidence"),
    [
        (reference("hf acme/m", Flag.UNPINNED), "unpinned-reference",
         "hf:acme/m is not fixed to a revision", HIGH),
        (reference("hf acme/m", Flag.UNPINNED, revision="main"), "unpinned-reference",
         "hf:acme/m@main can move: main is no full commit and no digest", HIGH),
        (reference("hf-dataset acme/d", Flag.UNPINNED, kind=ComponentKind.DATASET), "unpinned-reference",
         "hf-dataset:acme/d is not fixed to a revision", HIGH),
        (reference("hf acme/a", Flag.UNPINNED, kind=ComponentKind.ADAPTER), "unpinned-reference",
         "hf:acme/a is not fixed to a revision", HIGH),
        (reference("hf acme/t", Flag.UNPINNED, kind=ComponentKind.TOKENIZER), "unpinned-reference",
         "hf:acme/t is not fixed to a revision", HIGH),
        (reference("https https://acme.org/m.pt", Flag.UNPINNED), "unpinned-reference",
         "https://acme.org/m.pt is not fixed to a revision", HIGH),
        (reference("ollama llama3.2", Flag.UNPINNED, revision="3b"), "unpinned-reference",
         "ollama:llama3.2:3b can move: 3b is no full commit and no digest", HIGH),
        (reference(None, Flag.UNPINNED, Flag.UNRESOLVED, loader="transformers.pipeline"),
         "unpinned-reference",
         "what transformers.pipeline loads is not fixed to a revision", HIGH),
        (reference("docker vllm/vllm-openai", Flag.UNPINNED, Flag.FLOATING_TAG, revision="latest",
         kind=LIBRARY),
         "floating-tag", "docker:vllm/vllm-openai:latest follows latest, which is meant to move", HIGH),
        (reference("docker vllm/vllm-openai", Flag.UNPINNED, Flag.FLOATING_TAG, kind=LIBRARY), "floating-tag",
         "docker:vllm/vllm-openai names no tag or version, and so follows the newest", HIGH),
        (reference("npm @acme/mcp", Flag.UNPINNED, Flag.FLOATING_TAG, revision="latest", kind=SERVICE),
         "floating-tag", "npm:@acme/mcp@latest follows latest, which is meant to move", HIGH),
        (reference("hf acme/m", Flag.REMOTE_CODE, revision=COMMIT), "remote-code-enabled",
         f"hf:acme/m@{COMMIT} may run code that comes with it", HIGH),
        (reference(None, Flag.REMOTE_CODE, Flag.UNRESOLVED), "remote-code-enabled",
         f"what {LOAD} loads may run code that comes with it", HIGH),
        (reference("file ./m", Flag.REMOTE_CODE, Flag.LOCAL_PATH), "remote-code-enabled",
         "./m may run code that comes with it", MEDIUM),
        (reference("https https://acme.org/m.pt", Flag.UNSAFE_LOAD, loader="torch.load"), "unsafe-load",
         "https://acme.org/m.pt is unpickled, and can run code", HIGH),
        (reference("file m.pkl", Flag.UNSAFE_LOAD, Flag.LOCAL_PATH, loader="pickle.load"), "unsafe-load",
         "m.pkl is unpickled, and can run code", MEDIUM),
        (reference(None, Flag.UNSAFE_LOAD, Flag.UNRESOLVED, loader="joblib.load"), "unsafe-load",
         "what joblib.load loads is unpickled, and can run code", MEDIUM),
        (reference("file m.keras", Flag.UNSAFE_LOAD, Flag.LOCAL_PATH, loader="keras.models.load_model"),
         "unsafe-load", "m.keras is loaded without the safe mode, and can run code", MEDIUM),
        (reference("http http://acme.org/m.pt", Flag.HTTP, Flag.UNPINNED), "insecure-download",
         "http://acme.org/m.pt is fetched over plain HTTP", HIGH),
        (reference("http http://acme.org/sse", Flag.HTTP, kind=SERVICE), "insecure-download",
         "http://acme.org/sse is reached over plain HTTP", HIGH),
        (reference("hf gpt2", Flag.NO_ORGANISATION), "no-organisation", "hf:gpt2 names no organisation",
         MEDIUM),
        (reference("hf rnicrosoft/phi-4"), "look-alike",
         "hf:rnicrosoft/phi-4: 'rnicrosoft' looks like 'microsoft', and is not it", HIGH),
        (reference("hf gogle/gemma"), "look-alike",
         "hf:gogle/gemma: 'gogle' looks like 'google', and is not it", MEDIUM),
    ],
)  # fmt: skip
def test_a_finding_says_what_and_where(
    one: Reference, rule: str, message: str, confidence: Confidence
) -> None:
    (found,) = told(one)
    assert (found.rule, found.message, found.confidence) == (rule, message, confidence)
    assert found.location == Location(path="app.py", line=3, column=5)
    assert (found.subject, found.severity) == ("app.py", RULES[rule])
    assert found.found.startswith(f"{one.loader}: ")
    assert found.remedy


@pytest.mark.parametrize(
    "one",
    [
        reference("hf acme/m", revision=COMMIT),
        reference(None, Flag.UNRESOLVED),
        # who hosts a model pins it, and a lock file pins packages
        reference("openai gpt-4o", Flag.UNPINNED, kind=SERVICE),
        reference("hf acme/m", Flag.UNPINNED, kind=SERVICE),
        reference("pypi torch", Flag.UNPINNED, kind=LIBRARY),
        reference("docker vllm/vllm-openai", Flag.UNPINNED, revision="v0.6.3", kind=LIBRARY),
        reference("git https://github.com/acme/m", Flag.UNPINNED, kind=ComponentKind.CODE),
        # what is versioned with the code
        reference("file data/m.pt", Flag.UNPINNED, Flag.LOCAL_PATH),
        reference("pvc claim/m", Flag.UNPINNED, Flag.LOCAL_PATH),
        # what never leaves the machine
        reference("http http://localhost:8000/m.pt", Flag.HTTP, Flag.UNPINNED),
        reference("http http://LOCALHOST./m.pt", Flag.HTTP),
        reference("http http://app.localhost/m.pt", Flag.HTTP),
        reference("http http://127.0.0.1:8000/sse", Flag.HTTP, kind=SERVICE),
        reference("http http://127.8.9.1/m.pt", Flag.HTTP),
        reference("http http://[::1]:8000/m.pt", Flag.HTTP),
        # a host that is not known cannot be called insecure
        reference(None, Flag.HTTP, Flag.UNRESOLVED),
        reference("hf google/gemma"),
        reference("hf Meta-Llama/x"),
    ],
)
def test_what_is_nobodys_business(one: Reference) -> None:
    assert told(one) == []


@pytest.mark.parametrize(
    ("one", "rules"),
    [
        (reference("ollama llama3.2", Flag.UNPINNED, Flag.FLOATING_TAG), ["floating-tag"]),
        (reference("mlflow churn", Flag.UNPINNED, Flag.FLOATING_TAG, revision="champion"), ["floating-tag"]),
        (reference("http http://acme.org/m.pt", Flag.UNPINNED, Flag.HTTP), ["insecure-download"]),
        (reference("hf gpt2", Flag.UNPINNED, Flag.NO_ORGANISATION), ["no-organisation",
         "unpinned-reference"]),
        (reference("hf gogle/m", Flag.UNPINNED, Flag.REMOTE_CODE),
         ["look-alike", "remote-code-enabled", "unpinned-reference"]),
    ],
)  # fmt: skip
def test_the_same_thing_is_not_told_twice(one: Reference, rules: list[str]) -> None:
    assert [found.rule for found in told(one)] == rules


@pytest.mark.parametrize(
    ("host", "confidence"),
    [
        ("acme.org", HIGH), ("localhost.acme.org", HIGH), ("127.0.0.1.acme.org", HIGH), ("8.8.8.8", HIGH),
        ("[2606:4700::1111]", HIGH), ("minio", MEDIUM), ("minio:9000", MEDIUM), ("10.1.2.3", MEDIUM),
        ("192.168.0.4", MEDIUM), ("[fd00::1]", MEDIUM), ("minio.models.svc", MEDIUM),
        ("minio.models.svc.cluster.local", MEDIUM), ("nas.home.arpa", MEDIUM), ("store.corp.internal",
        MEDIUM),
    ],
)  # fmt: skip
def test_a_host_of_a_private_network_is_told_with_less_confidence(host: str, confidence: Confidence) -> None:
    found = only(reference(f"http http://{host}/m.pt", Flag.HTTP), "insecure-download")
    assert found.confidence is confidence


def test_an_address_that_is_none_is_still_insecure() -> None:
    assert only(reference("http http://[::1/m.pt", Flag.HTTP), "insecure-download").confidence is MEDIUM


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        ("hf", 'revision="<40 hex digits>"'), ("hf-dataset", "--revision"), ("modelscope", "commit"),
        ("git", "full commit"), ("docker", "image@sha256:<64 hex digits>"), ("oci", "image@sha256:"),
        ("https", "SHA-256 of the file"), ("s3", "version of the object"), ("gs", "version of the object"),
        ("mlflow", "version instead of an alias or stage"), ("wandb", "name:v3"),
        ("ollama", "`ollama list`"), ("kaggle", "number of the version"),
        ("torchvision", 'weights="IMAGENET1K_V2"'), ("ultralytics", "version of the library"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("flags", [(Flag.UNPINNED,), (Flag.UNPINNED, Flag.FLOATING_TAG)])
def test_how_to_pin_fits_the_place(scheme: str, words: str, flags: tuple[Flag, ...]) -> None:
    (found,) = told(reference(f"{scheme} acme/m", *flags))
    assert words in found.remedy


@pytest.mark.parametrize(
    ("loader", "words"),
    [
        ("torch.load", "weights_only"), ("keras.models.load_model", "safe_mode"), ("joblib.load", "skops"),
        ("tensorflow.keras.models.load_model", "safe_mode"), ("pandas.read_pickle", "Parquet"),
        ("pickle.load", "safetensors"),
    ],
)  # fmt: skip
def test_how_to_load_safely_fits_the_library(loader: str, words: str) -> None:
    assert words in only(reference("file m", Flag.UNSAFE_LOAD, loader=loader), "unsafe-load").remedy


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (reference("hf acme/m", Flag.REMOTE_CODE), "pin the revision to a commit"),
        (reference("hf acme/m", Flag.REMOTE_CODE, revision=COMMIT), "read the code of that commit"),
        (reference("file ./m", Flag.REMOTE_CODE, Flag.LOCAL_PATH), "Python files of that folder"),
        (reference("git https://github.com/acme/m", Flag.REMOTE_CODE, loader="torch.hub.load"), "hubconf.py"),
    ],
)
def test_what_to_do_about_remote_code_fits_the_place(one: Reference, words: str) -> None:
    assert words in only(one, "remote-code-enabled").remedy


@pytest.mark.parametrize(
    ("scheme", "words"),
    [("hf", "google-bert/"), ("hf-dataset", "rajpurkar/"), ("modelscope", "organisation/name")],
)
def test_the_example_of_a_full_id_fits_the_kind(scheme: str, words: str) -> None:
    assert words in only(reference(f"{scheme} m", Flag.NO_ORGANISATION), "no-organisation").remedy


def test_a_finding_is_no_surer_than_its_reference() -> None:
    one = reference("hf acme/m", Flag.UNPINNED, confidence=Confidence.LOW)
    assert only(one, "unpinned-reference").confidence is Confidence.LOW


def test_a_fingerprint_survives_a_move_of_the_line_and_not_of_the_revision() -> None:
    one = reference("hf acme/m", Flag.UNPINNED)
    moved = replace(one, location=Location(path="app.py", line=99, column=1))
    other = reference("hf acme/m", Flag.UNPINNED, revision="main")
    prints = [only(each, "unpinned-reference").fingerprint for each in (one, moved, other)]
    assert prints[0] == prints[1] != prints[2]


def test_the_cell_of_a_notebook_is_part_of_the_place() -> None:
    one = reference("hf acme/m", Flag.UNPINNED)
    inside = replace(one, location=Location(path="a.ipynb", line=2, inside="cell 4"))
    assert only(inside, "unpinned-reference").location.inside == "cell 4"


def test_braces_in_a_name_are_only_text() -> None:
    assert "{0}" in only(reference("https https://acme.org/{0}", Flag.UNPINNED), "unpinned-reference").message


@pytest.mark.parametrize("rule", RULES)
def test_the_rules_are_registered_and_a_policy_can_turn_them_off(rule: str) -> None:
    assert by_id(rule) is not None
    off = parse_policy(f"version: 1\nname: n\nrules: {{{rule}: off}}\n".encode())
    everything = reference("http http://acme.org/m", *(set(Flag) - {Flag.LOCAL_PATH}), kind=MODEL)
    references = (everything, reference("hf gogle/m", Flag.UNPINNED))
    left = {found.rule for found in evaluate(off, report(references=references)).findings}
    assert left == set(RULES) - {rule}
