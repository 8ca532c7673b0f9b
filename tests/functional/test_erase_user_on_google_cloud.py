"""One user is erased from Firestore and Cloud Storage, on the emulators: no document and no object holds the id."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.audit import ERASURES
from functions.domain.person import Person
from functions.usecases.people.erase_user import erase_user
from functions.usecases.people.find_user import find_user
from functions.usecases.reports.verify_audit import audit_sentences, verify_audit
from functions.usecases.timeline.check_audit import check_audit
from local.sample import generate
from tests.functional.cloud_lab import CloudLab, cloud_lab

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
REACTIVATION = "sneaker-reactivation_20260504T223000Z"
SEND_AT = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)
KEY = "k" * 32


@pytest.fixture
def lab(emulators: Mapping[str, str], tmp_path: Path) -> Iterator[CloudLab]:
    del emulators
    generate(tmp_path / "data", users=2_000, seed=1, at=NOON)
    with cloud_lab(tmp_path, SEND_AT - timedelta(minutes=31), tmp_path / "data") as opened:
        yield opened


def documents(lab: CloudLab) -> dict[str, str]:
    """Every document of the database as text, by its path: also those below documents that do not exist."""
    client: Any = lab.ports.recipes._documents._client  # type: ignore[attr-defined]

    def below(collections: Any) -> Iterator[tuple[str, str]]:
        for collection in collections:
            for reference in collection.list_documents():
                yield reference.path, str(reference.get().to_dict())
                yield from below(reference.collections())

    return dict(below(client.collections()))


def objects(lab: CloudLab) -> dict[str, bytes]:
    """Every object of the bucket by its name."""
    files: Any = lab.ports.files
    return {blob.name: blob.download_as_bytes() for blob in files._client.list_blobs(files._bucket)}


@pytest.mark.long
def test_after_an_erasure_no_document_and_no_object_holds_the_id(lab: CloudLab) -> None:
    lab.save("sneaker-reactivation")
    lab.cloud.run_until(SEND_AT + timedelta(hours=1))
    ports = replace(lab.ports, user_hash_key=lambda: KEY)
    receipt = objects(lab)[f"receipts/{REACTIVATION}.csv"].decode()
    [user, *_] = [row["user_id"] for row in csv.DictReader(io.StringIO(receipt)) if row["outcome"] == "sent"]
    lab.save("sneaker-reactivation", lambda document: _tested_by(document, user))
    before = lab.report(REACTIVATION)
    assert any(user in text for text in documents(lab).values())
    assert any(user.encode() in content for content in objects(lab).values())

    erased = erase_user(ports, user, by="ana@example.com")
    assert erased.recipes == 1
    assert [path for path, text in documents(lab).items() if user in text or user in path] == []
    assert [name for name, content in objects(lab).items() if user.encode() in content] == []
    assert find_user(ports, user).empty
    assert lab.report(REACTIVATION) == before
    assert list(ports.audit.all_of(ERASURES))[-1].after == {"user": Person(user).keyed_hash(KEY)}
    check_audit(ports)
    assert list(audit_sentences(verify_audit(ports))) == []
    assert erase_user(ports, user, by="ana@example.com").audit_entries == 0


def _tested_by(document: dict[str, Any], user: str) -> dict[str, Any]:
    settings = document.get("settings", {})
    return {**document, "settings": {**settings, "testUserIds": [*settings.get("testUserIds", []), user]}}
