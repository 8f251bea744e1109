from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.http_address import Address, follow, parse
from aibom.sources.http_addresses import Permissions, Reach, reach_of

REACHES = {
    "8.8.8.8": Reach.PUBLIC,
    "2606:4700::1111": Reach.PUBLIC,
    "64:ff9b::808:808": Reach.PUBLIC,
    "2002:808:808::1": Reach.PUBLIC,
    "127.0.0.1": Reach.LOOPBACK,
    "127.255.0.3": Reach.LOOPBACK,
    "::1": Reach.LOOPBACK,
    "::ffff:127.0.0.1": Reach.LOOPBACK,
    "64:ff9b::7f00:1": Reach.LOOPBACK,
    "2002:7f00:1::": Reach.LOOPBACK,
    "10.1.2.3": Reach.PRIVATE,
    "172.16.0.1": Reach.PRIVATE,
    "172.31.255.255": Reach.PRIVATE,
    "192.168.1.1": Reach.PRIVATE,
    "100.64.0.1": Reach.PRIVATE,
    "198.18.0.1": Reach.PRIVATE,
    "203.0.113.9": Reach.PRIVATE,
    "::ffff:10.0.0.1": Reach.PRIVATE,
    "64:ff9b::a00:1": Reach.PRIVATE,
    "64:ff9b:1::1": Reach.PRIVATE,
    "2002:a00:1::": Reach.PRIVATE,
    "fc00::1": Reach.PRIVATE,
    "fd12:3456::1": Reach.PRIVATE,
    "2001::1": Reach.PRIVATE,
    "2001:db8::1": Reach.PRIVATE,
    "4000::1": Reach.PRIVATE,
    "0.0.0.0": Reach.CLOSED,
    "::": Reach.CLOSED,
    "169.254.169.254": Reach.CLOSED,
    "169.254.170.2": Reach.CLOSED,
    "::ffff:169.254.169.254": Reach.CLOSED,
    "64:ff9b::a9fe:a9fe": Reach.CLOSED,
    "2002:a9fe:a9fe::": Reach.CLOSED,
    "fd00:ec2::254": Reach.CLOSED,
    "fd20:ce::254": Reach.CLOSED,
    "100.100.100.200": Reach.CLOSED,
    "168.63.129.16": Reach.CLOSED,
    "192.0.0.192": Reach.CLOSED,
    "fe80::1": Reach.CLOSED,
    "fe80::1%eth0": Reach.CLOSED,
    "224.0.0.1": Reach.CLOSED,
    "ff02::1": Reach.CLOSED,
    "255.255.255.255": Reach.CLOSED,
    "240.0.0.1": Reach.CLOSED,
}


@pytest.mark.parametrize(("address", "reach"), REACHES.items(), ids=list(REACHES))
def test_every_address_belongs_to_a_network(address: str, reach: Reach) -> None:
    assert reach_of(address) is reach


@given(st.ip_addresses())
def test_what_python_calls_private_or_special_is_never_public(address: object) -> None:
    special = ("is_private", "is_loopback", "is_link_local", "is_multicast", "is_unspecified", "is_reserved")
    if any(getattr(address, name) for name in special) and not str(address).startswith("64:ff9b::"):
        assert reach_of(str(address)) is not Reach.PUBLIC


def denied(permissions: Permissions, host: str, *found: str, port: int = 443, plain: bool = False) -> bool:
    try:
        permissions.check(host, port, found, is_plain=plain)
    except UnreadableError as error:
        return error.reason is Reason.DENIED
    return False


def test_a_public_address_needs_nobody_to_name_it() -> None:
    assert not denied(Permissions(), "a.example", "8.8.8.8", "2606:4700::1111")


@pytest.mark.parametrize("address", [each for each, reach in REACHES.items() if reach is not Reach.PUBLIC])
def test_one_address_that_is_not_public_is_enough_to_refuse_a_host(address: str) -> None:
    assert denied(Permissions(), "a.example", "8.8.8.8", address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "fd12::1"])
def test_a_host_that_the_user_named_may_be_private_on_that_port(address: str) -> None:
    permissions = Permissions()
    permissions.name(parse("https://a.example:8443/x"))
    assert not denied(permissions, "a.example", address, port=8443)
    assert denied(permissions, "a.example", address, port=443)
    assert denied(permissions, "b.example", address, port=8443)


@pytest.mark.parametrize(
    ("allowed", "host", "port"),
    [
        ("a.example", "a.example", 443),
        ("A.Example.", "a.example", 8443),
        ("a.example:8443", "a.example", 8443),
        ("10.0.0.1", "10.0.0.1", 5000),
        ("[::1]:5000", "::1", 5000),
        ("::1", "::1", 443),
    ],
)
def test_an_allowed_host_may_be_private(allowed: str, host: str, port: int) -> None:
    assert not denied(Permissions([allowed]), host, "10.0.0.1", port=port)


def test_an_allowed_port_allows_no_other() -> None:
    assert denied(Permissions(["a.example:8443"]), "a.example", "10.0.0.1", port=22)


