"""One-off sends: recipients, repeats, and what is refused."""

import io
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.audience.partition import index
from functions.domain.errors import BadFields, KeyReused
from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Limits
from functions.domain.ids import ONE_OFF, UserIdFormat
from functions.handlers.http.as_json import as_json
from functions.usecases.by_hand.send_once import OneOff, send_once, try_once, users_file
from functions.usecases.by_hand.sort_upload import sort_upload
from functions.usecases.cadence.track import track_notification
from functions.usecases.timeline.control import cancel, stop
from tests.factories import TESTER, executions_of, recipe, user
from tests.functional.conftest import EARLIER, Lab
from tests.functional.crashes import Crash, CrashPoint, shares

MakeLab = Callable[..., Lab]
PARTS = 8
"""Into how many tests the crashes are cut."""


def push(**changes: Any) -> OneOff:
    most = changes.pop("most_users", None)
    written = {"title": "Hi [[var:name|you]]", "body": "b", "deepLink": "https://kicks.example", "layerId": 1}
    return OneOff(written={**written, **changes}, most_users=most)


def csv(*numbers: int, header: str = "user_id,name") -> bytes:
    return "\n".join([header, *(f"{user(number)},Name {number}" for number in numbers)]).encode()


def send(lab: Lab, content: bytes | None = None, key: str = "", **changes: Any) -> Execution:
    source = io.BytesIO(csv(0, 1, 2) if content is None else content)
    return send_once(lab.ports, push(**changes), source, by="ann@example.com", key=key)


def run_out(lab: Lab) -> None:
    lab.run_to(EARLIER + timedelta(hours=1))


