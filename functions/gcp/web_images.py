"""Loads images over HTTPS, from public addresses only.

A recipe names the addresses. It must not make Tminus call what only Tminus's own network can reach.
"""

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import cache
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import cast
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import certifi

from functions.domain.public_address import is_odd_address, is_public
from functions.domain.push.images import MOST_BYTES, BadImage, ImageFault, Look, read_image
from functions.domain.push.links import LinkPolicy
from functions.gcp.clock import SystemClock
from functions.gcp.timed_stream import TimedStream, TooMuch

_PATIENCE = timedelta(seconds=5)
_AT_ONCE = 16
_MOST_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_FOUND = 200
_SWITCHING = 101
_MOST_INTERIM = 8
_PORT = 443
_MOST_HEAD_BYTES = 128 * 1024
_LONGEST_CONNECT_SECONDS = 2.0
_HEADERS = {
    "Accept": "image/jpeg, image/png, image/*;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "Tminus-image-check",
}
_KEPT = "/%:@!$&'()*+,;=~"
"""Characters of a path that are not encoded, or are so already: RFC 3986, section 3.3."""
Resolve = Callable[[str], Sequence[str]]


def _bad(fault: ImageFault, detail: str) -> BadImage:
    return BadImage(fault=fault, detail=detail)


_NOT_PUBLIC = _bad(ImageFault.NOT_ALLOWED, "an address that is not public")
_UNREADABLE = _bad(ImageFault.NOT_ALLOWED, "an address that cannot be read")
_TROUBLES: Sequence[tuple[type[Exception], BadImage]] = (
    (TimeoutError, _bad(ImageFault.TOO_SLOW, "no whole answer")),
    (TooMuch, _bad(ImageFault.TOO_LARGE, "more than 1 MB")),
    (ssl.SSLError, _bad(ImageFault.UNREACHABLE, "no valid certificate")),
    (socket.gaierror, _bad(ImageFault.UNREACHABLE, "unknown host")),
    (OSError, _bad(ImageFault.UNREACHABLE, "no connection")),
    (Exception, _bad(ImageFault.UNREACHABLE, "no valid answer")),
)
"""What each error means; the first kind that fits counts."""