def test_a_metadata_address_has_to_be_allowed_itself() -> None:
    metadata = "169.254.169.254"
    named = Permissions(["metadata.example"])
    named.name(parse(f"http://{metadata}/"))
    assert denied(named, metadata, metadata, port=80, plain=True)
    assert denied(named, "metadata.example", metadata)
    assert not denied(Permissions([metadata]), metadata, metadata)
    # Nor does a name of somebody else reach it when it is.
    assert denied(Permissions([metadata]), "other.example", metadata)


def test_plain_http_is_for_loopback_or_for_what_was_typed() -> None:
    permissions = Permissions(["local.example"])
    permissions.name(parse("https://tls.example"))
    permissions.name(parse("http://typed.example"))
    assert not denied(permissions, "local.example", "127.0.0.1", port=80, plain=True)
    assert denied(permissions, "local.example", "10.0.0.1", port=80, plain=True)
    assert denied(permissions, "local.example", "127.0.0.1", "10.0.0.1", port=80, plain=True)
    assert denied(permissions, "tls.example", "8.8.8.8", port=80, plain=True)
    assert not denied(permissions, "typed.example", "8.8.8.8", port=80, plain=True)
    assert denied(permissions, "typed.example", "8.8.8.8", port=8080, plain=True)
    assert denied(permissions, "other.example", "8.8.8.8", port=80, plain=True)


def test_an_allowed_host_that_is_none_is_malformed() -> None:
    with pytest.raises(UnreadableError):
        Permissions(["a b"])


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("https://a.example", "a.example", "/"),
        ("HTTPS://A.Example.:443/x?y=z#f", "a.example", "/x?y=z"),
        ("http://a.example:8080?x", "a.example:8080", "/?x"),
        ("https://[::0001]:5000/é b", "[::1]:5000", "/%C3%A9%20b"),
        ("https://bücher.example/", "xn--bcher-kva.example", "/"),
    ],
)
def test_an_address_is_taken_apart(url: str, authority: str, target: str) -> None:
    found = parse(url)
    assert (found.authority, found.target) == (authority, target)
    assert parse(found.url) == found


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "neither https"),
        ("a.example/x", "neither https"),
        ("file:///etc/passwd", "neither https"),
        ("ftp://a.example/s3cret", "neither https"),
        ("https://", "cannot be parsed"),
        ("https://user:s3cret@a.example/", "a user name or password"),
        ("https://s3cret@a.example/", "a user name or password"),
        ("https://a.example:99999/s3cret", "cannot be parsed"),
        ("https://a.example:x/s3cret", "cannot be parsed"),
        ("https://[::1/s3cret", "cannot be parsed"),
        ("https://[fe80::1%25eth0]/", "cannot be parsed"),
        ("https://a_b!.example/", "cannot be parsed"),
        ("https://a..example/", "cannot be parsed"),
        ("https://" + "a" * 64 + ".example/", "cannot be parsed"),
        ("https://" + "a." * 200 + "example/", "cannot be parsed"),
        ("https://a.example\\@b.example/", "a user name"),
        ("https://a.example\\.b.example/", "cannot be parsed"),
        ("https://a.example/\r\nX: s3cret", "control characters"),
        ("https://a.example/\0", "control characters"),
        ("https://a.example/" + "x" * 20_000, "too long"),
    ],
)
def test_an_address_that_is_none_is_refused_without_showing_it(url: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        parse(url)
    assert "s3cret" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_an_error_of_ours(text: str) -> None:
    for url in (text, f"https://{text}", f"https://a.example/{text}"):
        try:
            found = parse(url)
        except UnreadableError:
            continue
        assert parse(found.url) == found
        assert found.target.isascii()


@given(st.text(st.characters(max_codepoint=255)))
def test_any_redirect_is_an_address_or_an_error_of_ours(location: str) -> None:
    base = parse("https://a.example/b/c?d")
    try:
        found = follow(base, location)
    except UnreadableError:
        return
    assert found.scheme == "https"
    assert found.target.isascii()


def test_a_redirect_is_resolved_against_where_it_comes_from() -> None:
    base = parse("https://a.example/b/c?d")
    assert follow(base, "/x").url == "https://a.example/x"
    assert follow(base, "x?y").url == "https://a.example/b/x?y"
    assert follow(base, "//b.example/x").url == "https://b.example/x"
    assert follow(base, "https://b.example:1/x#f").origin == ("https", "b.example", 1)
    assert follow(parse("http://a.example/"), "https://a.example/").scheme == "https"


def test_an_address_shows_its_host_and_nothing_else() -> None:
    shown = repr(parse("https://a.example/path?signature=s3cret"))
    assert "s3cret" not in shown
    assert "a.example" in shown


def test_the_usual_port_is_part_of_the_origin() -> None:
    assert parse("https://a.example").origin == parse("https://a.example:443").origin
    assert Address(scheme="http", host="a", port=443, target="/").authority == "a:443"
