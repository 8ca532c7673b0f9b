"""Deep links: templates whose values cannot change the destination, and the policy of allowed destinations.

Every value is percent-encoded (RFC 3986, section 2.1), so that it stays within its path segment, query value or
fragment. Only a variable at the very beginning, which provides scheme and host, is not encoded.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from functions.domain.errors import BadTemplate
from functions.domain.push.template import Template, Variable

LINK_KEY = "deepLink"
"""The key of the deep link in a message's data."""
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
"""Unreserved characters, which are never encoded: RFC 3986, section 2.3."""
_ORIGIN = re.compile(r"[^/?#]*://[^/?#]*[/?#]")
"""Scheme and host, including the character that ends the host."""
_SCHEME = re.compile(r"[a-z][a-z0-9+._-]*")
_OPAQUE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?!\d)")
"""A scheme without `//`, as in `javascript:` and `mailto:`; digits after the colon are a port."""
_PATH_END = re.compile(r"[?#]")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
"""A segment that clients resolve, encoded or not: url.spec.whatwg.org, "double-dot URL path segment"."""
_HOST = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}")
_LONGEST_LABEL, _LONGEST_HOST = 63, 253
"""Of a domain name: RFC 1035, section 2.3.4."""
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Link(Template):
    """A deep link with variables; rendering encodes each value."""

    @property
    def is_variable(self) -> bool:
        """Whether the whole link is one variable."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Variable)

    @property
    def leads_by_data(self) -> bool:
        """Whether scheme or host depends on a value."""
        return bool(self.columns) and _ORIGIN.match(self.opening) is None

    def filled(self, variable: Variable, value: str, /) -> str:
        """Return a value as the link contains it: encoded, unless the link begins with it."""
        return value if variable is self.parts[0] else _encoded(value)

    def renderer(self, columns: Sequence[str]) -> Callable[[Sequence[str]], str | None]:
        """Return a function that renders rows, given as values in the order of `columns`, with each value encoded."""
        variables = [part for part in self.parts if isinstance(part, Variable)]
        slots = [
            (
                columns.index(variable.column),
                variable.fallback and self.filled(variable, variable.fallback),
                variable is self.parts[0],
            )
            for variable in variables
        ]
        pattern = self._pattern

        def render(row: Sequence[str]) -> str | None:
            values = []
            for position, fallback, as_it_is in slots:
                value = row[position]
                if not value:
                    if fallback is None:
                        return None
                    value = fallback
                elif not as_it_is and not _PLAIN(value):
                    value = _encoded(value)
                values.append(value)
            return pattern % tuple(values)

        return render


@dataclass(frozen=True)
class ImageAddress(Link):
    """The address of an image, which phones fetch."""


@dataclass(frozen=True, kw_only=True)
class LinkPolicy:
    """Allowed destinations of links: entries like `https`, `myapp` (a scheme) or `https://example.com` (one host).

    `images` are those of the addresses of images, which begin with `https` always. An entry with a port allows only
    that port of its host. One without a port allows all ports for links, and port 443 for images.
    """

    allowed: tuple[str, ...] = ("https",)
    images: tuple[str, ...] = ("https",)

    def check(self, link: Link) -> None:
        """Raise BadTemplate if a link leads, or could lead with some values, to a destination that is not allowed.

        A link that is one variable passes here: `judge` checks it for each row.
        """
        if not link.is_variable:
            if link.leads_by_data:
                raise BadTemplate(
                    f"the scheme and host of {link.opening!r} must stand before the first variable; "
                    "or let one variable be the whole link"
                )
            self._check_origin(link.opening, type(link))
            return
        for part in link.parts:
            if isinstance(part, Variable) and part.fallback:
                self._check_origin(part.fallback, type(link))
                check_form(part.fallback)

    def judge(self, link: Link) -> Callable[[str], bool] | None:
        """Return a function that checks each rendered link; None if every link is allowed.

        Links need this check if a row provides scheme or host, or if a value could become a dot segment of the path,
        as `..` does in `https://example.com/workouts/[[var:id]]`.
        """
        if link.leads_by_data:
            return partial(self._allows, kind=type(link))
        return _keeps_to_its_path(link)

    def allows_image(self, address: str) -> bool:
        """Return whether an image may come from a rendered address."""
        return self._allows(address, ImageAddress)

    def _allows(self, link: str, kind: type[Link]) -> bool:
        try:
            self._check_origin(link, kind)
            check_form(link)
        except BadTemplate:
            return False
        return True

    def _check_origin(self, link: str, kind: type[Link] = Link) -> None:
        of_images = issubclass(kind, ImageAddress)
        allowed, what = (self.images, "images") if of_images else (self.allowed, "links")
        scheme, colon, rest = link.partition("://")
        if not colon and (opaque := _OPAQUE.match(link)):
            if opaque[1].lower() in allowed:
                raise BadTemplate(f"{link!r} has no '//' after its scheme; write it as in {opaque[1]}://workouts")
            raise BadTemplate(f"{opaque[0]} is not among the allowed {what}: {', '.join(allowed)}; got {link!r}")
        if not colon:
            raise BadTemplate(f"{link!r} has no scheme and host; write it as in https://example.com/workouts")
        try:
            host = urlsplit(link).hostname or ""
        except ValueError as error:
            raise BadTemplate(f"{link!r} has no valid host: {error}") from None
        if "@" in re.split(r"[/?#]", rest)[0] or "\\" in rest:
            raise BadTemplate(f"{link!r} hides its host behind '@' or '\\'")
        scheme, authority = scheme.lower(), re.split(r"[/?#]", rest)[0].lower()
        origin, port = f"{scheme}://[{host}]" if ":" in host else f"{scheme}://{host}", _port(link)
        with_port = f"{origin}:{port}"
        if with_port in allowed or f"{scheme}://{authority}" in allowed:
            return
        if scheme not in allowed and origin not in allowed:
            raise BadTemplate(f"{origin} is not among the allowed {what}: {', '.join(allowed)}")
        if of_images and port not in (None, _PORTS["https"]):
            raise BadTemplate(
                f"{link!r} has the port {port}, which is not allowed for images: leave it out, or add {with_port} to "
                "ALLOWED_IMAGES, or to allowed of [images] in tminus.toml"
            )


def check_entry(entry: str) -> None:
    """Raise BadTemplate for an entry of LinkPolicy that allows nothing; it is a scheme, or a scheme and a host."""
    scheme, colon, rest = entry.partition("://")
    if not _SCHEME.fullmatch(scheme):
        raise BadTemplate("is not a scheme; write one such as https, or one with a host as in https://example.com")
    host = re.split(r"[/?#]", rest)[0].rpartition("@")[2]
    if host != rest:
        raise BadTemplate(f"has more than scheme and host; write {scheme}://{host}")
    if "*" in host:
        raise BadTemplate("has '*', which stands for no host; write each host by its name")
    if colon and not host:
        raise BadTemplate(f"names no host; write {scheme}, or a host too as in {scheme}://example.com")
    if host.endswith(":"):
        raise BadTemplate(f"has no port after its ':'; write {scheme}://{host[:-1]}")
    if host and scheme in _PORTS:
        try:
            _check_host(entry)
        except BadTemplate as error:
            raise BadTemplate(f"allows nothing: {error}") from None


def check_form(link: str) -> None:
    """Raise BadTemplate for a link, or its text between variables, that clients could read differently.

    That is one without a host or with one that cannot be, with a port that is not 1 to 65535, a blank, line break or
    other invisible character, a '%' that begins no escape, or '\'.
    """
    for character in link:
        if character.isspace() or not character.isprintable():
            name = "a blank" if character == " " else f"the invisible character U+{ord(character):04X}"
            raise BadTemplate(f"{link!r} holds {name}; write it percent-encoded (a blank is %20), or leave it out")
    if "\\" in link:
        raise BadTemplate(f"{link!r} holds '\\'; write / or, inside a value, %5C")
    if bad := _BAD_ESCAPE.search(link):
        raise BadTemplate(
            f"{link!r} holds {bad[0]!r}, where two hexadecimal digits must follow '%'; a '%' itself is %25"
        )
    scheme, colon, rest = link.partition("://")
    if scheme.lower() in _PORTS:
        _check_host(link)
    elif colon and not rest:
        raise BadTemplate(f"{link!r} leads nowhere; write what stands behind '://'")


def _port(link: str) -> int | None:
    """Return the port to which a link leads; None for a port that cannot be, or of a scheme without a usual one."""
    parts = urlsplit(link)
    try:
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


def _check_host(link: str) -> None:
    try:
        parts = urlsplit(link)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadTemplate(f"{link!r} cannot be read: {error}") from None
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise BadTemplate(f"{link!r} names no host; write it as in https://example.com/workouts")
    if fault := _host_fault(host):
        raise BadTemplate(f"{link!r} names a host that cannot be: {fault}")
    if port == 0:
        raise BadTemplate(f"{link!r} has the port 0; write one from 1 to 65535, or leave it out")


def _host_fault(host: str) -> str:
    """Return why a host name or address is invalid; empty if it is valid."""
    labels = host.removesuffix(".").split(".")
    if ":" in host or labels[-1].isdecimal():
        try:
            ip_address(host.removesuffix("."))
        except ValueError:
            return f"{host} is not an IP address"
        return ""
    if fault := next(filter(None, map(_label_fault, labels)), ""):
        return fault
    if len(".".join(map(_in_ascii, labels))) > _LONGEST_HOST:
        return f"it is longer than {_LONGEST_HOST} characters"
    return ""


def _label_fault(label: str) -> str:
    if not label:
        return "there is nothing before, or between, its dots"
    if label.startswith("-") or label.endswith("-"):
        return f"{label!r} begins or ends with '-'"
    if len(_in_ascii(label)) > _LONGEST_LABEL:
        return f"{label!r} is longer than {_LONGEST_LABEL} characters"
    return ""


def _in_ascii(label: str) -> str:
    """Return a label in its ASCII form, which is longer: RFC 3492."""
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"


def _encoded(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _keeps_to_its_path(link: Link) -> Callable[[str], bool] | None:
    """Return a function that checks that values added no dot segments to a rendered link; None if they cannot."""
    marked = "".join(part if isinstance(part, str) else "\0" for part in link.parts)
    path = _path(marked)
    if not any("\0" in part and not re.sub(r"\0|\.|%2e", "", part, flags=re.IGNORECASE) for part in path.split("/")):
        return None
    written = len(_DOT_SEGMENT.findall(path))

    def keeps(rendered: str) -> bool:
        if "/." not in rendered and "/%2" not in rendered:
            return True
        return len(_DOT_SEGMENT.findall(_path(rendered))) == written

    return keeps


def _path(link: str) -> str:
    return _PATH_END.split(link.partition("://")[2], maxsplit=1)[0]
