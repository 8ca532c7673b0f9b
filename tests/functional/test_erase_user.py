"""One user is exported and erased: afterwards no store holds the id, and all numbers still add up."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from functions.domain.audience.dead_tokens import bury
from functions.domain.audience.partition import partition_of
from functions.domain.audit import ERASURES
from functions.domain.errors import BadInput, NotPossible
from functions.domain.ids import UserIdFormat
from functions.domain.person import ERASED, Person
from functions.ports import Ports
from functions.usecases.people.erase_user import Erased, erase_user
from functions.usecases.people.find_user import HeldOfUser, find_user
from functions.usecases.people.testers import add_tester
from functions.usecases.reports.history import notifications_of
from functions.usecases.reports.verify_audit import audit_sentences, verify_audit
from tests.factories import TESTER, push, recipe
from tests.functional.conftest import SEND_AT, Lab

MakeLab = Callable[..., Lab]
ZOE = 'zoë-"straße", 👟-0001'
OTHERS = ("anders-0001", f"{ZOE}2", "=formula-0003", "weiß-nicht-0004")


@pytest.fixture(params=[ZOE, "=Zoë-formula-0009", "FADEAD8E-3C5E-4A1B-9D2F-0123456789AB"])
def zoe(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sent(make_lab: MakeLab, zoe: str, **options: Any) -> Lab:
    """A laboratory after one send that reached the user three times, and tested with the user."""
    lab = make_lab(user_id_format=UserIdFormat.ANY, user_hash_key="k" * 32, **options)
    rows = [(each, f"Shoe of {each}", f"Name {n}", name) for name, ids in _audiences(zoe).items() for n, each in ids]
    lab.write_rows(rows)
    lab.write_devices([(each, f"token-{n}") for n, each in enumerate([zoe, TESTER, *OTHERS])])
    pushes = [push(1, layerId=2), push(2), push(3)]
    named = {"settings": {"testUserIds": [TESTER, zoe]}, "description": f"for {zoe}, and others"}
    lab.save(recipe(pushSequence=pushes, **named))
    lab.run_to_the_end()
    return lab


def _audiences(zoe: str) -> dict[str, list[tuple[int, str]]]:
    others = [each.replace(ZOE, zoe) for each in OTHERS]
    return {"a": [(0, zoe), (1, others[0])], "b": [(0, zoe), (2, others[1])], "c": [(3, others[2]), (0, zoe)]}


def places_with(folder: Path, text: str) -> list[str]:
    """The files of a folder that hold a text, in UTF-8 or escaped as JSON or CSV does, in any case."""
    forms = {text, text.replace('"', '""'), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    wanted = [form.encode().lower() for form in forms]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path.name) for path in files if any(form in _others_out(path, text) for form in wanted))


def _others_out(path: Path, text: str) -> bytes:
    """The bytes of a file in lower case, without another user's id that begins with the same letters."""
    content = path.read_bytes().lower()
    forms = (text, text.replace('"', '""'), json.dumps(text, ensure_ascii=False)[1:-1])
    for form in {f"{each}2".encode().lower() for each in forms}:
        content = content.replace(form, b"")
    return content


@pytest.mark.slow
def test_after_an_erasure_no_byte_of_the_state_holds_the_id(make_lab: MakeLab, zoe: str) -> None:
    lab = sent(make_lab, zoe)
    before = lab.report()
    assert {"outbox.jsonl", f"{lab.id}.csv", "1-a.csv"} <= {*places_with(lab.state, zoe)}
    assert any(name.startswith("tminus.db") for name in places_with(lab.state, zoe))
    erased = erase_user(lab.ports, zoe, by="ana@example.com")
    assert (erased.recipes, erased.executions, erased.messages > 5, erased.ledger_days) == (1, 1, True, 1)
    lab.close()
    assert places_with(lab.state, zoe) == []
    lab.open()
    assert find_user(lab.ports, zoe).empty
    assert lab.report() == before
    lab.assert_contract()
    assert list(audit_sentences(verify_audit(lab.ports))) == []
    assert ERASED in (lab.state / "receipts" / f"{lab.id}.csv").read_text(encoding="utf-8")


def test_an_erased_test_person_goes_with_name_and_address(make_lab: MakeLab) -> None:
    lab = make_lab(user_id_format=UserIdFormat.ANY, user_hash_key="k" * 32)
    lab.write_devices([])
    for name, user_id in (("Zoë Straße", ZOE), ("Ben", OTHERS[0])):
        add_tester(lab.ports, name=name, user_id=user_id, email=f"{name[:3]}@kicks.example", by="ana@example.com")
    assert [each.field for each in find_user(lab.ports, ZOE).test_people] == ["name", "userId", "email"]
    assert erase_user(lab.ports, ZOE, by="ana@example.com").test_people == 1
    assert [each.name for each in lab.ports.testers.all()] == ["Ben"]
    assert places_with(lab.state, "Straße") == []
    assert find_user(lab.ports, ZOE).empty


