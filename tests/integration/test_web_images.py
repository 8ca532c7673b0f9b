"""Images over HTTPS, from a real server: what each answer means, and where no request goes."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from functions.domain.public_address import is_public
from functions.domain.push.images import MOST_BYTES, BadImage, Image, ImageFault, Look
from functions.domain.push.links import LinkPolicy
from functions.gcp.web_images import WebImages
from local.runtime.served import Served
from tests.pictures import jpeg, png

HOST = "img.test"
MINUTE = timedelta(minutes=1)
Answer = Callable[[BaseHTTPRequestHandler], None]


@cache
def authority() -> trustme.CA:
    return trustme.CA()


class ImageHost(Served):
    """A server over TLS for `img.test`, which answers each path as it was told."""

    def __init__(self, answers: Mapping[str, Answer], names: tuple[str, ...]) -> None:
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host.asked.append(self.path)
                host.headers.append(dict(self.headers.items()))
                self.close_connection = True
                answers[self.path](self)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert(*names).configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = server.server_port
        super().__init__(server)

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"


def sends(content: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(content)), **named}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def raw(*parts: bytes, pause: float = 0.0) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        for part in parts:
            try:
                handler.wfile.write(part)
            except OSError:
                return
            time.sleep(pause)

    return answer


def redirects(to: str, status: int = 302) -> Answer:
    return sends(b"", status, Location=to)


MakeHost = Callable[..., ImageHost]


@pytest.fixture
def make_host() -> Iterator[MakeHost]:
    """Serve paths over TLS."""
    with ExitStack() as stack:

        def make(answers: Mapping[str, Answer], names: tuple[str, ...] = (HOST, "127.0.0.1")) -> ImageHost:
            return stack.enter_context(ImageHost(answers, names))

        yield make


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return path


def images(host: ImageHost, ca_file: Path | None, **options: Any) -> WebImages:
    """What loads images, for which 127.0.0.1 stands for the internet, and `img.test` is there."""
    names = {HOST: ["127.0.0.1"], **options.pop("names", {})}
    policy = LinkPolicy(images=("https", f"https://{HOST}:{host.port}", *options.pop("allowed", ())))
    given: dict[str, Any] = {
        "resolve": lambda name: names.get(name, [name]),
        "public": lambda address: address == "127.0.0.1" or is_public(address),
        "ca_file": ca_file,
    }
    return WebImages(policy, **{**given, **options})


def look(host: ImageHost, ca_file: Path | None, path: str = "/a", **options: Any) -> Look:
    url = path if path.startswith("https:") else f"{host.url}{path}"
    return images(host, ca_file, **options).look([url], MINUTE)[url]


def refused(detail: str) -> BadImage:
    return BadImage(fault=ImageFault.NOT_ALLOWED, detail=detail)


PRIVATE = refused("an address that is not public")


def test_an_image_is_loaded_and_its_size_is_read(make_host: MakeHost, ca_file: Path) -> None:
    content = jpeg(1200, 600) + bytes(5_000)
    host = make_host({"/caf%C3%A9%20a.jpg?q=%5B1%5D": sends(content, Content_Type="image/jpeg; charset=x")})
    found = look(host, ca_file, "/café%20a.jpg?q=[1]#part")
    assert found == Image(form="JPEG", declared="image/jpeg", bytes=len(content), width=1200, height=600)
    assert host.asked == ["/caf%C3%A9%20a.jpg?q=%5B1%5D"]
    assert host.headers[0]["Host"] == f"{HOST}:{host.port}"
    assert not {"Authorization", "Cookie", "Referer"} & set(host.headers[0])


def test_the_content_of_one_image_comes_with_what_it_is(make_host: MakeHost, ca_file: Path) -> None:
    host = make_host({"/a": sends(png(3, 2), Content_Type="image/png"), "/gone": raw(b"HTTP/1.0 404 No\r\n\r\n")})
    found, content = images(host, ca_file).load(f"{host.url}/a")
    assert (found, content) == (look(host, ca_file), png(3, 2))
    assert images(host, ca_file).load(f"{host.url}/gone") == (BadImage(fault=ImageFault.STATUS, detail="404"), b"")


def test_several_are_loaded_at_once_each_once(make_host: MakeHost, ca_file: Path) -> None:
    slow = {f"/{n}": raw(b"HTTP/1.0 200 OK\r\n\r\n", png(n + 1, 1), pause=0.2) for n in range(12)}
    host = make_host(slow)
    urls = [f"{host.url}/{n}" for n in range(12)]
    begun = time.monotonic()
    found = images(host, ca_file).look(urls, MINUTE)
    assert time.monotonic() - begun < 2.5
    assert [look.width for look in found.values() if isinstance(look, Image)] == list(range(1, 13))
    assert sorted(host.asked) == sorted(slow)


def test_what_is_not_begun_in_time_is_left_out(make_host: MakeHost, ca_file: Path) -> None:
    host = make_host({})
    assert images(host, ca_file).look([f"{host.url}/a"], timedelta(0)) == {}
    assert host.asked == []


@pytest.mark.parametrize(
    ("answer", "fault", "detail"),
    [
        (sends(b"no", 404), ImageFault.STATUS, "404"),
        (sends(png(1, 1), 500), ImageFault.STATUS, "500"),
        (sends(png(1, 1), 206), ImageFault.STATUS, "206"),
        (sends(b"", 302), ImageFault.STATUS, "302"),
        (redirects("/a"), ImageFault.STATUS, "more than 3 redirects"),
        (sends(bytes(MOST_BYTES + 1)), ImageFault.TOO_LARGE, "more than 1 MB"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), ImageFault.TOO_LARGE, "more than 1 MB"),
        (raw(b"HTTP/1.0 200 OK\r\n\r\n", *[bytes(1 << 16)] * 40), ImageFault.TOO_LARGE, "more than 1 MB"),
        (
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", *[bytes(1 << 16)] * 400),
            ImageFault.TOO_LARGE,
            "more than 1 MB",
        ),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 200_000), ImageFault.TOO_LARGE, "more than 1 MB"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", png(1, 1)), ImageFault.UNREACHABLE, "breaks off"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n"), ImageFault.UNREACHABLE, "no valid answer"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), ImageFault.UNREACHABLE, "no valid answer"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), ImageFault.UNREACHABLE, "no valid"),
        (raw(), ImageFault.UNREACHABLE, "no "),
    ],
)
def test_what_is_no_image_says_why(
    answer: Answer, fault: ImageFault, detail: str, make_host: MakeHost, ca_file: Path
) -> None:
    host = make_host({"/a": answer})
    found = look(host, ca_file)
    assert isinstance(found, BadImage)
    assert found.fault is fault
    assert detail in found.detail
    assert HOST not in found.detail


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"x"] * 100, pause=0.05),
        raw(*(bytes([each]) for each in b"HTTP/1.1 200 OK\r\nA: " + b"a" * 100), pause=0.05),
        raw(b"HTTP/1.0 200 OK\r\n", *[b"X-A: b\r\n"] * 100, pause=0.05),
        raw(b"", pause=3),
        raw(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 100, pause=0.05),
    ],
)
def test_a_server_that_drips_is_left_after_the_patience(answer: Answer, make_host: MakeHost, ca_file: Path) -> None:
    host = make_host({"/a": answer})
    begun = time.monotonic()
    found = look(host, ca_file, patience=timedelta(seconds=0.4))
    assert 0.3 < time.monotonic() - begun < 2.5
    assert found == BadImage(fault=ImageFault.TOO_SLOW, detail="no whole answer")


def test_a_name_server_that_hangs_is_left_after_the_patience(make_host: MakeHost, ca_file: Path) -> None:
    host, release = make_host({}), threading.Event()

    def hangs(_: str) -> list[str]:
        release.wait(20)
        return []

    begun = time.monotonic()
    found = look(host, ca_file, resolve=hangs, patience=timedelta(seconds=0.3))
    release.set()
    assert time.monotonic() - begun < 2.5
    assert found == BadImage(fault=ImageFault.TOO_SLOW, detail="no whole answer")


def test_an_unknown_host_and_a_closed_port_cannot_be_loaded(make_host: MakeHost, ca_file: Path) -> None:
    host = make_host({})
    unknown = look(host, ca_file, "https://nowhere.invalid/a", names={"nowhere.invalid": []})
    assert unknown == BadImage(fault=ImageFault.UNREACHABLE, detail="unknown host")
    closed = look(host, ca_file, "https://img.test:9/a", allowed=("https://img.test:9",))
    assert closed == BadImage(fault=ImageFault.UNREACHABLE, detail="no connection")


def test_a_certificate_of_another_host_is_not_trusted(make_host: MakeHost, ca_file: Path) -> None:
    host = make_host({"/a": sends(png(1, 1))}, names=("other.test",))
    assert look(host, ca_file) == BadImage(fault=ImageFault.UNREACHABLE, detail="no valid certificate")
    assert host.asked == []


def test_an_authority_that_clients_do_not_know_is_not_trusted(make_host: MakeHost) -> None:
    host = make_host({"/a": sends(png(1, 1))})
    found = look(host, None)
    assert found == BadImage(fault=ImageFault.UNREACHABLE, detail="no valid certificate")


HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"


def test_interim_answers_come_before_the_one_that_counts(make_host: MakeHost, ca_file: Path) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(png(3, 4)) + png(3, 4)
    host = make_host({"/a": raw(HINTS, HINTS + b"HTTP/1.1 100 Continue\r\n\r\n" + whole), "/b": raw(HINTS * 500)})
    found = look(host, ca_file)
    assert isinstance(found, Image)
    assert (found.width, found.height) == (3, 4)
    assert look(host, ca_file, "/b") == BadImage(fault=ImageFault.STATUS, detail="103")


def test_a_redirect_is_followed_to_another_allowed_address(make_host: MakeHost, ca_file: Path) -> None:
    there = make_host({"/b": sends(png(7, 8))})
    host = make_host({"/a": redirects("/next", 301), "/next": redirects(f"{there.url}/b", 307)})
    found = look(host, ca_file, allowed=(there.url,))
    assert isinstance(found, Image)
    assert (found.width, found.height) == (7, 8)


@pytest.mark.parametrize(
    ("to", "detail"),
    [
        ("https://169.254.169.254/computeMetadata/v1/", PRIVATE.detail),
        ("https://metadata.google.internal/a", PRIVATE.detail),
        ("https://[fd00:ec2::254]/a", PRIVATE.detail),
        ("https://[::ffff:127.0.0.1]/a", PRIVATE.detail),
        ("https://10.0.0.8/a", PRIVATE.detail),
        ("https://127.0.0.2/a", PRIVATE.detail),
        ("https://0x7f000001/a", PRIVATE.detail),
        ("//10.0.0.8/a", PRIVATE.detail),
        ("http://img.test/a", "not https, or a host not in ALLOWED_IMAGES"),
        ("file:///etc/passwd", "not https, or a host not in ALLOWED_IMAGES"),
        ("https://user@img.test/a", "not https, or a host not in ALLOWED_IMAGES"),
        ("https://img.test:22/a", "port 22, not in ALLOWED_IMAGES"),
        ("https://img.test:99999/a", "an address that cannot be read"),
        ("https://img.test:x/a", "an address that cannot be read"),
        ("https://[/a", "an address that cannot be read"),
        ("https://img.test:0/a", "not https, or a host not in ALLOWED_IMAGES"),
    ],
)
def test_a_redirect_to_a_forbidden_address_is_refused(
    to: str, detail: str, make_host: MakeHost, ca_file: Path
) -> None:
    host = make_host({"/a": redirects(to)})
    assert look(host, ca_file, names={"metadata.google.internal": ["169.254.169.254"]}) == refused(detail)
    assert host.asked == ["/a"]


@pytest.mark.parametrize(
    ("host_name", "resolved"),
    [
        *((name, None) for name in ("127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.0.1", "169.254.169.254")),
        *((name, None) for name in ("0.0.0.0", "100.64.1.1", "224.0.0.1", "255.255.255.255", "192.0.2.3")),
        *((name, None) for name in ("[::1]", "[::]", "[fe80::1]", "[fd00:ec2::254]", "[ff02::1]", "[2002:7f00:1::]")),
        *((name, None) for name in ("[::ffff:127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[2001:0:7f00:1::1]")),
        *((name, "127.0.0.1") for name in ("2130706433", "017700000001", "0x7f000001", "0177.0.0.1", "127.1")),
        ("localhost", "127.0.0.1"),
        ("localtest.me", "127.0.0.1"),
        ("metadata.google.internal", "169.254.169.254"),
        ("db.corp.example", "10.0.0.5"),
        ("six.example", "fd12::1"),
        ("LOCALHOST.", "::1"),
    ],
)
def test_an_address_that_is_not_public_is_refused(host_name: str, resolved: str | None) -> None:
    """No connection is tried: the network of the tests would refuse most of these otherwise than by a sentence."""
    asked = []

    def resolve(name: str) -> list[str]:
        asked.append(name)
        return [resolved or name]

    url = f"https://{host_name}/a.png"
    [found] = WebImages(LinkPolicy(), resolve=resolve).look([url], MINUTE).values()
    assert isinstance(found, BadImage)
    assert found.fault is ImageFault.NOT_ALLOWED
    assert resolved is None or resolved not in found.detail, "what a private name resolves to is not told"


def test_a_host_with_one_private_address_among_public_ones_is_refused() -> None:
    both = WebImages(LinkPolicy(), resolve=lambda _: ["93.184.215.14", "10.0.0.1"])
    assert both.look(["https://both.example/a"], MINUTE) == {"https://both.example/a": PRIVATE}


def test_a_name_that_changes_its_address_after_the_check_reaches_nothing_else(
    make_host: MakeHost, ca_file: Path
) -> None:
    """DNS rebinding: the second answer of a name server would lead to a private address."""
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    host = make_host({"/a": sends(png(1, 1))})
    found = look(host, ca_file, resolve=lambda _: answers.pop(0))
    assert isinstance(found, Image)
    assert answers == [["10.0.0.1"]], "it was resolved once"


def test_only_the_hosts_and_ports_of_the_policy_are_called(make_host: MakeHost, ca_file: Path) -> None:
    host = make_host({"/a": sends(png(1, 1))})

    def only(*allowed: str) -> Look:
        loads = WebImages(
            LinkPolicy(images=allowed), resolve=lambda _: ["127.0.0.1"], public=lambda _: True, ca_file=ca_file
        )
        return loads.look([f"{host.url}/a"], MINUTE)[f"{host.url}/a"]

    assert only("https://img.test") == refused(f"port {host.port}, not in ALLOWED_IMAGES")
    assert only("https://cdn.test") == refused("not https, or a host not in ALLOWED_IMAGES")
    assert host.asked == []
    assert isinstance(only(host.url), Image)
