"""The audit log on Firestore tells of each change once, whatever the change's commit answers."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from functions.domain.audit import Action, Deed
from functions.gcp.firestore.documents import FirestoreDocuments
from functions.stores.audit import DocumentAuditLog
from functions.stores.recipes import DocumentRecipeStore
from tests.faulty_firestore import Fault, FaultyFirestore

SAVED = Deed(by="ann@example.com", at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC), action=Action.SAVED)


@pytest.fixture
def proxy(emulators: Mapping[str, str]) -> Iterator[FaultyFirestore]:
    with FaultyFirestore(emulators["FIRESTORE_EMULATOR_HOST"]) as entered:
        yield entered


@pytest.fixture
def client(proxy: FaultyFirestore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[firestore.Client]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", proxy.host)
    project = f"demo-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]}"
    with closing(firestore.Client(project=project, credentials=AnonymousCredentials())) as opened:  # type: ignore[no-untyped-call]
        yield opened


@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("deletes", [True, False])
def test_a_change_is_recorded_once_whatever_its_commit_answers(
    deletes: bool, landed: bool, proxy: FaultyFirestore, client: firestore.Client
) -> None:
    store, audit = DocumentRecipeStore(FirestoreDocuments(client)), DocumentAuditLog(FirestoreDocuments(client))
    first, second = {"id": "daily", "n": 1}, None if deletes else {"id": "daily", "n": 2}
    store.change("daily", lambda _: first, SAVED)
    proxy.faults = [Fault(method="Commit", landed=landed)]
    store.change("daily", lambda _: second, SAVED)
    entries = audit.of_recipe("daily", most=10)
    assert [(entry.number, entry.before, entry.after) for entry in entries] == [(2, first, second), (1, None, first)]


def test_a_change_whose_number_is_taken_gets_the_next_one(proxy: FaultyFirestore, client: firestore.Client) -> None:
    store, audit = DocumentRecipeStore(FirestoreDocuments(client)), DocumentAuditLog(FirestoreDocuments(client))
    others: dict[str, Any] = {"id": "daily", "by": "others"}
    fault = Fault(method="Commit", meanwhile=lambda: store.change("daily", lambda _: others, SAVED))
    proxy.faults = [fault]
    store.change("daily", lambda old: {**(old or {}), "id": "daily", "mine": True}, SAVED)
    newest, oldest = audit.of_recipe("daily", most=10)
    assert (oldest.after, newest.before, newest.after) == (others, others, others | {"mine": True})
