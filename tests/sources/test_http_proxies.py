from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.http import Http, Secret
from aibom.sources.http_address import parse
from aibom.sources.http_environment import Proxies, split_proxy
from tests.services.http_server import Asked, Server, answer, authority

ENVIRONMENT = {"HTTPS_PROXY": "http://proxy:3128", "HTTP_PROXY": "http://plain:3128"}


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://a.example", None),
        (ENVIRONMENT, "https://a.example", "http://proxy:3128"),
        (ENVIRONMENT, "http://a.example", "http://plain:3128"),
        ({"https_proxy": "proxy:1"}, "https://a.example", "http://proxy:1"),
        ({"https_proxy": "http://low", "HTTPS_PROXY": "http://up"}, "https://a.example", "http://low"),
        ({**ENVIRONMENT, "NO_PROXY": "*"}, "https://a.example", None),
        ({**ENVIRONMENT, "NO_PROXY": "b.example, a.example"}, "https://a.example", None),
        ({**ENVIRONMENT, "no_proxy": ".example"}, "https://a.example", None),
        ({**ENVIRONMENT, "no_proxy": "example"}, "https://a.example", None),
        ({**ENVIRONMENT, "no_proxy": "*.a.example"}, "https://x.a.example", None),
        ({**ENVIRONMENT, "no_proxy": "a.example:443"}, "https://a.example", None),
        ({**ENVIRONMENT, "no_proxy": "a.example:444"}, "https://a.example", "http://proxy:3128"),
        ({**ENVIRONMENT, "no_proxy": "xample"}, "https://a.example", "http://proxy:3128"),
        ({**ENVIRONMENT, "no_proxy": "[fd00::1]"}, "https://[fd00::1]", None),
        (ENVIRONMENT, "http://localhost:8080", None),
        (ENVIRONMENT, "http://127.0.0.1:8080", None),
        (ENVIRONMENT, "http://[::1]:8080", None),
    ],
)
def test_the_environment_names_the_proxy(environment: Mapping[str, str], url: str, proxy: str | None) -> None:
    assert Proxies(environment).of(parse(url)) == proxy


def test_the_password_of_a_proxy_is_no_part_of_its_address() -> None:
    assert split_proxy("http://me:p%40ss@proxy:3128/") == ("http://proxy:3128", "me:p@ss")
    assert split_proxy("https://[::1]:1") == ("https://[::1]:1", None)
    for proxy in ("socks5://me:s3cret@proxy", "http://", "http://me:s3cret@proxy:x", "http://[s3cret"):
        with pytest.raises(UnreadableError) as caught:
            split_proxy(proxy)
        assert "s3cret" not in str(caught.value)


@contextmanager
def tunnel(target: int, *, status: int = 200) -> Iterator[tuple[int, list[bytes]]]:
    """A proxy that connects every CONNECT to a port of the loopback address."""
    heads: list[bytes] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    head = b""
                    while not head.endswith(b"\r\n\r\n"):
                        head += connection.recv(1)
                    heads.append(head)
                    connection.sendall(b"HTTP/1.1 %d Text\r\n\r\n" % status)
                    if status == 200:
                        with socket.create_connection(("127.0.0.1", target), 5) as inner:
                            back = threading.Thread(target=pump, args=(inner, connection), daemon=True)
                            back.start()
                            pump(connection, inner)
                            back.join(5)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], heads
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def resolved(monkeypatch: pytest.MonkeyPatch, **known: str) -> None:
    """Names are looked up in `known` (with `_` for dots); others have no address."""
    true = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: object, **options: object) -> object:
        if host == "127.0.0.1":
            return true(host, port, type=socket.SOCK_STREAM)
        if host.replace(".", "_") not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host.replace(".", "_")], port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_https_goes_through_the_proxy_and_is_verified_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved(monkeypatch)  # as behind many proxies: nothing outside has an address
    signed = authority(tmp_path, "hub.test")
    secret = Secret(header="Authorization", value="Bearer s3cret")
    with (
        Server(lambda _: answer(200, b"well"), tls=signed.context) as server,
        tunnel(server.port) as (port, heads),
    ):
        environment = {"HTTPS_PROXY": f"http://me:pw@127.0.0.1:{port}", "SSL_CERT_FILE": str(signed.bundle)}
        http = Http(environment=environment)
        assert http.get("https://hub.test/x", secret=secret).body == b"well"
        assert b"CONNECT hub.test:443" in heads[0]
        assert b"Basic bWU6cHc=" in heads[0]
        assert b"s3cret" not in heads[0]
        http.close()
        with pytest.raises(UnreadableError, match="certificate") as caught:
            http.get("https://other.test/x")
        assert caught.value.reason is Reason.DENIED
        http.close()


def test_what_is_refused_directly_is_refused_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved(monkeypatch, inner_test="10.0.0.1", metadata_test="169.254.169.254")
    with tunnel(1) as (port, heads):
        http = Http(environment={"HTTPS_PROXY": f"http://127.0.0.1:{port}"})
        for host in ("inner.test", "metadata.test"):
            with pytest.raises(UnreadableError) as caught:
                http.get(f"https://{host}/")
            assert caught.value.reason is Reason.DENIED
        assert heads == []


def test_a_proxy_that_refuses_is_io_error_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved(monkeypatch)
    with tunnel(1, status=407) as (port, _):
        http = Http(environment={"https_proxy": f"http://me:s3cret@127.0.0.1:{port}"}, pause=lambda _: None)
        with pytest.raises(UnreadableError, match="the proxy refuses") as caught:
            http.get("https://hub.test/")
        assert caught.value.reason is Reason.IO_ERROR
        assert "s3cret" not in str(caught.value)


def test_plain_http_goes_through_the_proxy_with_its_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved(monkeypatch, typed_test="93.184.215.14")

    def respond(asked: Asked) -> bytes:
        return answer(200, asked.target.encode())

    with Server(respond) as proxy:
        http = Http(environment={"HTTP_PROXY": proxy.url})
        http.named("http://typed.test/")
        assert http.get("http://typed.test/a?b=1").body == b"http://typed.test/a?b=1"
        with pytest.raises(UnreadableError) as caught:
            http.get("http://untyped.test/")
        assert caught.value.reason is Reason.DENIED
        assert len(proxy.asked) == 1
        http.close()
