"""Every number that people and programs read equals a count of the receipts' rows: people and messages, by reason."""

import csv
import html
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from audience_jobs.workspace import Workspace, open_workspace
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
from tests.functional.conftest import SEND_AT, Lab, lab_tables
from tests.functional.console.visitor import SAME_SITE, Page, Visitor, path_of
from tests.functional.dry_run_counts import INVALID, People, Tried

MINUTE = timedelta(minutes=1)
END = 40
NONE = "\N{EN DASH}"
PEOPLE = range(6)
STRANGER = 99
"""Of an uploaded list: the user data do not know this user."""
RULES = """
name = "lab"

[layers]
1 = { name = "Moments", exempt = true }
2 = "Products"
3 = "Behaviour"

[cadence.layer_3_cooldown]
layers = [3]
hours = 72
reason = "layer_3_cooldown"

[cadence.combined_l2_l3_limit]
layers = [2, 3]
hours = 168
count = 3
reason = "combined_l2_l3_limit"
"""
WISHES = """
[wishes.columns]
user_id = "id"
topic = "text"
"""
MODELS = {
    "people": "SELECT id AS user_id, bio AS nickname FROM users",
    "devices": "SELECT user_id, token, platform, updated_at FROM devices",
    "opt_outs": "SELECT user_id, topic FROM wishes",
}
SEND, TRY = "/api/send-push", "/api/automation/test"
WORDS_OF_COUNTS = {
    "duplicate_user_id": "Duplicates",
    "invalid_user_id": "Invalid IDs",
    "no_token": "Without a device",
    "dead_token": "App uninstalled",
    "opted_out": "Opted out",
}
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
            "topic": st.sampled_from(["", "news"]),
        }
    ),
    min_size=1,
    max_size=3,
)
deeds = st.lists(
    st.tuples(st.sampled_from(["cancel", "stop", "test", "once"]), st.integers(0, 2), st.integers(-28, 16)),
    max_size=3,
)
opt_outs = st.dictionaries(
    st.sampled_from(PEOPLE), st.lists(st.sampled_from(["", "news", "tips"]), min_size=1, max_size=2), max_size=3
)
uploads = st.lists(st.sampled_from([*PEOPLE, *PEOPLE, STRANGER, None]), min_size=1, max_size=6)
audiences = st.fixed_dictionaries({name: st.sets(st.sampled_from(PEOPLE), max_size=5).map(sorted) for name in "abc"})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace that knows who opted out of what, with rules like those of the marketplace."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "models").mkdir()
    (folder / "tminus.toml").write_text(RULES, encoding="utf-8")
    (folder / "tables.toml").write_text(f"{lab_tables()}{WISHES}", encoding="utf-8")
    for name, sql in MODELS.items():
        (folder / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
    return open_workspace(folder)


@pytest.mark.slow
@examples(
    25, few=3, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    written=campaigns,
    audience=audiences,
    outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=len(PEOPLE), max_size=len(PEOPLE)),
    without_token=st.sets(st.sampled_from(PEOPLE), max_size=2).map(sorted),
    opted_out=opt_outs,
    listed=uploads,
    done=deeds,
    looks=st.sets(st.integers(-25, 15), max_size=2),
)
def test_every_number_is_a_count_of_the_receipts(
    make_lab: Callable[..., Lab],
    workspace: Workspace,
    written: list[dict[str, Any]],
    audience: dict[str, list[int]],
    outcomes: list[Outcome],
    without_token: list[int],
    opted_out: dict[int, list[str]],
    listed: list[int | None],
    done: list[tuple[str, int, int]],
    looks: set[int],
) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(each): outcomes[each] for each in PEOPLE}))
    lab.write_users(audience, without_token=without_token)
    wishes = [(user(number), topic) for number, topics in opted_out.items() for topic in topics]
    lab.write_table("wishes", ("user_id", "topic"), wishes)
    lab.workspace = workspace
    lab.restart()
    people, ids = (
        People(audience, without_token, opted_out),
        [INVALID if each is None else user(each) for each in listed],
    )
    for number, campaign in enumerate(written):
        lab.save(_campaign(number, **campaign))
    try:
        for minute in sorted({*looks, *(at for _, _, at in done), END}):
            lab.run_to(SEND_AT + minute * MINUTE)
            for deed, number, at in done:
                if at == minute and number < len(written):
                    _do(lab, deed, f"c{number}", ids)
            if minute in looks or minute == END:
                found = _compare(lab)
            if minute == max(looks, default=END):
                _compare_dry_runs(lab, _now(people, found, outcomes), written, minute % len(written), ids)
    finally:
        lab.close()