def refused(lab: Lab, content: bytes | None = None, **changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(BadFields) as error:
        send(lab, content, **changes)
    assert lab.ports.executions.unfinished() == []
    return [(each.field, each.reason) for each in error.value.errors]


@pytest.fixture
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(default_test_user_ids=(TESTER,))


def test_a_push_goes_to_the_users_of_the_file_a_minute_later_without_a_test(lab: Lab) -> None:
    execution = send(lab, csv(0, 1, 2, 99))
    assert (execution.state, execution.recipe_id) == (State.LAUNCHED, ONE_OFF)
    lab.run_to(EARLIER + timedelta(seconds=59))
    assert lab.outbox() == []
    run_out(lab)
    assert {(message["userId"], message["title"]) for message in lab.outbox(test=False)} == {
        (user(number), f"Hi Name {number}") for number in (0, 1, 2)
    }
    assert lab.outbox(test=True) == []
    report = lab.report(execution.id)
    assert (report["status"], report["violations"]) == ("completed", [])
    assert (report["totals"]["sent"], report["totals"]["excluded"]) == (3, {"no_token": 1})
    assert lab.execution(execution.id).cleaned


def test_users_can_be_named_one_by_one(lab: Lab) -> None:
    source = users_file([user(1), user(2)], lab.ports.policy)
    execution = send_once(lab.ports, push(title="Hi"), source, by="ann@example.com")
    run_out(lab)
    assert {message["userId"] for message in lab.outbox()} == {user(1), user(2)}
    assert lab.report(execution.id)["totals"]["sent"] == 2


@pytest.mark.parametrize("users", [None, [], "x", [user(n) for n in range(6)]])
def test_one_to_five_users_can_be_named(lab: Lab, users: Any) -> None:
    with pytest.raises(BadFields, match="userIds: must be a list of 1 to 5 user ids"):
        users_file(users, lab.ports.policy)


def test_each_user_that_is_none_is_named(lab: Lab) -> None:
    with pytest.raises(BadFields) as error:
        users_file([user(1), "jo", 7], lab.ports.policy)
    assert [each.field for each in error.value.errors] == ["userIds[1]", "userIds[2]"]


def test_a_user_id_of_any_form_is_written_as_it_is(make_lab: MakeLab) -> None:
    lab = make_lab(user_id_format=UserIdFormat.ANY)
    lab.write_devices([('j"o,e', "token")])
    send_once(lab.ports, push(title="Hi"), users_file(['j"o,e'], lab.ports.policy), by="ann@example.com")
    run_out(lab)
    assert [message["userId"] for message in lab.outbox()] == ['j"o,e']


def test_a_file_of_any_order_with_marks_and_quotes_is_sent_as_it_was_meant(lab: Lab) -> None:
    content = (
        f'\ufeffname,user_id\r\n"Jo, ""the\r\nshoe""",{user(0)}\r\nZoë 👟,{user(1)}\r\n'
        f"Again,{user(1).upper()}\r\nX,jo\r\n"
    )
    execution = send(lab, content.encode(), body="For [[var:name]]")
    run_out(lab)
    bodies = {message["userId"]: message["body"] for message in lab.outbox()}
    assert bodies == {user(0): 'For Jo, "the\r\nshoe"', user(1): "For Zoë 👟"}
    assert lab.report(execution.id)["totals"]["excluded"] == {"duplicate_user_id": 1, "invalid_user_id": 1}


def test_under_one_key_a_push_is_sent_once(lab: Lab) -> None:
    first = send(lab, key="k")
    lab.clock.advance_to(EARLIER + timedelta(seconds=30))
    assert send(lab, key="k").id == first.id
    run_out(lab)
    assert send(lab, key="k").id == first.id
    run_out(lab)
    assert len(lab.outbox()) == 3


def test_without_a_key_or_with_another_it_is_another_push(lab: Lab) -> None:
    assert len({send(lab).id, send(lab).id, send(lab, key="a").id, send(lab, key="b").id}) == 4


@pytest.mark.parametrize("changes", [{"title": "Other"}, {"content": csv(0, 1)}])
def test_a_key_stands_for_one_push_to_one_file(lab: Lab, changes: dict[str, Any]) -> None:
    send(lab, key="k")
    with pytest.raises(KeyReused):
        send(lab, key="k", **changes)
    assert len(lab.ports.executions.unfinished()) == 1


def test_the_rows_may_come_in_another_order_under_the_same_key(lab: Lab) -> None:
    assert send(lab, csv(2, 0, 1), key="k").id == send(lab, csv(0, 1, 2), key="k").id


@pytest.mark.long
def test_cadence_holds_for_a_one_off_and_counts_it(lab: Lab) -> None:
    told = {"userId": user(0), "layerId": 3, "sentAt": "2026-03-01T12:00:00Z"}
    track_notification(lab.ports, told)
    first = send(lab, layerId=3)
    run_out(lab)
    assert lab.report(first.id)["totals"]["excluded"] == {"layer_3_cooldown": 1}
    second = send(lab, layerId=3)
    lab.run_to(EARLIER + timedelta(hours=3))
    assert lab.report(second.id)["totals"]["excluded"] == {"layer_3_cooldown": 3}


def test_it_can_be_cancelled_before_it_goes_out_and_stopped_afterwards(make_lab: MakeLab) -> None:
    lab = make_lab(chunk_rows=1)
    early = send(lab)
    cancel(lab.ports, early.id, "a typo")
    late = send(lab)
    stop(lab.ports, late.id, "a typo")
    run_out(lab)
    assert lab.outbox() == []
    assert [lab.report(each.id)["status"] for each in (early, late)] == ["cancelled", "stopped"]


def test_reconciling_leaves_it_alone_although_it_has_no_recipe(lab: Lab) -> None:
    lab.clock.advance_to(EARLIER + timedelta(minutes=4, seconds=30))
    execution = send(lab)
    run_out(lab)
    assert lab.report(execution.id)["status"] == "completed"


@pytest.mark.slow
def test_as_many_executions_as_may_run_at_once_hold_up_the_next(make_lab: MakeLab) -> None:
    lab = make_lab(limits=Limits(executions_at_once=1))
    send(lab)
    second = send(lab)
    assert second.waiting
    run_out(lab)
    assert lab.execution(second.id).state is State.COMPLETED


def test_no_recipe_may_take_its_id(lab: Lab) -> None:
    with pytest.raises(BadFields, match="one-off is reserved for pushes without a recipe"):
        lab.save(recipe(id=ONE_OFF))


def test_a_push_that_cannot_be_sent_names_its_fields(lab: Lab) -> None:
    assert [field for field, _ in refused(lab, title=None, body=7, layerId=9)] == ["title", "body", "layerId"]
    assert refused(lab, deepLink="ftp://x")[0][0] == "deepLink"
    assert refused(lab, title="[[vra:x]]")[0][0] == "title"
    assert refused(lab, body="\ud800")[0][0] == "body"
    assert refused(lab, most_users=0)[0][0] == "maxAudienceSize"
    assert refused(lab, most_users=100_001)[0][0] == "maxAudienceSize"


def test_a_column_that_the_file_lacks_is_named_with_the_field_that_needs_it(lab: Lab) -> None:
    [(field, reason)] = refused(lab, csv(0, header="user_id,nam"))
    assert field == "title"
    assert "did you mean 'nam'?" in reason


def test_a_push_without_recipients_is_refused(lab: Lab) -> None:
    assert refused(lab, title=" ", body="\u200b") == [
        ("title", "is blank, and so is the body: write a title or a body")
    ]
    assert refused(lab, body="b" * 5_000)[0][0] == "body"
    assert "write [[var:name]], or set literalText" in refused(lab, title="Hi {{name}}")[0][1]
    assert refused(lab, deepLink="https://kicks.example/a b")[0][0] == "deepLink"
    with pytest.raises(BadFields, match="looks like a variable of another product"):
        try_once(lab.ports, push(title="Hi {{name}}"), io.BytesIO(csv(0)), by="ann@example.com")


def test_a_push_that_is_meant_literally_is_sent_as_it_is(lab: Lab) -> None:
    send(lab, csv(0), title="Type {{name}}", literalText=True)
    run_out(lab)
    assert [message["title"] for message in lab.outbox()] == ["Type {{name}}"]


def test_a_header_that_no_template_can_name_has_to_be_renamed(lab: Lab) -> None:
    [(field, reason)] = refused(lab, csv(0, header="user_id,First Name"), title="Hi [[var:First_Name]]")
    assert field == "title"
    assert "rename the column 'First Name' to First_Name" in reason
    assert "rename a column such as 'First Name' to First_Name" in refused(lab, title="[[var:First Name]]")[0][1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"user_id\n", "has no users"),
        (b"id\nx\n", "the column user_id is missing"),
        (b"user_id,name\na\nb,c,d\n", "line 2: has 1 fields, the header names 2 columns"),
        (b"user_id,name\n\xff,x\n", "line 2: byte 1 (0xff) is not UTF-8"),
        (b"PK\x03\x04", "is a ZIP archive"),
        (b"user_id," + b",".join(b"c%d" % n for n in range(1_000_000)), "longer than 262,144 bytes"),
    ],
)
def test_a_file_that_is_no_audience_is_refused_and_nothing_is_sent(lab: Lab, content: bytes, reason: str) -> None:
    assert reason in refused(lab, content)[0][1]