class WebImages:
    """Implements Images.

    Each host is resolved here once, and a connection goes to exactly the address that was checked, so that a second
    answer of its name server changes nothing. Redirects are checked the same way. The port is 443, unless the policy
    has the host with another. No proxy is used, and nothing of the deployment is sent.

    `resolve` and `public` replace the look-up of names and the check of their addresses; `ca_file` the certificate
    authorities.
    """

    def __init__(
        self,
        policy: LinkPolicy,
        *,
        patience: timedelta = _PATIENCE,
        resolve: Resolve | None = None,
        public: Callable[[str], bool] = is_public,
        ca_file: Path | None = None,
    ) -> None:
        self._policy, self._patience = policy, patience.total_seconds()
        self._resolve, self._public = resolve or _addresses, public
        self._ca_file = ca_file or Path(certifi.where())
        self._seconds = SystemClock().seconds

    def look(self, urls: Sequence[str], within: timedelta) -> Mapping[str, Look]:
        """Load each image once; see Images."""
        _tls(self._ca_file)  # made once, before the threads need it
        ends_at = self._seconds() + within.total_seconds()

        def in_time(url: str) -> Look | None:
            return self.load(url)[0] if self._seconds() < ends_at else None

        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="images") as pool:
            looks = zip(urls, pool.map(in_time, urls), strict=True)
            return {url: look for url, look in looks if look is not None}

    def load(self, url: str) -> tuple[Look, bytes]:
        """Load one image, and return its content too; see Images."""
        ends_at = self._seconds() + self._patience

        def left() -> float:
            seconds = ends_at - self._seconds()
            if seconds <= 0:
                raise TimeoutError
            return seconds

        try:
            return self._follow(url, left)
        except (OSError, TooMuch, HTTPException, ValueError) as error:
            return next(look for kind, look in _TROUBLES if isinstance(error, kind)), b""

    def _follow(self, url: str, left: Callable[[], float]) -> tuple[Look, bytes]:
        for _ in range(_MOST_REDIRECTS + 1):
            found = self._ask(url, left)
            if not isinstance(found, str):
                return found
            try:
                url = urljoin(url, found)
            except ValueError:
                return _UNREADABLE, b""
        return _bad(ImageFault.STATUS, f"more than {_MOST_REDIRECTS} redirects"), b""

    def _ask(self, url: str, left: Callable[[], float]) -> tuple[Look, bytes] | str:
        """Make one request; return what was found there, or where it redirects to."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port or _PORT
        except ValueError:
            return _UNREADABLE, b""
        if not self._policy.allows_image(url):
            only_the_port = port != _PORT and self._policy.allows_image(f"https://{_named(host)}/")
            why = f"port {port}, not" if only_the_port else "not https, or a host not"
            return _bad(ImageFault.NOT_ALLOWED, f"{why} in ALLOWED_IMAGES"), b""
        if is_odd_address(host):
            return _NOT_PUBLIC, b""
        host = host.encode("idna").decode("ascii")
        addresses = _waited_for(lambda: self._resolve(host), left())
        if not all(map(self._public, addresses)):
            return _NOT_PUBLIC, b""
        with _first_connected(addresses, port, left) as plain:
            plain.settimeout(left())
            tls = _tls(self._ca_file).wrap_socket(plain, server_hostname=host)
            with closing(TimedStream(tls, left, most_bytes=MOST_BYTES + _MOST_HEAD_BYTES)) as stream:
                return _answer(stream, host, port, parts)


@cache
def _tls(ca_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _first_connected(addresses: Sequence[str], port: int, left: Callable[[], float]) -> socket.socket:
    trouble: OSError = socket.gaierror("the host has no address")
    for address in addresses:
        connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            connection.settimeout(min(left(), _LONGEST_CONNECT_SECONDS))
            connection.connect((address, port))
        except OSError as error:
            connection.close()
            trouble = error
        else:
            return connection
    raise trouble


def _answer(stream: TimedStream, host: str, port: int, parts: SplitResult) -> tuple[Look, bytes] | str:
    path, query = quote(parts.path or "/", safe=_KEPT), quote(parts.query, safe=f"{_KEPT}?")
    target = f"{path}?{query}" if query else path
    named = _named(host)
    headers = {"Host": named if port == _PORT else f"{named}:{port}", **_HEADERS}
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    stream.sendall("\r\n".join(lines).encode("ascii"))
    with HTTPResponse(cast("socket.socket", stream), method="GET") as response:
        _begin(response)
        location = response.headers.get("Location")
        if response.status in _REDIRECTS and location:
            return location
        if response.status != _FOUND:
            return _bad(ImageFault.STATUS, str(response.status)), b""
        return _content(response)


def _begin(response: HTTPResponse) -> None:
    """Read the head of the answer; it comes after those of interim answers, such as 103 Early Hints."""
    for _ in range(_MOST_INTERIM):
        response.begin()
        if response.status >= _FOUND or response.status == _SWITCHING:
            return
        response.headers = cast("HTTPMessage", None)  # or begin() would not read the next one
    response.begin()


def _named(host: str) -> str:
    """Return a host as addresses have it."""
    return f"[{host}]" if ":" in host else host


def _content(response: HTTPResponse) -> tuple[Look, bytes]:
    if (response.length or 0) > MOST_BYTES:
        raise TooMuch
    content = response.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise TooMuch
    if response.length:
        return _bad(ImageFault.UNREACHABLE, "the answer breaks off"), b""
    declared = response.headers.get_content_type() if "Content-Type" in response.headers else ""
    return read_image(content, declared), content


def _waited_for(call: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """Return the result of a call that cannot be stopped, or raise its error; TimeoutError if it takes longer."""
    results: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

    def run() -> None:
        try:
            results.put(call())
        except (OSError, ValueError) as error:
            results.put(error)

    Thread(target=run, name="resolver", daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result


def _addresses(host: str) -> Sequence[str]:
    """Return the addresses of a host, those of IPv4 first: not every network has IPv6."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = (str(address[0]) for *_, address in found)
    return sorted(dict.fromkeys(addresses), key=lambda address: ":" in address)
