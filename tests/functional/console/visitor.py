"""A visitor of the console without a browser: reads pages, and fills in the forms that they hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import Client, TestResponse

from functions import bootstrap
from functions.domain.errors import Forbidden
from functions.domain.roles import Caller, Role
from functions.ports import Ports
from local.runtime.functions import load_functions
from local.runtime.serving import SOURCE

SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Form:
    """A form of a page, with what stands in its fields."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """What a page holds: its text, in which a `bdi` is no break, its forms, and the attributes of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.forms: list[Form] = []
        self._texts: list[str] = []
        self._goes_on = False
        self._area: list[str] | None = None
        self._select = ""
        self.feed(html)

    @property
    def text(self) -> str:
        """What can be read, with single spaces."""
        return " ".join(" ".join(self._texts).split())

    def form(self, action: str) -> Form:
        """The form that is sent to an address."""
        [found, *_] = [form for form in self.forms if form.action == action]
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._goes_on = self._goes_on and tag == "bdi"
        self.elements.append((tag, values))
        if tag == "form":
            self.forms.append(Form(values["action"]))
        elif tag == "select":
            self._select = values.get("name", "")
        elif tag == "textarea":
            self._area = []
            self._name = values["name"]
        elif tag == "input" and self.forms and "name" in values:
            if values.get("type") not in ("checkbox", "radio") or "checked" in values:
                self._add(values["name"], values.get("value", ""))
        elif tag == "option" and "selected" in values and self._select and "value" in values:
            self._add(self._select, values["value"])

    def handle_endtag(self, tag: str) -> None:
        self._goes_on = self._goes_on and tag == "bdi"
        if tag == "textarea" and self._area is not None:
            self._add(self._name, "".join(self._area).removeprefix("\n"))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.append(data)
        elif self._goes_on:
            self._texts[-1] += data
        else:
            self._texts.append(data)
            self._goes_on = True

    def _add(self, name: str, value: str) -> None:
        self.forms[-1].fields.setdefault(name, []).append(value)


class Gate:
    """Lets one visitor in, or none."""

    def __init__(self, who: Caller | None, trouble: Exception | None = None) -> None:
        self._who, self._trouble = who, trouble

    def check_service(self, *_: object) -> None: ...

    def asserted(self, *_: object) -> str:
        return ""

    def visitor(self, _: str | None) -> Caller:
        if self._who is None:
            raise self._trouble or Forbidden("CONSOLE_USERS does not name an account of kicks.example")
        return self._who

    def person(self, *_: object) -> Caller:
        return self.visitor(None)


class Visitor:
    """Visits the deployed function through functions-framework, on the ports of the moment."""

    def __init__(self, ports: Callable[[], Ports]) -> None:
        self._ports = ports
        self.who: Caller | None = Caller(name="ana@kicks.example", role=Role.ADMIN)

    def become(self, role: Role | None, name: str = "ana@kicks.example") -> None:
        """Come with another role, or unauthenticated."""
        self.who = None if role is None else Caller(name=name, role=role)

    def open(self, method: str, path: str, **request: Any) -> TestResponse:
        """Send a request as it is."""
        ports = replace(self._ports(), callers=Gate(self.who))
        with bootstrap.bind(ports):
            return Client(_app(), use_cookies=False).open(path, method=method, buffered=True, **request)

    def get(self, path: str, status: int = 200, **headers: str) -> Page:
        """Read a page."""
        response = self.open("GET", path, headers=headers)
        assert response.status_code == status, Page(response.text).text
        return Page(response.text)

    def send(
        self, page: str, action: str, changes: Mapping[str, Any] | None = None, *, status: int = 303
    ) -> TestResponse:
        """Fill in a form that a page holds, and send it as a browser does."""
        form = self.get(page).form(action)
        return self.post(action, {**form.fields, **(changes or {})}, status=status)

    def post(self, action: str, fields: Mapping[str, Any], *, status: int | None = None) -> TestResponse:
        """Send fields to an address, from a page of the console."""
        response = self.open("POST", action, data=dict(fields), headers=SAME_SITE)
        assert status is None or response.status_code == status, Page(response.text).text
        return response


def path_of(response: TestResponse) -> str:
    """Where an answer sends the visitor on to, without what stands behind the question mark."""
    return urlsplit(response.headers["Location"]).path


@cache
def _app() -> Any:
    return load_functions(("console",), SOURCE)["console"]
