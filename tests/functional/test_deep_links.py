"""Deep links as they leave: every way to send or to look at a push renders them alike."""

import io
from datetime import timedelta
from typing import Any

import pytest

from functions.usecases.by_hand.send_once import OneOff, send_once, try_once
from functions.usecases.dry_run.preview import preview
from functions.usecases.dry_run.sample_messages import sample_messages
from functions.usecases.timeline.steps import read_run
from tests.factories import TESTER, push, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import EARLIER, START_AT, Lab
from tests.functional.console.visitor import Visitor

SHOE = "Air Max 90 & Co #1"
LINK = "https://kicks.example/s/[[var:shoe]]?q=[[var:name|a & b]]"
ENCODED = "https://kicks.example/s/Air%20Max%2090%20%26%20Co%20%231?q=a%20%26%20b"
HEADER = "user_id,link"
RUN = "/recipes/welcome/run"


def links(messages: list[dict[str, Any]]) -> set[str]:
    return {message["deepLink"] for message in messages}


def with_link(lab: Lab, link: str, *shoes: str) -> None:
    lab.write_rows([(user(place), shoe, "", "a") for place, shoe in enumerate(shoes)])
    lab.write_devices([(owner, f"token-{owner}") for owner in [*map(user, range(len(shoes))), TESTER]])
    lab.save(recipe(pushSequence=[push(1, deepLink=link, title="Hi")]))


@pytest.mark.long
def test_a_value_is_encoded_in_tests_live_sends_dry_runs_and_samples_alike(lab: Lab) -> None:
    with_link(lab, LINK, SHOE, SHOE)
    lab.run_to(START_AT)
    for test in (True, False):
        found = preview(lab.ports, recipe(pushSequence=[push(1, deepLink=LINK, title="Hi")]), test=test)
        [tried] = found.pushes
        shown = [each.deep_link for each in tried.samples] + [each.deep_link for each in tried.variations]
        assert set(shown) == {ENCODED}
    [sample] = sample_messages(lab.ports, read_run(lab.execution()).recipe, lab.id)
    assert "".join(piece.text for piece in sample.texts["deepLink"]) == ENCODED
    lab.run_to_the_end()
    assert links(lab.outbox(test=True)) == links(lab.outbox(test=False)) == {ENCODED}
    lab.assert_contract()


@pytest.mark.slow
def test_the_api_and_the_console_show_the_link_that_is_sent(lab: Lab) -> None:
    with_link(lab, LINK, SHOE)
    found = ApiClient(lambda: lab.ports).data("GET", "/api/automation/test/welcome?mode=real-dry-run")
    assert found["pushes"][0]["samples"][0]["deepLink"] == ENCODED
    page = Visitor(lambda: lab.ports).send(
        "/recipes/welcome/run", "/recipes/welcome/run", {"mode": "real-dry-run"}, status=200
    )
    assert ENCODED.replace("&", "&amp;") in page.text


def test_a_row_that_would_leave_the_path_is_skipped_and_counted(lab: Lab) -> None:
    with_link(lab, LINK, "..", SHOE, "../admin")
    lab.run_to_the_end()
    assert lab.report()["pushes"][0]["excluded"] == {"bad_link": 1}
    assert lab.report()["pushes"][0]["sent"] == 2
    assert links(lab.outbox(test=True)) == {ENCODED}, "the test push uses a row that can be sent"
    lab.assert_contract()


@pytest.mark.slow
def test_a_one_off_may_take_whole_links_from_its_file_and_skips_those_that_lead_elsewhere(lab: Lab) -> None:
    written = {"title": "Hi", "body": "b", "deepLink": "[[var:link]]", "layerId": 1}
    rows = [f"{user(0)},https://kicks.example/a?b=c%20d", f"{user(1)},javascript:alert(1)", f"{user(2)},"]
    content = "\n".join([HEADER, *rows]).encode()
    tried = try_once(lab.ports, OneOff(written=written), io.BytesIO(content), by="ann@example.com")
    assert tried.pushes[0].excluded == {"bad_link": 1, "missing_variable": 1}
    assert "have a link or image that is not allowed: see ALLOWED_LINKS" in str(tried.problems)
    execution = send_once(lab.ports, OneOff(written=written), io.BytesIO(content), by="ann@example.com")
    lab.run_to(EARLIER + timedelta(hours=1))
    assert links(lab.outbox(test=False)) == {"https://kicks.example/a?b=c%20d"}
    assert lab.report(execution.id)["totals"]["excluded"] == {"bad_link": 1, "missing_variable": 1}