def _campaign(number: int, *, pushes: list[int], minute: int, blocked: bool, topic: str) -> dict[str, Any]:
    at = SEND_AT + minute * MINUTE
    return recipe(
        id=f"c{number}",
        name=f"Campaign {number}",
        topic=topic,
        schedule={"timezone": "UTC", "frequency": "daily", "executionTime": f"{at:%H:%M}"},
        pushSequence=[push(order, layerId=layer) for order, layer in enumerate(pushes, 1)],
        **({"settings__safeguards__maxAudienceSize": 1} if blocked else {}),
    )


def _do(lab: Lab, deed: str, recipe_id: str, ids: Sequence[str]) -> None:
    with suppress(NotPossible):
        if deed == "once":
            api = ApiClient(lambda: lab.ports)
            assert api("POST", SEND, data=_push_to(ids, layer=_layer_of_once(recipe_id))).status_code == 202
            return
        if deed == "test":
            start_by_hand(lab.ports, recipe_id, Kind.TEST, lab.clock.now())
            return
        for each in lab.ports.executions.unfinished():
            if each.recipe_id == recipe_id and not each.state.final:
                (cancel if deed == "cancel" else stop)(lab.ports, each.id, "wrong price")


def _push_to(ids: Sequence[str], *, layer: int, **more: str) -> dict[str, Any]:
    """The form of a push to the users in a file."""
    return {"title": "Hi", "body": "There", "layerId": str(layer), **more, "file": (_file(ids), "people.csv")}


def _file(ids: Sequence[str]) -> io.BytesIO:
    return io.BytesIO("\n".join(["user_id", *ids, ""]).encode())


def _layer_of_once(recipe_id: str) -> int:
    return 1 + int(recipe_id[1:])


def _compare(lab: Lab) -> list[Counted]:
    visitor, api = Visitor(lambda: lab.ports), ApiClient(lambda: lab.ports)
    found = [_counted(lab, each) for each in lab.ports.executions.search(ExecutionSearch(), most=99)]
    for each in found:
        _compare_api(api, each)
        _compare_page(visitor, each)
        _compare_lists(visitor, each)
    _compare_push_logs(api, found)
    _compare_overview(visitor, api, found)
    _compare_alerts(lab, found)
    return found


def _now(people: People, found: Sequence[Counted], outcomes: Sequence[Outcome]) -> People:
    """Return the people with what the receipts say about them."""
    dead, got = set[str](), defaultdict[str, list[int]](list)
    for each in found:
        layers = [push["layerId"] for push in each.execution.recipe["pushSequence"]]
        for number, user_id, outcome, _ in each.rows:
            if outcome in ("sent", "unknown") and each.execution.kind is not Kind.TEST:
                got[user_id].append(layers[number - 1])
            if outcome == "failed" and outcomes[PEOPLE.index(int(user_id[-12:]))] is Outcome.DEAD_TOKEN:
                dead.add(user_id)
    return replace(people, dead=frozenset(dead), got=got)


