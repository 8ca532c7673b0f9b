"""Every number that people and programs read equals a count of the receipts' rows: people and messages, by reason."""

import csv
import html
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.push.outcomes import Outcome
from functions.handlers.console.words import reason_word
from functions.ports.executions import ExecutionSearch
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.reports.receipt import export
from functions.usecases.timeline.control import cancel, stop
from local.embedded.outbox import OutcomeScript
from tests.examples import examples
from tests.factories import push, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Page, Visitor

MINUTE = timedelta(minutes=1)
END = 40
NONE = "\N{EN DASH}"
PEOPLE = range(6)
OUTCOMES = (Outcome.SENT, Outcome.BAD_MESSAGE, Outcome.UNKNOWN, Outcome.DEAD_TOKEN)


@dataclass(frozen=True)
class Counted:
    """An execution's receipt, counted."""

    execution: Execution
    rows: tuple[tuple[int, str, str, str], ...]

    def messages(self, outcome: str = "", push: int = 0) -> int:
        return sum(push in (0, row[0]) and outcome in ("", row[2]) for row in self.rows)

    def people(self, outcome: str = "") -> int:
        return len({row[1] for row in self.rows if outcome in ("", row[2])})

    def withheld(self, push: int = 0) -> dict[str, int]:
        return dict(Counter(row[3] for row in self.rows if row[2] == "excluded" and push in (0, row[0])))

    def numbers(self, push: int = 0) -> dict[str, Any]:
        """The numbers under the names of the API."""
        return {
            "audienceSize": self.messages(push=push),
            "sent": self.messages("sent", push),
            "failed": self.messages("failed", push),
            "unknown": self.messages("unknown", push),
            "excluded": self.withheld(push),
            "notReached": self.messages("not_reached", push),
        }

    @property
    def cells(self) -> list[dict[str, str]]:
        """The cells of the page's table: one row for each push, and one for all if there are several."""
        pushes = len(self.execution.recipe["pushSequence"])
        return [self._cells(each) for each in (*range(1, pushes + 1), *([0] if pushes > 1 else []))]

    def _cells(self, push: int) -> dict[str, str]:
        found = self.numbers(push)
        rest = "Not reached" if self.execution.state.final else "Waiting"
        counts = {
            "Audience": found["audienceSize"],
            "Sent": found["sent"],
            "Failed": found["failed"],
            "Unknown": found["unknown"],
            "Withheld": sum(found["excluded"].values()),
            rest: found["notReached"],
        }
        if self.execution.kind is Kind.TEST:
            return {name: str(number) if name == "Audience" else NONE for name, number in counts.items()}
        return {name: str(number) for name, number in counts.items()}


campaigns = st.lists(
    st.fixed_dictionaries(
        {
            "pushes": st.lists(st.sampled_from([1, 2, 3, 3]), min_size=1, max_size=3),
            "minute": st.sampled_from([0, 0, 3, 7]),
            "blocked": st.sampled_from([False, False, False, True]),
        }
    ),
    min_size=1,
    max_size=3,
)
deeds = st.lists(
    st.tuples(st.sampled_from(["cancel", "stop", "test"]), st.integers(0, 2), st.integers(-28, 16)), max_size=3
)
audiences = st.fixed_dictionaries({name: st.sets(st.sampled_from(PEOPLE), max_size=5).map(sorted) for name in "abc"})


@pytest.mark.slow
@examples(
    40, few=3, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    written=campaigns,
    audience=audiences,
    outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=len(PEOPLE), max_size=len(PEOPLE)),
    without_token=st.sets(st.sampled_from(PEOPLE), max_size=2).map(sorted),
    done=deeds,
    looks=st.sets(st.integers(-25, 15), max_size=2),
)
def test_every_number_is_a_count_of_the_receipts(
    make_lab: Callable[..., Lab],
    written: list[dict[str, Any]],
    audience: dict[str, list[int]],
    outcomes: list[Outcome],
    without_token: list[int],
    done: list[tuple[str, int, int]],
    looks: set[int],
) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(each): outcomes[each] for each in PEOPLE}))
    lab.write_users(audience, without_token=without_token)
    for number, campaign in enumerate(written):
        lab.save(_campaign(number, **campaign))
    try:
        for minute in sorted({*looks, *(at for _, _, at in done), END}):
            lab.run_to(SEND_AT + minute * MINUTE)
            for deed, number, at in done:
                if at == minute and number < len(written):
                    _do(lab, deed, f"c{number}")
            if minute in looks or minute == END:
                _compare(lab)
    finally:
        lab.close()


