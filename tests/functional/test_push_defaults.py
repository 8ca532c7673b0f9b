"""`[defaults]` of a workspace: what a recipe of a few lines sends, and everything that looks at it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions import bootstrap
from functions.domain.errors import BadFields, BadRecipe, Misconfigured
from functions.handlers.http.as_json import as_json
from functions.settings.read import read_settings
from functions.usecases.by_hand.send_once import OneOff, send_once, try_once, users_file
from functions.usecases.dry_run.preview import preview
from functions.usecases.reports.history import notifications_of
from tests.audience_jobs.fitness import fitness
from tests.command import Tminus, calling
from tests.factories import TESTER, recipe, user
from tests.functional.conftest import EARLIER, SEND_AT, START_AT, Lab
from tests.functional.console.visitor import Visitor

Release = Callable[[str], None]
DEFAULTS = """
[layers]
1 = { name = "Alarms", exempt = true }
3 = "Coaching"
[defaults]
priority = "normal"
ttlMinutes = 120
image = "https://img.example/[[var:shoe]].jpg"
[defaults.data]
area = "news"
[defaults.android]
channelId = "news"
color = "#FF6600"
[defaults.ios]
sound = "default"
"""
SHORT: dict[str, Any] = {
    "name": "Welcome",
    "status": "active",
    "schedule": {"timezone": "UTC", "frequency": "daily", "executionTime": "18:30"},
    "audienceCriteria": {"customScript": {"scriptId": "everybody"}},
    "pushSequence": [{"title": "Hi [[var:name]]", "body": "Look", "layerId": 1}],
}


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    return make_lab(default_test_user_ids=(TESTER,))


@pytest.fixture
def release(lab: Lab, tmp_path: Path) -> Release:
    """Deploy a release whose workspace says this."""

    def made(settings: str) -> None:
        workspace = fitness(tmp_path / f"gym-{sum(1 for _ in tmp_path.glob('gym-*'))}")
        (workspace.folder / "tminus.toml").write_text(f'name = "gym"\n{settings}', encoding="utf-8")
        lab.wrap = lambda ports: replace(ports, workspace=workspace)
        lab.restart()

    return made


@pytest.fixture(autouse=True)
def _released(release: Release) -> None:
    release(DEFAULTS)


def short(**content: Any) -> dict[str, Any]:
    return {**SHORT, "pushSequence": [{**SHORT["pushSequence"][0], **content}]}


def sent(lab: Lab, *, test: bool = False) -> list[dict[str, Any]]:
    """The messages that left, as FCM gets them."""
    return [line["fcm"] for line in lab.outbox() if line["test"] is test]


def test_a_recipe_of_a_few_lines_sends_what_the_workspace_says(lab: Lab) -> None:
    lab.save(SHORT)
    lab.run_to_the_end()
    for test in (True, False):
        messages = sent(lab, test=test)
        assert messages
        for message in messages:
            assert (message["android"]["priority"], message["android"]["ttl"]) == ("NORMAL", "7200s")
            assert message["android"]["notification"].items() >= {"channel_id": "news", "color": "#FF6600"}.items()
            assert message["apns"]["payload"]["aps"].items() >= {"sound": "default"}.items()
            assert message["data"]["area"] == "news"
            assert message["notification"]["image"].startswith("https://img.example/")
    stored = lab.ports.recipes.get("welcome") or {}
    assert stored["pushSequence"] == SHORT["pushSequence"], "the document stays as written"
    lab.assert_contract()


@pytest.mark.slow
def test_a_push_says_otherwise_key_by_key_and_null_says_none(lab: Lab) -> None:
    lab.save(short(android={"color": "#000000"}, data={"area": "deals", "own": "1"}, image=None, priority=None))
    lab.run_to_the_end()
    message = sent(lab)[0]
    assert message["android"]["notification"].items() >= {"channel_id": "news", "color": "#000000"}.items()
    assert message["data"].items() >= {"area": "deals", "own": "1"}.items()
    assert ("image" in message["notification"], message["android"]["priority"]) == (False, "HIGH")


@pytest.mark.slow
def test_an_execution_keeps_the_defaults_of_its_launch(lab: Lab, release: Release) -> None:
    lab.save(SHORT)
    lab.run_to(START_AT + timedelta(minutes=1))
    release(DEFAULTS.replace('"news"', '"deals"').replace('image = "https://img.example/[[var:shoe]].jpg"', ""))
    lab.run_to_the_end()
    launched = [*sent(lab, test=True), *sent(lab)]
    assert {message["android"]["notification"]["channel_id"] for message in launched} == {"news"}
    assert all("image" in message["notification"] for message in launched)
    lab.run_to(SEND_AT + timedelta(days=1, hours=1))
    later = sent(lab)[-1]
    assert (later["android"]["notification"]["channel_id"], "image" in later["notification"]) == ("deals", False)
    assert notifications_of(lab.ports, user(1), until=lab.clock.now(), days=3).notifications


def test_a_dry_run_counts_what_is_sent(lab: Lab, release: Release) -> None:
    [one] = preview(lab.ports, {**SHORT, "id": "welcome"}, test=False).pushes
    assert one.samples[0].more["image"].startswith("https://img.example/")
    assert one.samples[0].more["data.area"] == "news"
    release(f'{DEFAULTS}[defaults.web]\nicon = "https://img.example/{"x" * 2_000}"')
    larger = preview(lab.ports, {**SHORT, "id": "welcome"}, test=False).pushes[0].payload_bytes
    assert larger.largest > one.payload_bytes.largest + 2_000


def test_saving_looks_at_what_is_sent_and_says_whose_it_is(lab: Lab, release: Release) -> None:
    release(DEFAULTS.replace("shoe", "nom"))
    with pytest.raises(BadRecipe) as refused:
        lab.save(short(data={"big": "x" * 4_000}))
    found = {error.field: error.reason for error in refused.value.errors}
    assert set(found) == {"pushSequence[0].image", "pushSequence[0].data"}
    assert found["pushSequence[0].image"].endswith("; it comes from [defaults] in tminus.toml")
    assert "FCM takes 4,096" in found["pushSequence[0].data"]
    assert "[defaults]" not in found["pushSequence[0].data"]
    lab.save(short(image="https://img.example/a.jpg"))


def test_a_recipe_that_no_longer_fits_is_reported_and_sends_nothing(lab: Lab, release: Release) -> None:
    lab.save(short(data={f"own{number}": "x" for number in range(18)}))
    release(DEFAULTS.replace('area = "news"', "\n".join(f'all{number} = "x"' for number in range(3))))
    lab.run_to_the_end()
    assert sent(lab) == []
    alerts = (lab.state / "alerts.jsonl").read_text()
    assert "must hold at most 20 entries, not 21" in alerts
    assert "together with [defaults] in tminus.toml" in alerts


def test_a_push_sent_once_has_them_and_a_repeat_stays_the_same_push(lab: Lab, release: Release) -> None:
    push = OneOff(written={"title": "Hi", "body": "there", "layerId": 3}, content={"image": None})

    def send() -> str:
        return send_once(lab.ports, push, users_file([user(1)], lab.ports.policy), by="ana", key="k").id

    first = send()
    release("\n".join(DEFAULTS.split("\n")[:4]))
    assert send() == first, "the same key is the same push, whatever the workspace says meanwhile"
    lab.run_to(EARLIER + timedelta(hours=1))
    [message] = sent(lab)
    assert message["android"]["notification"]["channel_id"] == "news"
    assert "image" not in message["notification"]


def test_a_push_sent_once_is_checked_with_them(lab: Lab) -> None:
    push = OneOff(written={"title": "Hi", "body": "there", "layerId": 3})
    source = users_file([user(1)], lab.ports.policy)
    with pytest.raises(BadFields) as refused:
        send_once(lab.ports, push, source, by="ana")
    [error] = refused.value.errors
    assert (error.field, "names no column" in error.reason) == ("content.image", True)
    assert error.reason.endswith("; it comes from [defaults] in tminus.toml")
    tried = try_once(
        lab.ports, replace(push, content={"image": None}), users_file([user(1)], lab.ports.policy), by="a"
    )
    assert as_json(tried)["pushes"][0]["samples"][0]["more"] == {"data.area": "news"}


def test_the_form_names_them_and_writes_none_of_them(lab: Lab) -> None:
    own = short(image=None, web={"requireInteraction": False}, ios=None)
    lab.save(own)
    visitor = Visitor(lambda: lab.ports)
    page = visitor.get("/recipes/welcome/edit").text
    assert "The workspace's default: #FF6600." in page
    assert "Normal (default)" in page
    visitor.send("/recipes/welcome/edit", "/recipes/welcome/edit", {}, status=303)
    stored = (lab.ports.recipes.get("welcome") or {})["pushSequence"][0]
    assert {key: stored.get(key, "missing") for key in own["pushSequence"][0]} == own["pushSequence"][0]
    assert not {"priority", "ttlMinutes", "android", "data"} & set(stored)


def test_the_page_of_the_campaign_shows_what_is_sent(lab: Lab) -> None:
    lab.save(SHORT)
    page = Visitor(lambda: lab.ports).get("/recipes/welcome").text
    assert "Image from img.example" in page
    assert "Data area" in page


def test_a_process_does_not_start_with_wrong_ones(tmp_path: Path) -> None:
    folder = fitness(tmp_path / "gym").folder
    (folder / "tminus.toml").write_text('name = "gym"\n[defaults.android]\ncolor = "orange"\n', encoding="utf-8")
    with pytest.raises(
        Misconfigured, match=r"tminus.toml:3: defaults.android.color: must be a color such as #FF6600"
    ):
        bootstrap.workspace(read_settings({"WORKSPACE": str(folder)}))


def test_a_check_of_the_workspace_names_wrong_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tminus: Tminus = calling(monkeypatch, capsys)
    folder = fitness(tmp_path / "gym").folder
    (folder / "tminus.toml").write_text('name = "gym"\n[defaults]\npriority = "urgent"\n', encoding="utf-8")
    checked = tminus("--workspace", folder, "check")
    assert checked.status == 2
    assert (
        checked.err
        == f"tminus: {folder}/tminus.toml:3: defaults.priority: must be one of 'high' or 'normal', got "
        + ('"urgent"\n')
    )


@pytest.mark.slow
def test_without_them_a_snapshot_is_the_recipe_as_written(lab: Lab, release: Release) -> None:
    release("\n".join(DEFAULTS.split("\n")[:4]))
    lab.save(recipe())
    lab.run_to_the_end()
    assert lab.execution().recipe["pushSequence"] == recipe()["pushSequence"]