@pytest.mark.long
def test_the_audit_log_names_an_erased_user_by_a_keyed_hash_and_a_repetition_adds_nothing(make_lab: MakeLab) -> None:
    lab = sent(make_lab, ZOE)
    erase_user(lab.ports, ZOE, by="ana@example.com")
    entries = list(lab.ports.audit.all_of(ERASURES))
    assert entries[-1].after == {"user": Person(ZOE).keyed_hash("k" * 32)}
    assert erase_user(lab.ports, ZOE, by="ana@example.com") == Erased(
        recipes=0,
        executions=0,
        files=0,
        ledger_days=0,
        dead_tokens=0,
        test_people=0,
        messages=0,
        audit_entries=0,
        settings=(),
    )
    assert len(list(lab.ports.audit.all_of(ERASURES))) == len(entries)


@pytest.mark.long
def test_other_users_stay_as_they_were(make_lab: MakeLab) -> None:
    lab = sent(make_lab, ZOE)
    ids = OTHERS
    until = lab.clock.now()
    before = {each: find_user(lab.ports, each) for each in ids}
    history = {each: notifications_of(lab.ports, each, until=until, days=9) for each in ids}
    erase_user(lab.ports, ZOE, by="cli")
    for each in ids:
        found = find_user(lab.ports, each)
        assert (_own(found), found.ledger) == (_own(before[each]), before[each].ledger)
    assert history == {each: notifications_of(lab.ports, each, until=until, days=9) for each in ids}


@pytest.mark.long
def test_test_users_keep_no_values_of_the_erased_user(make_lab: MakeLab) -> None:
    lab = sent(make_lab, ZOE)
    tested = next(row for row in find_user(lab.ports, TESTER).rows if row.file.endswith("2-b-TEST.csv")).row[1]
    [sample] = [each for each in (ZOE, OTHERS[1]) if any(tested in row.row for row in _live_rows(lab, each))]
    erase_user(lab.ports, sample, by="cli")
    left = next(row for row in find_user(lab.ports, TESTER).rows if "2-b-TEST" in row.file).row
    assert left == [TESTER, "", ""]


def _live_rows(lab: Lab, user_id: str) -> list[Any]:
    return [each for each in find_user(lab.ports, user_id).rows if each.file.endswith("2-b.csv")]


def _own(held: HeldOfUser) -> tuple[list[Any], list[Any]]:
    """A user's own rows and messages, not those of another one that name the user."""
    rows = [each.row for each in held.rows if "-TEST." not in each.file]
    return rows, [line for line in held.outbox if line["userId"] == held.user_id]


@pytest.mark.long
def test_an_export_names_every_place(make_lab: MakeLab, zoe: str) -> None:
    lab = sent(make_lab, zoe)
    found = find_user(lab.ports, zoe)
    assert {mention.field for mention in found.recipes} == {"settings.testUserIds[1]", "description"}
    assert {mention.place for mention in found.executions} == {lab.id}
    assert {mention.place for mention in found.audit} >= {"welcome/1"}
    assert [each.push for each in found.ledger] == [f"{lab.id}/1"]
    assert [(each.push, each.test, each.outcome) for each in found.notifications if not each.test] == [
        (number, False, "sent") for number in (3, 2, 1)
    ]
    assert len([line for line in found.outbox if Person(zoe).is_me(str(line["userId"]))]) == 6
    assert {Path(row.file).parent.name for row in found.rows} == {lab.id, "receipts"}


@pytest.mark.long
def test_an_erasure_is_refused_while_an_execution_with_the_user_is_under_way(make_lab: MakeLab) -> None:
    lab = sent(make_lab, ZOE)
    lab.run_to(SEND_AT + timedelta(days=1, minutes=-20))
    with pytest.raises(NotPossible, match="under way with this user"):
        erase_user(lab.ports, ZOE, by="cli")
    assert find_user(lab.ports, ZOE).recipes
    lab.run_to(SEND_AT + timedelta(days=1, hours=2))
    erase_user(lab.ports, ZOE, by="cli")
    assert find_user(lab.ports, ZOE).empty


@pytest.mark.long
def test_an_audience_that_is_just_being_written_refuses_the_erasure_too(make_lab: MakeLab) -> None:
    lab, tomorrow = sent(make_lab, ZOE), SEND_AT + timedelta(days=1, minutes=-30)
    lab.run_to(tomorrow, inclusive=False)
    lab.launch(tomorrow)
    [launched] = lab.ports.executions.unfinished()
    written = lab.folder / "written.csv"
    written.write_text(f"user_id\n{OTHERS[0]}\n")
    lab.ports.files.write_once(f"audiences/{launched.id}/1-a.csv", written)
    with pytest.raises(NotPossible, match="under way with this user"):
        erase_user(lab.ports, OTHERS[0], by="cli")
    erase_user(lab.ports, OTHERS[3], by="cli")
    assert lab.ports.files.find(f"audiences/{launched.id}/1-a.csv") is not None