def _campaign(number: int, *, pushes: list[int], minute: int, blocked: bool) -> dict[str, Any]:
    at = SEND_AT + minute * MINUTE
    return recipe(
        id=f"c{number}",
        name=f"Campaign {number}",
        schedule={"timezone": "UTC", "frequency": "daily", "executionTime": f"{at:%H:%M}"},
        pushSequence=[push(order, layerId=layer) for order, layer in enumerate(pushes, 1)],
        **({"settings__safeguards__maxAudienceSize": 1} if blocked else {}),
    )


def _do(lab: Lab, deed: str, recipe_id: str) -> None:
    with suppress(NotPossible):
        if deed == "test":
            start_by_hand(lab.ports, recipe_id, Kind.TEST, lab.clock.now())
            return
        for each in lab.ports.executions.unfinished():
            if each.recipe_id == recipe_id and not each.state.final:
                (cancel if deed == "cancel" else stop)(lab.ports, each.id, "wrong price")


def _compare(lab: Lab) -> None:
    visitor, api = Visitor(lambda: lab.ports), ApiClient(lambda: lab.ports)
    found = [_counted(lab, each) for each in lab.ports.executions.search(ExecutionSearch(), most=99)]
    for each in found:
        _compare_api(api, each)
        _compare_page(visitor, each)
        _compare_lists(visitor, each)
    _compare_push_logs(api, found)
    _compare_overview(visitor, api, found)
    _compare_alerts(lab, found)


def _counted(lab: Lab, execution: Execution) -> Counted:
    text = b"".join(export(lab.ports, execution)).decode()
    rows = [
        (int(row["push"]), row["user_id"], row["outcome"], row["reason"]) for row in csv.DictReader(io.StringIO(text))
    ]
    return Counted(execution, tuple(rows))


def _compare_api(api: ApiClient, each: Counted) -> None:
    place = f"/api/automation/{each.execution.recipe_id}"
    detail = api.data("GET", f"{place}/executions/{each.execution.id}")
    expected = each.numbers()
    assert {name: detail["totals"][name] for name in expected} == expected
    for shown in detail["pushes"]:
        of_push = each.numbers(shown["order"])
        assert {name: shown[name] for name in of_push} == of_push
    reached = expected["audienceSize"] - expected["notReached"]
    assert (detail["progress"]["reached"], detail["progress"]["audienceSize"]) == (reached, expected["audienceSize"])
    assert detail["people"] in (None, each.people())
    assert detail["peopleReached"] in (None, each.people("sent"))
    [listed] = [one for one in api.data("GET", f"{place}/history") if one["executionId"] == each.execution.id]
    assert (listed["totals"] is not None) == each.execution.cleaned
    if listed["totals"]:
        assert {name: listed["totals"][name] for name in expected} == expected
        assert listed["people"] in (None, each.people())  # not counted if a safeguard blocked it before
        assert listed["peopleReached"] == each.people("sent")


def _compare_push_logs(api: ApiClient, found: list[Counted]) -> None:
    by_id = {each.execution.id: each for each in found}
    for shown in api.data("GET", "/api/push-logs?limit=50"):
        expected = by_id[shown["executionId"]].numbers(shown["order"])
        assert {name: shown[name] for name in expected} == expected


def _compare_page(visitor: Visitor, each: Counted) -> None:
    written = visitor.open("GET", f"/executions/{each.execution.id}").text
    text = Page(written).text
    shown = [{name: value for name, value in cells.items() if name != "Tests"} for cells in _tables(written)]
    if each.execution.kind is Kind.TEST:
        assert shown == []  # the page says who got it
    elif each.execution.people is not None or each.execution.state.final:
        assert shown == each.cells
    else:  # nothing is built yet
        assert {value for cells in shown for value in cells.values()} == {NONE}
    for reason, number in each.withheld().items():
        assert f"{reason_word(reason)} {number} " in text
    if each.execution.kind is Kind.TEST:
        return
    for people, of in re.findall(r"([\d,]+) of ([\d,]+) (?:person|people) (?:reached|received)", text):
        assert (int(people), int(of)) == (each.people("sent"), each.people())
    for sent, of in re.findall(r"([\d,]+) of ([\d,]+) messages? sent", text):
        assert (int(sent), int(of)) == (each.messages("sent"), each.messages())
    for sent in re.findall(r"([\d,]+) (?:person has|people have) received it so far", text):
        assert int(sent) == each.people("sent")
    _compare_dialog(visitor, each)


def _compare_dialog(visitor: Visitor, each: Counted) -> None:
    response = visitor.open("GET", f"/executions/{each.execution.id}/confirm")
    if response.status_code != 200:  # it is over
        return
    text = Page(response.text).text
    for people in re.findall(r"receives the push: ([\d,]+) (?:person|people)", text):
        assert int(people) == each.people()
    for messages in re.findall(r"([\d,]+) messages? in", text):
        assert int(messages) == each.messages()
    for sent, waiting in re.findall(
        r"([\d,]+) (?:message was|messages were) sent so far, and the ([\d,]+) that", text
    ):
        assert (int(sent), int(waiting)) == (each.messages("sent"), each.messages("not_reached"))


