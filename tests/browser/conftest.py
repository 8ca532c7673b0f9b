"""Debian's Chromium on the console of a laboratory, which is served on a port of this machine."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright

from functions.domain.roles import Caller, Role
from local.runtime.functions import load_functions
from local.runtime.served import Served
from local.runtime.serving import SOURCE, http_server
from tests.functional.conftest import Lab, lab, make_lab

__all__ = ["lab", "make_lab"]

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; where it is missing, CI fails and everybody else is told how to get it."""
    found = shutil.which("chromium")
    if found is None:
        problem = "chromium is not on the PATH: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(problem)
        pytest.skip(problem)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def tab_to(page: Page, selector: str) -> None:
    """Press the tab key until an element has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"the keyboard does not reach {selector}")


class Console:
    """The console as it is served, and who vouches for its visitors."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.url = ""
        self.become(Role.ADMIN)

    def become(self, role: Role) -> None:
        """Give later visitors another role."""
        self._who = Caller(name="ana@kicks.example", role=role)

    def check_service(self, *_: object) -> None: ...

    def asserted(self, *_: object) -> str:
        return ""

    def person(self, *_: object) -> Caller:
        return self._who

    def visitor(self, _: str | None) -> Caller:
        return self._who

    def of(self, path: str = "") -> str:
        """The address of the laboratory's execution, or of what is below it."""
        return f"/executions/{self.lab.id}{path}"


@pytest.fixture
def console(lab: Lab) -> Iterator[Console]:
    """The console of a laboratory with the recipe `welcome` saved."""
    served = Console(lab)
    ports = replace(lab.ports, callers=served)
    with Served(http_server(load_functions(("console",), SOURCE), ports, "127.0.0.1", 0)) as server:
        served.url = f"{server.url}/console"
        yield served


@pytest.fixture
def open_page(console: Console, browser: Browser) -> Iterator[OpenPage]:
    """Open pages of the console; none of them may have broken its policy or failed in a script."""
    contexts, complaints = [], list[str]()

    def listen(message: ConsoleMessage) -> None:
        replaced = message.text.startswith(("htmx:afterRequest", "htmx:sendAbort"))  # by a later request
        if message.type == "error" and not replaced and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def answer(dialog: Dialog) -> None:
        if dialog.type == "beforeunload":  # the form of a campaign asks before it is left
            dialog.accept()
        else:
            complaints.append(f"a dialog opened: {dialog.message}")

    def open_page(path: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", answer)
        page.goto(f"{console.url}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