def test_more_users_than_may_be_are_refused_unless_that_is_meant(lab: Lab) -> None:
    many = csv(*range(10_001))
    assert "holds more than 10,000 users" in refused(lab, many)[0][1]
    assert send(lab, many, most_users=20_000).state is State.LAUNCHED


def test_a_dry_run_says_what_would_happen_and_sends_nothing(lab: Lab) -> None:
    track_notification(lab.ports, {"userId": user(0), "layerId": 3, "sentAt": "2026-03-01T12:00:00Z"})
    told = try_once(lab.ports, push(layerId=3), io.BytesIO(csv(0, 1, 2, 99)), by="ann@example.com")
    assert (told.valid, as_json(told.totals)) == (
        True,
        {
            "people": 4,
            "eligiblePeople": 2,
            "audienceSize": 4,
            "eligible": 2,
            "messages": 2,
            "excluded": {"no_token": 1, "layer_3_cooldown": 1},
        },
    )
    run_out(lab)
    assert lab.outbox() == []
    assert executions_of(lab.ports, ONE_OFF) == []
    assert not (lab.state / "audiences").exists()
    with pytest.raises(BadFields):
        try_once(lab.ports, push(title="[[var:x]]"), io.BytesIO(csv(0)), by="ann@example.com")


def test_a_file_that_is_sorted_piece_by_piece_is_the_same_as_one_that_is_sorted_at_once(tmp_path: Path) -> None:
    numbers = [*range(500), *range(100)]
    random.Random(5).shuffle(numbers)
    sorted_files = []
    for piece_bytes in (1_000, 1_000_000):
        folder = tmp_path / str(piece_bytes)
        folder.mkdir()
        sorted_files.append(sort_upload(io.BytesIO(csv(*numbers)), folder, most_rows=600, piece_bytes=piece_bytes))
    pieces, whole = sorted_files
    assert (pieces.rows, pieces.columns, pieces.digest) == (600, ("user_id", "name"), whole.digest)
    assert pieces.path.read_bytes() == whole.path.read_bytes()
    with pieces.path.open("rb") as lines:
        assert index(lines, "sorted").row_count == 600


def one_off_with(point: CrashPoint, make_lab: MakeLab) -> tuple[Lab, str]:
    """Ask for a one-off until somebody answers, and run it out, starting the process again wherever it dies."""
    lab = make_lab(chunk_rows=2, wrap=point.wrap)
    answered = ""
    while True:
        try:
            if not answered:
                answered = send(lab, csv(0, 1, 2, 3, 4), key="k", layerId=3).id
            run_out(lab)
        except Crash:
            lab.restart()
        else:
            return lab, answered


@pytest.mark.slow
@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.long), True], ids=["before", "after"])
@pytest.mark.parametrize("part", shares(PARTS))
def test_a_crash_at_any_call_loses_nothing_and_repeats_nothing(part: int, after: bool, make_lab: MakeLab) -> None:
    quiet = CrashPoint(None)
    one_off_with(quiet, make_lab)[0].close()
    places = quiet.ends_of_sites()
    assert len(places) > 40
    for number in places[part::PARTS]:
        lab, execution = one_off_with(CrashPoint(number, after=after), make_lab)
        assert [each.id for each in executions_of(lab.ports, ONE_OFF)] == [execution]
        assert max(Counter(message["token"] for message in lab.outbox()).values()) == 1
        totals = lab.report(execution)["totals"]
        assert totals["sent"] + totals["unknown"] == 5
        assert lab.execution(execution).cleaned
        lab.close()
