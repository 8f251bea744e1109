"""Package URLs of places, with packageurl-python as the independent voice."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packageurl import PackageURL

from aibom.domain.ref import PinnedRef, Ref
from aibom.outputs.purl import problem

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "sha256:" + "ab" * 32
GITHUB = "https://github.com"

# scheme, location, revision, subpath -> type, namespace, name, version, qualifiers, subpath
TABLE = [
    (("hf", "org/Name", None, None), ("huggingface", "org", "Name", None, {}, None)),
    (("hf", "org/Name", COMMIT.upper(), None), ("huggingface", "org", "Name", COMMIT, {}, None)),
    (("hf", "org/n", COMMIT, "a/b c.gguf"), ("huggingface", "org", "n", COMMIT, {}, "a/b c.gguf")),
    (("hf", "org/n", "refs/pr/1", None), ("huggingface", "org", "n", "refs/pr/1", {}, None)),
    (("hf", "org/n", "a b", None), ("huggingface", "org", "n", "a b", {}, None)),
    (("pypi", "n", "a?b#c@d&e", "/x/./../y"), ("pypi", None, "n", "a?b#c@d&e", {}, "x/y")),
    (("hf-dataset", "org/d", COMMIT, None),
     ("huggingface", "org", "d", COMMIT, {"repo_type": "dataset"}, None)),
    (("hf-dataset", "org/d", None, "x y.csv"),
     ("huggingface", "org", "d", None, {"repo_type": "dataset"}, "x y.csv")),
    (("git", f"{GITHUB}/Org/Repo.git", "v1.0", None), ("github", "org", "repo", "v1.0", {}, None)),
    (("git", f"{GITHUB}/Org/Repo/", "x/y", "sub/dir"), ("github", "org", "repo", "x/y", {}, "sub/dir")),
    (("pypi", "Foo_Bar", "1.0", None), ("pypi", None, "foo-bar", "1.0", {}, None)),
    (("pypi", "torch", "2.1.0+cu118", None), ("pypi", None, "torch", "2.1.0+cu118", {}, None)),
    (("pypi", "zope.interface", "1!2.0", None), ("pypi", None, "zope.interface", "1!2.0", {}, None)),
    (("npm", "openai", "4.20.0", None), ("npm", None, "openai", "4.20.0", {}, None)),
    (("npm", "@Huggingface/transformers", "3.0.0-a", None),
     ("npm", "@huggingface", "transformers", "3.0.0-a", {}, None)),
    (("conda", "PyTorch", "2.0", None), ("conda", None, "pytorch", "2.0", {}, None)),
    (("docker", "nginx", None, None), ("docker", None, "nginx", None, {}, None)),
    (("docker", "vllm/vllm-openai", "v0.6.1", None), ("docker", "vllm", "vllm-openai", "v0.6.1", {}, None)),
    (("docker", "ghcr.io/a/b", DIGEST, None),
     ("docker", "a", "b", DIGEST, {"repository_url": "ghcr.io"}, None)),
    (("docker", "localhost/x", "1", None),
     ("docker", None, "x", "1", {"repository_url": "localhost"}, None)),
    (("docker", "registry.example.org:5000/a/b/c", DIGEST, None),
     ("docker", "a/b", "c", DIGEST, {"repository_url": "registry.example.org:5000"}, None)),
]  # fmt: skip


@pytest.mark.parametrize(("place", "expected"), TABLE, ids=lambda row: "-".join(map(str, row[:3])))
def test_a_package_url_is_the_canonical_form_of_its_parts(
    place: tuple[str, str, str | None, str | None], expected: tuple[object, ...]
) -> None:
    scheme, location, revision, subpath = place
    purl = Ref(scheme=scheme, location=location, revision=revision, subpath=subpath).purl
    assert purl == PackageURL(*expected).to_string()  # type: ignore[arg-type]
    assert problem(purl) is None


@pytest.mark.parametrize(
    ("scheme", "location"),
    [
        ("hf", "gpt2"),
        ("hf", "org/"),
        ("hf-dataset", "squad"),
        ("hf-space", "org/app"),
        ("git", "https://gitlab.com/org/repo"),
        ("git", f"{GITHUB}/org"),
        ("git", "https://github.com.evil.example/org/repo"),
        ("docker", "/"),
        ("npm", "."),
        ("pypi", " \n"),
        ("openai", "gpt-4o"),
        ("ollama", "llama3"),
        ("file", "models/m"),
        ("https", "https://example.org/m.gguf"),
        ("s3", "bucket/m"),
    ],
)
def test_what_the_specification_has_no_type_or_name_for_has_none(scheme: str, location: str) -> None:
    assert Ref(scheme=scheme, location=location, revision="1").purl is None


def test_a_pin_has_the_package_url_of_its_place() -> None:
    place = {"scheme": "hf", "location": "org/n", "revision": COMMIT}
    assert PinnedRef(**place).purl == Ref(**place).purl == f"pkg:huggingface/org/n@{COMMIT}"


texts = st.one_of(st.text("aZ1/@:._-+%?#& \u00e9\n\x00\udc80", max_size=12), st.text(max_size=8))


@st.composite
def places(draw: st.DrawFn) -> Ref:
    schemes = ["hf", "hf-dataset", "git", "pypi", "npm", "conda", "docker", "file", "openai"]
    scheme, location = draw(st.sampled_from(schemes)), draw(texts.filter(bool)).replace("@", "%")
    location = draw(st.sampled_from(["", f"{GITHUB}/", "ghcr.io/", "@scope/", "org/"])) + location
    return Ref(
        scheme=scheme, location=location, revision=draw(st.none() | texts), subpath=draw(st.none() | texts)
    )


@given(places())
@example(Ref(scheme="docker", location="ghcr.io//", revision="/", subpath="/.."))
@example(Ref(scheme="hf", location="a/\udc80", revision="@?#", subpath="\ud800"))
@example(Ref(scheme="npm", location="@scope/%2F%40", revision="%"))
def test_any_place_has_a_package_url_that_parses_and_is_canonical_or_none(place: Ref) -> None:
    purl = place.purl
    if purl is None:
        return
    assert purl.isascii()
    assert purl.isprintable()
    assert problem(purl) is None
    parsed = PackageURL.from_string(purl)
    assert parsed.name
    if "%ED" not in purl:  # what is no text has no canonical form
        # The library writes the escapes in versions of the Hub in lower case.
        assert parsed.to_string().lower() == purl.lower()


@given(st.text("aZ1:._-+%?#& \u00e9", min_size=1, max_size=12).filter(str.strip))
def test_the_version_is_kept_as_it_is(revision: str) -> None:
    purl = Ref(scheme="pypi", location="n", revision=revision).purl
    assert purl is not None
    assert PackageURL.from_string(purl).version == revision.strip()