def _compare_dry_runs(
    lab: Lab, people: People, written: Sequence[Mapping[str, Any]], number: int, ids: Sequence[str]
) -> None:
    visitor, api = Visitor(lambda: lab.ports), ApiClient(lambda: lab.ports)
    campaign, layer = written[number], _layer_of_once(f"c{number}")
    audiences = [[user(each) for each in people.audiences[name]] for name in "abc"]
    tried = people.tries(zip(campaign["pushes"], audiences, strict=False), campaign["topic"])
    _compare_api_dry_run(api.data("GET", f"{TRY}/c{number}?mode=real-dry-run"), tried)
    _compare_message_of_dry_run(api, number, tried)
    form = visitor.get(f"/recipes/c{number}/run").form(f"/recipes/c{number}/run")
    shown = visitor.post(f"/recipes/c{number}/run", {**form.fields, "mode": "real-dry-run"}, status=200)
    _compare_preview(Page(shown.text).text, tried)
    lab.save({**_campaign(number, **campaign), "id": "draft", "status": "draft"})
    _compare_review(visitor.open("GET", "/recipes/draft/review/check").text, tried)
    _compare_api_dry_run(
        api.data("POST", SEND, data=_push_to(ids, layer=layer, dryRun="true")), once := people.tries([(layer, ids)])
    )
    _compare_list(visitor, people.tries([(1, ids)]), once, ids, layer)


def _compare_api_dry_run(shown: Mapping[str, Any], tried: Tried) -> None:
    expected = tried.totals()
    assert {name: shown["totals"][name] for name in expected} == expected
    assert len(shown["pushes"]) == len(tried.pushes)
    for each, wanted in zip(shown["pushes"], tried.pushes, strict=True):
        assert (each["audienceSize"], each["eligible"]) == (wanted.size, len(wanted.eligible))
        assert (each["messages"], each["excluded"]) == (len(wanted.eligible), wanted.excluded)
        assert each["withoutToken"] == wanted.excluded.get("no_token", 0)
        assert sum(text["messages"] for text in each["variations"]) == len(wanted.eligible)
    _compare_problems(shown["problems"], tried)


def _compare_problems(problems: Sequence[Mapping[str, str]], tried: Tried) -> None:
    """Compare the sentences that say why a push, or nothing at all, reaches anyone."""
    said = (
        r"(?:push (\d+) reaches no user|no user would get anything): .*?(?:all ([\d,]+) users|only user).*?\((.*?)\)"
    )
    for order, users, reasons in (found for each in problems for found in re.findall(said, each["message"])):
        by_reason = reasons.removesuffix(", counted for each push").split(", ")
        counted = {name: int(count) for count, name in map(str.split, by_reason)}
        if order:
            wanted = tried.pushes[int(order) - 1]
            assert (int(users or 1), counted) == (wanted.size, wanted.excluded)
        else:
            assert (int(users or 1), counted) == (tried.people, tried.excluded)


def _compare_message_of_dry_run(api: ApiClient, number: int, tried: Tried) -> None:
    message = json.loads(api("GET", f"{TRY}/c{number}?mode=real-dry-run").text)["message"]
    for people, of, messages in re.findall(r"([\d,]+) of ([\d,]+) users would get ([\d,]+) messages", message):
        assert (int(people), int(of), int(messages)) == (tried.eligible_people, tried.people, tried.messages)


def _compare_preview(text: str, tried: Tried) -> None:
    """Compare the page of a campaign's dry run."""
    [(people, of)] = re.findall(r"([\d,]+) of ([\d,]+) (?:person|people) would (?:get|qualify)", text)
    assert (int(people), int(of)) == (tried.eligible_people, tried.people)
    for messages in re.findall(r"would get ([\d,]+) messages?", text):
        assert int(messages) == tried.messages
    lines = re.findall(
        r"layer \d ([\d,]+) of ([\d,]+) (?:person|people)((?: · [^·]*?)*?) · (?:one|[\d,]+ different) text", text
    )
    assert [(int(people), int(of)) for people, of, _ in lines] == [
        (len(push.eligible), push.size) for push in tried.pushes
    ]
    for (_, _, reasons), wanted in zip(lines, tried.pushes, strict=True):
        shown = dict(each.rsplit(" ", 1) for each in reasons.split(" · ")[1:])
        assert shown == {reason_word(reason): str(count) for reason, count in wanted.excluded.items()}