def _compare_lists(visitor: Visitor, each: Counted) -> None:
    """Compare the line of a send in the list of all sends and on its campaign's page."""
    for path in ("/executions", f"/recipes/{each.execution.recipe_id}"):
        written = visitor.open("GET", path).text
        [line] = [row for row in re.findall(r"<tr>.*?</tr>", written, re.DOTALL) if f'/{each.execution.id}"' in row]
        [cells] = _tables(line)
        shown = {name: value for name, value in cells.items() if value != NONE}
        expected = {
            "People": each.people(),
            "Reached": each.people("sent"),
            "People reached": each.people("sent"),
            "Messages": each.messages(),
            "Messages sent": each.messages("sent"),
            "Messages failed": each.messages("failed"),
        }
        assert shown == {name: str(number) for name, number in expected.items() if name in shown}
        counted = each.execution.cleaned or each.execution.state is State.LIVE
        assert ("Messages sent" in shown) == (counted and each.execution.kind is not Kind.TEST)


def _compare_overview(visitor: Visitor, api: ApiClient, found: list[Counted]) -> None:
    states = Counter(each.execution.state.value for each in found)
    overview = api.data("GET", "/api/automation/monitor?type=overview")
    [overview] = overview if isinstance(overview, list) else [overview]
    assert overview["executions"] == len(found)
    assert {state: number for state, number in overview["byStatus"].items() if number} == states
    written = visitor.open("GET", "/").text
    text = Page(written).text
    for each in found:
        if not each.execution.state.final and each.execution.state is State.LIVE:
            sent = each.messages("sent")
            assert (
                f"{sent} of {each.messages()} message" in text
                or f"{sent} {'person has' if sent == 1 else 'people have'}" in text
                or f"{sent} of {each.people()} p" in text
            )
    counted = [
        each
        for each in found
        if each.execution.kind is not Kind.TEST and (each.execution.went_live or each.execution.state.final)
    ]
    live = [each for each in counted if each.execution.went_live]
    expected = {
        "Sends": len(counted),
        "People reached": sum(each.people("sent") for each in live if each.execution.cleaned),
        "Messages sent": sum(each.messages("sent") for each in live),
        "Failed": sum(each.messages("failed") for each in live),
        "Delivery unknown": sum(each.messages("unknown") for each in live),
        "Not sent": sum(each.messages("not_reached") for each in live),
    }
    shown = {name: int(value) for name, value in re.findall(r"<dt>([^<]+)</dt><dd><a [^>]+>([\d,]+)</a>", written)}
    assert shown == (
        {name: value for name, value in expected.items() if value or name != "Not sent"} if counted else {}
    )
    withheld = sum((Counter(each.withheld()) for each in live), Counter[str]())
    for reason, number in withheld.items():
        assert f'<dt>{html.escape(reason_word(reason))}</dt><dd><span class="num">{number}</span>' in written
    by_state = Counter(each.execution.state.value for each in counted)
    listed = re.findall(r"state=(\w+)\">(\d+) ", written)
    assert {state: int(number) for state, number in listed} == by_state


def _compare_alerts(lab: Lab, found: list[Counted]) -> None:
    """Compare the sentences about ended executions."""
    told = lab.state / "alerts.jsonl"
    by_id = {each.execution.id: each for each in found}
    for alert in map(json.loads, told.read_text(encoding="utf-8").splitlines() if told.exists() else []):
        if alert.get("kind") != "finished":
            continue
        each, message = by_id[alert["executionId"]], alert["message"]
        expected = each.numbers()
        for word in ("sent", "failed", "unknown"):
            assert re.search(rf"\b{expected[word]} {word}\b", message), message
        assert f" {expected['notReached']} not reached" in message
        for reason, number in expected["excluded"].items():
            assert f"{number} {reason.replace('_', ' ')}" in message
        for reached in re.findall(r"; (\d+) users? got", message):
            assert int(reached) == each.people("sent")


def _tables(written: str) -> list[dict[str, str]]:
    """Return the cells of numbers of each row, by their labels."""
    rows = re.findall(r"<tr\b.*?</tr>", written, re.DOTALL)
    cells = [re.findall(r'<td class="num[^"]*" data-label="([^"]+)">(.*?)</td>', row, re.DOTALL) for row in rows]
    share = r"<span[^>]*>[^<]*%</span>"
    return [{name: re.sub(rf"{share}|<[^>]+>", "", value).strip() for name, value in row} for row in cells if row]
