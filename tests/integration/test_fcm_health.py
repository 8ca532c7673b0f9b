"""Health with phones at the other end: FCM itself says whether it would take messages, and delivers none."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from functions import bootstrap
from functions.settings import FcmSettings, Settings
from functions.usecases.check_health import Health, check_health
from local.embedded.clock import RealClock
from local.sample import generate
from local.standins.fcm import answers
from local.standins.fcm.answer import Answer
from local.standins.fcm.script import Script
from tests.audience_jobs.worlds import NOW
from tests.conftest import MakeFcm
from tests.fcm import settings_for


@contextmanager
def system(folder: Path, fcm: FcmSettings | None) -> Iterator[Health]:
    if not (folder / "data").exists():
        generate(folder / "data", users=50, seed=1, at=NOW)
    settings = replace(Settings(), state_dir=folder / "state", user_data_dir=folder / "data", fcm=fcm)
    with closing(bootstrap.embedded(settings, RealClock())) as opened:
        yield check_health(opened.ports)


@pytest.mark.long
def test_fcm_is_asked_by_a_message_that_it_only_validates(make_fcm: MakeFcm, tmp_path: Path) -> None:
    fcm, _ = make_fcm(script=Script(default=answers.INVALID_TOKEN))
    for _ in range(3):
        with system(tmp_path, settings_for(fcm)) as health:
            assert health.dependencies["pushSender"] == "ok"
    [request] = fcm.requests
    assert request.body["validate_only"] is True


@pytest.mark.long
@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (answers.PERMISSION_DENIED, "Misconfigured: GOOGLE_CLOUD_PROJECT"),
        (answers.unauthenticated(), "Misconfigured: FCM_CREDENTIALS_FILE"),
        (answers.quota_exceeded(), "QuotaExceeded"),
        (answers.INTERNAL, "Transient"),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
def test_what_keeps_fcm_from_taking_messages_is_named(
    make_fcm: MakeFcm, tmp_path: Path, answer: Answer, word: str
) -> None:
    fcm, _ = make_fcm(script=Script(default=answer))
    with system(tmp_path, settings_for(fcm)) as health:
        assert health.dependencies["pushSender"] == word
        assert {
            each
            for name, each in health.dependencies.items()
            if name not in ("pushSender", "dispatcher", "scheduler")
        } == {"ok"}


def test_missing_credentials_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nowhere.json"))
    with system(tmp_path, FcmSettings(project="demo-health")) as health:
        assert health.dependencies["pushSender"] == "Misconfigured: FCM_CREDENTIALS_FILE"


def test_an_outbox_is_not_asked(tmp_path: Path) -> None:
    with system(tmp_path, None) as health:
        assert "pushSender" not in health.dependencies
    assert (tmp_path / "state" / "outbox.jsonl").read_text() == ""