def _compare_review(written: str, tried: Tried) -> None:
    """Compare the review before a campaign becomes active."""
    text = Page(written).text
    assert re.findall(r"([\d,]+) (?:person|people) would receive it now", text) == [str(tried.eligible_people)]
    assert re.findall(r"([\d,]+) messages? to their devices", text) == [str(tried.messages)]
    assert re.findall(r"The audience holds ([\d,]+) (?:person|people)", text) == [str(tried.people)]
    shown = dict(_reasons(written))
    assert shown == {reason_word(reason): str(count) for reason, count in tried.excluded.items()}
    pushes = re.findall(r"Push \d (?:at the send time|\d+ min later) · ([\d,]+) (?:person|people)", text)
    assert [int(each) for each in pushes] == [len(push.eligible) for push in tried.pushes]


def _compare_list(visitor: Visitor, uncapped: Tried, tried: Tried, ids: Sequence[str], layer: int) -> None:
    """Compare the counts of an uploaded list, and the review of a push to it."""
    form = visitor.get("/send").form("/send")
    data = {"csrf": form.fields["csrf"][0], "file": (_file(ids), "people.csv")}
    path = path_of(visitor.open("POST", "/send", data=data, headers=SAME_SITE))
    counts = visitor.open("GET", f"{path}/counts?id_column=user_id").text
    assert f"{uncapped.messages} of {uncapped.size} row" in Page(counts).text
    excluded = {WORDS_OF_COUNTS[name]: str(count) for name, count in uncapped.excluded.items()}
    assert {name: count for name, count in _reasons(counts) if count != "0"} == excluded
    message = {"title": "Hi", "body": "There", "layerId": str(layer), "name": "Once"}
    review = visitor.send(path, f"{path}/review", message, status=200).text
    assert re.findall(r"([\d,]+) (?:person|people) of ([\d,]+) row", Page(review).text) == [
        (str(tried.eligible_people), str(tried.size))
    ]
    assert dict(_reasons(review)) == {reason_word(reason): str(count) for reason, count in tried.excluded.items()}
    for typed in re.findall(r"Type ([\d,]+) to confirm", Page(review).text):
        assert int(typed) == tried.eligible_people


def _reasons(written: str) -> Iterator[tuple[str, str]]:
    """Yield the words and the number of each reason in the lists of reasons of a page."""
    for listed in re.findall(r'<dl class="reasons">(.*?)</dl>', written, re.DOTALL):
        for word, number in re.findall(r"<dt>(.*?)</dt><dd[^>]*>(?:<span[^>]*>)?([\d,]+)<", listed):
            yield html.unescape(word), number


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
    for of in re.findall(
        r"([\d,]+) (?:person|people)(?:, [\d,]+ messages? in [\d,]+ pushes)?, before exclusions", text
    ):
        assert int(of) == each.people()
    for rows in re.findall(r"(?:a|b|c|default|uploaded), ([\d,]+) rows?\b", text):
        assert int(rows) in {each.messages(push=order) for order in (1, 2, 3)}
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
    """Compare the line of a send in the list of all sends and on its campaign's page, if it has one."""
    campaign = () if each.execution.kind is Kind.ONE_OFF else (f"/recipes/{each.execution.recipe_id}",)
    for path in ("/executions", *campaign):
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
        each = by_id.get(alert.get("executionId"))
        for people in re.findall(r"(?:audiences are ready:|: of) (\d+) users?\b", alert.get("message", "")):
            assert each is not None
            assert int(people) == each.people()
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
