"""When certificates are fetched, and what is made of an answer."""

import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.domain.errors import Transient
from functions.gcp.auth.certificates import Certificates


class Keeper(ThreadingHTTPServer):
    """Answers with the certificates that it has now, and counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.by_key: Any = {"a": "PEM of a"}
        self.headers: Mapping[str, str] = {"Cache-Control": "public, max-age=100, must-revalidate"}
        self.status, self.asked = 200, 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/certs"


class _Handler(BaseHTTPRequestHandler):
    server: Keeper

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.asked += 1
        body = json.dumps(self.server.by_key).encode()
        self.send_response(self.server.status)
        for name, value in {**self.server.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


class Seconds:
    """A clock that is moved by hand."""

    at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    with Keeper() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def certificates(keeper: Keeper, seconds: Seconds) -> Certificates:
    return Certificates(keeper.url, seconds)


def test_certificates_are_fetched_once_for_as_long_as_they_are_good(
    certificates: Certificates, keeper: Keeper, seconds: Seconds
) -> None:
    assert [certificates.of("a") for _ in range(3)] == ["PEM of a"] * 3
    seconds.at += 99
    certificates.of("a")
    assert keeper.asked == 1
    seconds.at += 1
    certificates.of("a")
    assert keeper.asked == 2


@pytest.mark.parametrize(
    ("headers", "good_for"),
    [
        ({}, 3_600),
        ({"Cache-Control": "no-transform"}, 3_600),
        ({"Cache-Control": "public,max-age=19845", "Age": "845"}, 19_000),
        ({"Cache-Control": "max-age=10", "Age": "soon"}, 10),
        ({"Cache-Control": "max-age=999999999"}, 86_400),
    ],
)
def test_how_long_they_are_good_the_answer_says_or_an_hour(
    headers: dict[str, str], good_for: int, certificates: Certificates, keeper: Keeper, seconds: Seconds
) -> None:
    keeper.headers = headers
    certificates.of("a")
    seconds.at += good_for - 1
    certificates.of("a")
    assert keeper.asked == 1
    seconds.at += 1
    certificates.of("a")
    assert keeper.asked == 2


def test_an_unknown_key_is_looked_for_once_and_then_not_for_a_while(
    certificates: Certificates, keeper: Keeper, seconds: Seconds
) -> None:
    certificates.of("a")
    keeper.by_key = {"a": "PEM of a", "b": "PEM of b"}
    assert certificates.of("b") is None, "new keys are announced before they sign"
    seconds.at += 10
    assert certificates.of("b") == "PEM of b"
    assert [certificates.of(f"made up {number}") for number in range(50)] == [None] * 50
    assert keeper.asked == 2


def test_a_key_that_is_no_longer_there_is_unknown(
    certificates: Certificates, keeper: Keeper, seconds: Seconds
) -> None:
    certificates.of("a")
    keeper.by_key = {"b": "PEM of b"}
    seconds.at += 100
    assert certificates.of("a") is None


@pytest.mark.parametrize(
    ("status", "by_key"), [(500, {"a": "PEM"}), (404, {}), (200, {}), (200, []), (200, {"keys": [{}]}), (200, "a")]
)
def test_an_answer_without_certificates_passes(
    status: int, by_key: Any, certificates: Certificates, keeper: Keeper, seconds: Seconds
) -> None:
    good = keeper.by_key
    keeper.status, keeper.by_key = status, by_key
    for _ in range(2):
        with pytest.raises(Transient, match="cannot be fetched now"):
            certificates.of("a")
    assert keeper.asked == 1, "no caller waits again for what has just failed"
    seconds.at += 1
    keeper.status, keeper.by_key = 200, good
    assert certificates.of("a") == "PEM of a"


def test_certificates_that_are_no_longer_good_are_not_used_where_new_ones_cannot_be_had(
    certificates: Certificates, keeper: Keeper, seconds: Seconds
) -> None:
    certificates.of("a")
    seconds.at += 100
    keeper.status = 503
    with pytest.raises(Transient):
        certificates.of("a")


def test_of_20_requests_at_once_one_fetches(certificates: Certificates, keeper: Keeper) -> None:
    start = threading.Barrier(20)

    def ask(_: int) -> str | None:
        start.wait(timeout=20)
        return certificates.of("a")

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, range(20))) == ["PEM of a"] * 20
    assert keeper.asked == 1
