"""Entries of the audit log are a chain: who changes, drops or reorders one is found out."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.domain.audit import CHECKPOINTS, Action, AuditEntry, Deed
from functions.stores.audit import ENTRIES, HEADS, DocumentAuditLog
from functions.stores.documents import Place
from functions.stores.recipes import DocumentRecipeStore
from functions.usecases.reports.verify_audit import audit_sentences, verify_audit
from functions.usecases.timeline.check_audit import check_audit
from local.embedded.clock import VirtualClock
from local.embedded.database import Database
from local.embedded.sqlite_documents import SqliteDocuments

AT = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
SAVED = Deed(by="zoë@example.com", at=AT, action=Action.SAVED)
ERASED = Deed(by="zoë@example.com", at=AT, action=Action.REDACTED)


@pytest.fixture
def log(ports: Any, clock: VirtualClock) -> Any:
    """The ports that the use cases need, with five entries of one recipe and two of another."""
    for number in range(5):
        ports.recipes.change("daily", lambda _, n=number: {"id": "daily", "n": n, "testers": ["a", "Zoë"]}, SAVED)
    for number in range(2):
        ports.recipes.change("weekly", lambda _, n=number: {"id": "weekly", "n": n}, SAVED)
    raised: list[str] = []
    alerts = SimpleNamespace(send=lambda alert: raised.append(alert.message))
    policy = SimpleNamespace(alerts=SimpleNamespace(channels=()))
    return SimpleNamespace(
        audit=ports.audit, clock=clock, alert_store=ports.alert_store, alerts=alerts, policy=policy, raised=raised
    )


def problems(log: Any) -> list[str]:
    return list(audit_sentences(verify_audit(log)))


def put(log: Any, subject: str, number: int, entry: AuditEntry | None) -> None:
    """Write an entry as a stranger with the rights of the database could; None deletes it."""
    _by_hand(log, ENTRIES.at(subject, number), entry)


def _by_hand(log: Any, place: Place[Any], value: Any) -> None:
    documents = log.audit._documents
    if isinstance(documents, SqliteDocuments):
        with documents._database.transaction() as connection:
            connection.execute("DROP TRIGGER IF EXISTS audit_changed")
            connection.execute("DROP TRIGGER IF EXISTS audit_DELETE")
    documents.change([place], lambda batch: batch.delete(place) if value is None else batch.write(place, value))


def entries(log: Any, subject: str = "daily") -> Sequence[AuditEntry]:
    return list(log.audit.all_of(subject))


def test_a_log_that_was_left_alone_is_sound(log: Any) -> None:
    found = verify_audit(log)
    assert (found.sound, found.subjects, found.entries, found.before_the_chain) == (True, 2, 7, 0)


@pytest.mark.parametrize(
    "flip",
    [
        lambda entry: replace(entry, deed=replace(entry.deed, by="ana@example.com")),
        lambda entry: replace(entry, deed=replace(entry.deed, at=AT + timedelta(microseconds=1))),
        lambda entry: replace(entry, deed=replace(entry.deed, action=Action.PAUSED)),
        lambda entry: replace(entry, after={**entry.after, "n": 7}),
        lambda entry: replace(entry, before={"id": "other"}),
        lambda entry: replace(entry, salts={}, redactions=1, after={"id": "daily"}),
        lambda entry: replace(entry, link=None, salts={}),
    ],
)
@pytest.mark.parametrize(
    "number", [1, pytest.param(3, marks=pytest.mark.long), pytest.param(5, marks=pytest.mark.long)]
)
def test_a_changed_entry_is_found(log: Any, flip: Callable[[AuditEntry], AuditEntry], number: int) -> None:
    entry = entries(log)[number - 1]
    flipped = flip(entry)
    put(log, "daily", number, flipped)
    assert problems(log) if flipped != entry else not problems(log)


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_dropped_entry_is_found_the_last_one_too(log: Any, number: int) -> None:
    put(log, "daily", number, None)
    assert f"entry {number} of daily is missing" in problems(log)


def test_a_dropped_last_entry_is_found_after_the_next_change_too(log: Any, ports: Any) -> None:
    put(log, "daily", 5, None)
    ports.recipes.change("daily", lambda old: {**(old or {}), "n": 9}, SAVED)
    assert [entry.number for entry in entries(log)] == [1, 2, 3, 4, 6]
    assert "entry 5 of daily is missing" in problems(log)


def test_two_entries_in_another_order_are_found(log: Any) -> None:
    second, third = entries(log)[1:3]
    put(log, "daily", 2, replace(third, number=2))
    put(log, "daily", 3, replace(second, number=3))
    assert "entry 2 of daily was changed: its hash differs" in problems(log)
    assert any("does not follow" in sentence for sentence in problems(log))


def test_an_entry_that_was_written_by_hand_is_found(log: Any) -> None:
    put(log, "daily", 6, AuditEntry(recipe_id="daily", number=6, deed=SAVED, before=None, after={"n": 6}))
    assert "entry 6 of daily is beyond the head of its log" in problems(log)


def test_a_subject_without_its_head_is_found(log: Any) -> None:
    _by_hand(log, HEADS.at("daily"), None)
    assert problems(log) == ["the log of daily has lost its head"]


def test_a_dropped_subject_is_found_by_the_checkpoint_before_it(log: Any) -> None:
    check_audit(log)
    for number in range(1, 6):
        put(log, "daily", number, None)
    _by_hand(log, HEADS.at("daily"), None)
    found = problems(log)
    assert "entry 5 of daily is missing" in found
    assert "the log of daily has lost its head" in found


def test_checkpoints_that_were_dropped_are_missed(log: Any) -> None:
    check_audit(log)
    put(log, CHECKPOINTS, 1, None)
    _by_hand(log, HEADS.at(CHECKPOINTS), None)
    assert problems(log) == [
        f"the log of {subject} was verified, and no checkpoint says so" for subject in ("daily", "weekly")
    ]


def test_a_late_checkpoint_of_an_earlier_end_takes_nothing_back(log: Any, ports: Any) -> None:
    earlier = log.audit.open_heads(most=9)
    ports.recipes.change("daily", lambda _: {"id": "daily", "n": 9}, SAVED)
    check_audit(log)
    log.audit.checkpoint(earlier, Deed(by="reconcile", at=AT, action=Action.CHECKED))
    assert problems(log) == []
    put(log, "daily", 6, None)
    assert "entry 6 of daily is missing" in problems(log)


def test_an_entry_of_a_new_subject_that_was_written_by_hand_is_found(log: Any) -> None:
    forged = replace(log.audit.of_recipe("daily", most=1)[0], recipe_id="new", number=1, link=None, salts={})
    late = replace(forged, deed=replace(forged.deed, at=AT + timedelta(days=1)))
    put(log, "new", 1, late)
    assert problems(log) == ["entry 1 of new has no hash, although the chain has begun"]


@pytest.mark.parametrize(
    ("column", "value"), [("after", "{{{"), ("link", "zzz"), ("link", '"x"'), ("salts", "7"), ("at", "x"), ("by", "")]
)
def test_an_entry_that_cannot_be_read_is_a_problem_of_its_number(log: Any, column: str, value: str) -> None:
    documents = log.audit._documents
    if not isinstance(documents, SqliteDocuments):
        pytest.skip("the table of SQLite is edited by hand")
    with documents._database.transaction() as connection:
        connection.execute("DROP TRIGGER audit_changed")
        connection.execute(f"UPDATE audit SET {column} = ? WHERE recipe_id = 'daily' AND number = 3", [value])
    assert any(problem.startswith("entry 3 of daily") for problem in problems(log))
    check_audit(log)
    assert "entry 3 of daily" in log.raised[0]


def test_a_head_that_cannot_be_read_is_a_problem_of_its_log(log: Any) -> None:
    documents = log.audit._documents
    if not isinstance(documents, SqliteDocuments):
        pytest.skip("the table of SQLite is edited by hand")
    with documents._database.transaction() as connection:
        connection.execute("UPDATE audit_heads SET document = '\"zzz\"' WHERE subject = 'daily'")
    assert "the log of daily has a head that cannot be read" in problems(log)
    check_audit(log)
    assert "head that cannot be read" in log.raised[0]


def test_a_log_that_was_rewritten_as_a_whole_differs_from_its_checkpoint(log: Any, ports: Any) -> None:
    check_audit(log)
    for number in range(1, 6):
        put(log, "daily", number, None)
    _by_hand(log, HEADS.at("daily"), None)
    for number in range(5):
        ports.recipes.change("daily", lambda _, n=number: {"id": "daily", "n": -n}, SAVED)
    assert problems(log) == ["entry 5 of daily differs from the last checkpoint"]


def test_a_checkpoint_covers_what_is_new_and_a_repeat_adds_none(log: Any, ports: Any) -> None:
    check_audit(log)
    check_audit(log)
    [first] = entries(log, CHECKPOINTS)
    assert {head["subject"]: head["count"] for head in (first.after or {})["heads"]} == {"daily": 5, "weekly": 2}
    ports.recipes.change("weekly", lambda _: {"id": "weekly", "n": 3}, SAVED)
    check_audit(log)
    assert {head["subject"]: head["count"] for head in (entries(log, CHECKPOINTS)[1].after or {})["heads"]} == {
        "weekly": 3
    }
    assert (verify_audit(log).sound, log.raised) == (True, [])


def test_a_new_entry_that_was_changed_raises_one_alert(log: Any) -> None:
    put(log, "daily", 2, replace(entries(log)[1], after={"id": "daily", "n": 0}))
    check_audit(log)
    check_audit(log)
    assert log.raised == [
        "the audit log does not verify: entry 2 of daily was changed: the document after it differs"
    ]


def test_a_redacted_entry_still_verifies_and_its_digest_confirms_no_guess(log: Any) -> None:
    def without_zoe(document: Any) -> Any:
        return document and {**document, "testers": ["a", "[erased]"]}

    for entry in entries(log):
        assert log.audit.redact(entry, without_zoe, "3f", ERASED)
        assert not log.audit.redact(entries(log)[entry.number - 1], without_zoe, "3f", ERASED)
    assert (verify_audit(log).sound, entries(log)[4].salts) == (True, {})
    assert "Zoë" not in str(entries(log))
    put(log, "daily", 3, replace(entries(log)[2], after={"id": "daily", "n": 7}))
    assert problems(log) == ["entry 3 of daily was redacted, and no erasure says so"]


def test_entries_of_several_writers_at_once_are_one_chain(log: Any, open_ports: Any, at_once: Any) -> None:
    each = [open_ports() for _ in range(4)]
    at_once(4, lambda number: each[number].recipes.change("daily", lambda old: {**old, "n": number}, SAVED))
    assert [entry.number for entry in entries(log)] == list(range(1, 10))
    assert problems(log) == []


def test_entries_of_the_release_before_the_chain_stay_readable_and_verify(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "tminus.db")) as old:
        old.execute(
            "CREATE TABLE audit (recipe_id TEXT NOT NULL, number INTEGER NOT NULL, by TEXT NOT NULL, "
            "at TEXT NOT NULL, action TEXT NOT NULL, before TEXT, after TEXT, PRIMARY KEY (recipe_id, number))"
        )
        for verb in ("UPDATE", "DELETE"):
            old.execute(
                f"CREATE TRIGGER audit_{verb} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
            )
        for number in (1, 2):
            row = ("daily", number, "ana@example.com", "2026-11-23T12:00:00Z", "saved", None, '{"id":"daily"}')
            old.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        old.commit()
    with closing(Database(tmp_path / "tminus.db")) as database:
        log: Any = SimpleNamespace(audit=DocumentAuditLog(SqliteDocuments(database)))
        assert verify_audit(log).before_the_chain == 2
        DocumentRecipeStore(SqliteDocuments(database)).change("daily", lambda _: {"id": "daily"}, SAVED)
        found = verify_audit(log)
        assert (found.sound, found.entries, found.before_the_chain) == (True, 3, 2)
        put(log, "daily", 1, None)
        assert problems(log) == ["entry 1 of daily is missing"]
