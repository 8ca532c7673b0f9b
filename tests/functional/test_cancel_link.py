"""The cancel link of an alert in browsers: looking cancels nothing, pressing the button does, once, until T-0."""

import base64
import hashlib
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from functions import bootstrap
from functions.domain.alerts.cancel_link import make_token
from functions.domain.errors import Transient
from functions.domain.execution.execution import State
from functions.domain.policy import AlertPolicy
from functions.usecases.timeline.control import cancel, stop
from local.embedded.callers import LocalCallers
from local.runtime.functions import load_functions
from local.runtime.serving import SOURCE
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab

pytestmark = pytest.mark.slow

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
SECRETS = ("n" * 32, "o" * 32)
TOKEN = make_token(SECRETS, Lab.id, SEND_AT)
BUTTON = '<button type="submit">Cancel this send</button>'
_app = load_functions(["console"], SOURCE)["console"]


class Browser:
    """Opens addresses of the console."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def ask(self, method: str, path: str = f"/cancel/{TOKEN}", **options: Any) -> TestResponse:
        with bootstrap.bind(self.lab.ports):
            return Client(_app).open(path, method=method, **options)

    def look(self) -> TestResponse:
        return self.ask("GET")

    def press(self) -> TestResponse:
        return self.ask("POST")


@pytest.fixture
def browser(make_lab: Callable[..., Lab]) -> Browser:
    lab = make_lab(alerts=AlertPolicy(console_url="https://console.example", link_secrets=SECRETS))
    lab.save(recipe(schedule__timezone="America/New_York", schedule__executionTime="13:30", name="<b>Shoes</b> & 👟"))
    return Browser(lab)


def title(response: TestResponse) -> str:
    return response.text.partition("<h1>")[2].partition("</h1>")[0]


def test_looking_asks_and_changes_nothing_however_often(browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - 20 * MINUTE)
    for _ in range(3):
        response = browser.look()
        assert (response.status_code, title(response)) == (200, "Cancel this send?")
        assert BUTTON in response.text
        assert browser.ask("HEAD").status_code == 200
    assert "Mon 2026-03-02 13:30 America/New_York" in response.text
    assert "in 20 minutes unless" in response.text
    browser.lab.run_to_the_end()
    assert browser.lab.execution().state is State.COMPLETED


def test_the_button_cancels_and_no_message_is_sent(browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - SECOND)
    response = browser.press()
    assert (response.status_code, title(response)) == (200, "The send is cancelled")
    assert BUTTON not in response.text
    browser.lab.run_to_the_end()
    assert browser.lab.report()["reason"] == "the cancel link of an alert was used"
    assert browser.lab.outbox(test=False) == []


@pytest.mark.long
def test_a_link_that_was_used_says_so_and_does_nothing(browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - 20 * MINUTE)
    browser.press()
    for response in (browser.look(), browser.press()):
        assert (response.status_code, title(response)) == (410, "The send was cancelled already")
        assert BUTTON not in response.text


@pytest.mark.long
def test_two_browsers_at_once_cancel_once(browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - 20 * MINUTE)
    answers: list[int] = []
    together = threading.Barrier(8)

    def press() -> None:
        together.wait()
        answers.append(browser.press().status_code)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answers).keys() <= {200, 410}
    assert 200 in answers
    log = [entry.message for entry in browser.lab.ports.logs.of(browser.lab.id)]
    assert sum(line.startswith("cancelled:") for line in log) == 1


def test_at_t0_the_link_has_expired_and_the_send_goes_out(browser: Browser) -> None:
    browser.lab.run_to(SEND_AT, inclusive=False)
    browser.lab.clock.advance_to(SEND_AT)
    response = browser.press()
    assert (response.status_code, title(response)) == (410, "This link has expired")
    browser.lab.run_to_the_end()
    assert len(browser.lab.outbox(test=False)) == 9


@pytest.mark.long
def test_a_cancel_that_loses_the_race_against_the_live_start_offers_the_stop(browser: Browser) -> None:
    browser.lab.run_to(SEND_AT)
    for response in (browser.look(), browser.press()):
        assert (response.status_code, title(response)) == (409, "Too late: the send is live")
    assert browser.lab.execution().state is State.LIVE


@pytest.mark.long
def test_a_checkpoint_that_is_faster_than_the_button_wins(browser: Browser) -> None:
    """The page was open and the button pressed in time; between looking and cancelling, the execution goes live."""
    browser.lab.run_to(SEND_AT - SECOND)
    executions = browser.lab.ports.executions

    class LiveFirst:
        def __getattr__(self, name: str) -> Any:
            if name == "change":
                browser.lab.run_to(SEND_AT)
            return getattr(executions, name)

    browser.lab.ports = replace(browser.lab.ports, executions=LiveFirst())
    response = browser.press()
    assert (response.status_code, title(response)) == (409, "Too late: the send is live")


@pytest.mark.long
@pytest.mark.parametrize("end", [cancel, stop])
def test_an_execution_that_ended_otherwise_says_how(end: Any, browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - 20 * MINUTE)
    end(browser.lab.ports, browser.lab.id, "wrong <shoes>")
    response = browser.press()
    assert response.status_code == 410
    assert "wrong &lt;shoes&gt;" in response.text


@pytest.mark.long
def test_an_execution_that_is_over_has_nothing_left_to_cancel(browser: Browser) -> None:
    browser.lab.run_to_the_end()
    assert (browser.look().status_code, title(browser.look())) == (410, "There is nothing left to cancel")


def test_an_execution_that_is_gone_has_nothing_left_to_cancel(browser: Browser) -> None:
    assert (browser.press().status_code, title(browser.press())) == (410, "There is nothing left to cancel")


@pytest.mark.parametrize(
    "token",
    ["", "x", TOKEN[:-1], TOKEN + "A", TOKEN.upper(), make_token(["x" * 32], Lab.id, SEND_AT), "%00", "1.a.1.b"],
)
def test_a_forged_link_does_nothing(token: str, browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - 20 * MINUTE)
    response = browser.ask("POST", f"/cancel/{token}")
    assert (response.status_code, title(response)) == (404, "This link does not work")
    assert browser.lab.execution().state is State.TESTED


@pytest.mark.long
def test_a_link_signed_with_the_secret_before_this_one_still_works(browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - 20 * MINUTE)
    old = make_token(SECRETS[1:], Lab.id, SEND_AT)
    assert browser.ask("POST", f"/cancel/{old}").status_code == 200


@pytest.mark.long
def test_without_a_secret_no_link_works(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(SEND_AT - 20 * MINUTE)
    assert Browser(lab).press().status_code == 404


@pytest.mark.long
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(method: str, browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - 20 * MINUTE)
    response = browser.ask(method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, POST"
    assert browser.lab.execution().state is State.TESTED


@pytest.mark.parametrize("path", ["/cancel", "/cancelled/x"])
def test_an_address_without_a_token_is_no_link(path: str, browser: Browser) -> None:
    assert browser.ask("GET", path).status_code == 404


def test_a_store_that_cannot_be_reached_asks_to_load_the_page_again(browser: Browser) -> None:
    class Away:
        def get(self, _: str) -> None:
            raise Transient("Firestore: UNAVAILABLE")

    browser.lab.ports = replace(browser.lab.ports, executions=Away())  # type: ignore[arg-type]
    response = browser.press()
    assert (response.status_code, title(response)) == (503, "That did not work just now")
    assert "Firestore" not in response.text


@pytest.mark.long
def test_a_page_can_load_nothing_be_framed_nowhere_and_does_not_pass_its_address_on(browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - 20 * MINUTE)
    response = browser.look()
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    [style] = re.findall(r"<style>(.*?)</style>", response.text)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    assert "<script" not in response.text
    assert "http" not in response.text
    assert "<b>Shoes" not in response.text
    assert "&lt;b&gt;Shoes&lt;/b&gt; &amp; 👟" in response.text


def test_a_huge_body_is_not_read(browser: Browser) -> None:
    browser.lab.run_to(SEND_AT - 20 * MINUTE)
    assert browser.ask("POST", data=b"x" * 5_000_000).status_code == 200


def test_a_cancel_names_the_visitor_that_a_proxy_asserts(browser: Browser) -> None:
    class Proxied(LocalCallers):
        def asserted(self, assertion: str | None) -> str:
            return "ben@kicks.example" if assertion == "genuine" else ""

    browser.lab.ports = replace(browser.lab.ports, callers=Proxied())
    browser.lab.run_to(SEND_AT - MINUTE)
    assert browser.ask("POST", headers={"X-Goog-IAP-JWT-Assertion": "genuine"}).status_code == 200
    assert browser.lab.execution().reason == "the cancel link of an alert was used by ben@kicks.example"