@pytest.mark.long
def test_a_later_send_reaches_the_user_as_long_as_the_teams_own_tables_have_the_user(make_lab: MakeLab) -> None:
    lab = sent(make_lab, ZOE)
    erase_user(lab.ports, ZOE, by="cli")
    lab.run_to(SEND_AT + timedelta(days=1, hours=2))
    assert [line["push"] for line in lab.outbox(test=False) if line["userId"] == ZOE] == [1, 2, 3]


class _Died(Exception):
    pass


def _calls(target: object, before: Callable[[], None], after: Callable[[], None]) -> Any:
    class Calling:
        def __getattr__(self, name: str) -> Any:
            method = getattr(target, name)

            def call(*args: Any, **named: Any) -> Any:
                before()
                answer = method(*args, **named)
                after()
                return answer

            return call

    return Calling()


CHANGING = ("recipes", "executions", "shards", "files", "ledger", "devices", "audit")


def dying(ports: Ports, at: int, *, lands: bool) -> tuple[Ports, Callable[[], int]]:
    """Ports whose call number `at` kills the process, before it takes effect or after it."""
    made = 0

    def before() -> None:
        nonlocal made
        made += 1
        if made == at and not lands:
            raise _Died

    def after() -> None:
        if made == at and lands:
            raise _Died

    tapped: dict[str, Any] = {name: _calls(getattr(ports, name), before, after) for name in CHANGING}
    return replace(ports, **tapped), lambda: made


@pytest.mark.long
@pytest.mark.parametrize("lands", [True, False])
def test_an_erasure_that_dies_at_any_call_is_finished_by_the_next_one(make_lab: MakeLab, lands: bool) -> None:
    lab, at = sent(make_lab, ZOE), 0
    before = lab.report()
    while True:
        at += 1
        ports, _ = dying(lab.ports, at, lands=lands)
        try:
            erase_user(ports, ZOE, by="cli")
            break
        except _Died:
            assert list(audit_sentences(verify_audit(lab.ports))) == []
    assert at > 50
    lab.restart()
    erase_user(lab.ports, ZOE, by="cli")
    assert find_user(lab.ports, ZOE).empty
    assert lab.report() == before
    lab.close()
    assert places_with(lab.state, ZOE) == []


@pytest.mark.slow
def test_no_log_names_the_user(make_lab: MakeLab, zoe: str, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tminus")
    propagated, logger.propagate = logger.propagate, True
    try:
        with caplog.at_level(logging.DEBUG):
            lab = sent(make_lab, zoe)
            erase_user(lab.ports, zoe, by="cli")
    finally:
        logger.propagate = propagated
    assert zoe.lower() not in caplog.text.lower()


@pytest.mark.slow
def test_dead_tokens_of_the_user_are_counted_and_erased_and_no_others(make_lab: MakeLab) -> None:
    lab = sent(make_lab, ZOE)
    for user_id, token in ((ZOE, "token-0"), (OTHERS[0], "token-2")):
        change = partial(bury, tokens=[token], at=lab.clock.now())
        lab.ports.devices.bury(partition_of(Person(user_id).key), change)
    assert [find_user(lab.ports, each).dead_tokens for each in (ZOE, OTHERS[0])] == [1, 1]
    assert erase_user(lab.ports, ZOE, by="cli").dead_tokens == 1
    assert [find_user(lab.ports, each).dead_tokens for each in (ZOE, OTHERS[0])] == [0, 1]


def test_an_id_that_is_a_word_of_recipes_breaks_none(make_lab: MakeLab) -> None:
    lab = make_lab(user_id_format=UserIdFormat.ANY, user_hash_key="k" * 32)
    lab.save(recipe(description="active"))
    before = lab.ports.recipes.get("welcome")
    assert before is not None
    for word in ("active", "welcome", before["schedule"]["frequency"]):
        erase_user(lab.ports, word, by="cli")
    assert lab.ports.recipes.get("welcome") == {**before, "description": ERASED}


def test_an_id_that_is_not_valid_is_refused(lab: Lab) -> None:
    with pytest.raises(BadInput, match="not a user ID"):
        erase_user(lab.ports, "jo", by="cli")


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("user-0001", ERASED),
        ("id = 'user-0001'", f"id = '{ERASED}'"),
        ("user-00012 and xuser-0001", "user-00012 and xuser-0001"),
        ("a user-0001-b", "a user-0001-b"),
    ],
)
def test_an_id_is_found_as_a_word_only(text: str, without: str) -> None:
    assert Person("user-0001").without(text) == without


@pytest.mark.parametrize("user_id", ["00000000-0000-4000-8000-000000000001", "ABCDEF00-0000-4000-8000-00000000000a"])
def test_a_uuid_is_found_in_any_text_and_case(user_id: str) -> None:
    assert Person(user_id).without(f"u_{user_id.lower()}-2, x{user_id.upper()}y") == f"u_{ERASED}-2, x{ERASED}y"


def test_a_short_id_is_only_found_as_a_whole_value() -> None:
    assert Person("sale").without("a sale, for one user") == "a sale, for one user"
    assert Person("sale").dropped_from({"a": ["sale", "x"], "b": "sale"}) == {"a": ["x"], "b": ERASED}
