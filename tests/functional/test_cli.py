"""The command line: what it takes, what it prints, and how it refuses."""

import csv
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.runtime.state_lock import locked
from local.sample import generate
from tests.command import Answer, Tminus, calling
from tests.factories import recipe

pytestmark = pytest.mark.slow

AT = "2026-05-04T22:00:07Z"
RECIPES = Path(__file__).parents[2] / "local" / "recipes"


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tminus:
    return calling(monkeypatch, capsys)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, users=3000, seed=5, at=datetime(2026, 5, 4, tzinfo=UTC))
    return folder


@pytest.fixture
def run(tminus: Tminus, sample: Path, tmp_path: Path) -> Tminus:
    def call(*args: object, recipe: Path = RECIPES / "sneaker-reactivation.json", at: str = AT) -> Answer:
        return tminus("run", recipe, "--data", sample, "--state", tmp_path / "state", "--at", at, "--json", *args)

    return call


@pytest.fixture
def write(tmp_path: Path) -> Callable[[object], Path]:
    def write(document: object) -> Path:
        path = tmp_path / "recipe.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return path

    return write


def outbox(folder: Path) -> list[dict[str, Any]]:
    path = folder / "state" / "outbox.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def sent_in(folder: Path, execution: str) -> set[str]:
    return {m["userId"] for m in outbox(folder) if m["executionId"] == execution and not m["test"]}


@pytest.mark.long
def test_a_run_reports_what_the_outbox_and_the_files_hold(run: Tminus, tmp_path: Path) -> None:
    answer = run()
    report = answer.report
    assert (answer.status, report["status"]) == (0, "completed")
    assert len([m for m in outbox(tmp_path) if m["test"]]) == 3
    for push in report["pushes"]:
        name = f"{push['order']}-{push['audience']}"
        with (tmp_path / "state" / "audiences" / report["executionId"] / f"{name}.csv").open() as file:
            assert len(list(csv.DictReader(file))) == push["audienceSize"]
        assert push["testSent"] == 1
        parts = push["sent"] + push["failed"] + push["unknown"] + push["notReached"]
        assert push["audienceSize"] == sum(push["excluded"].values()) + parts
    assert list(outbox(tmp_path)[0]) == [
        *("at", "executionId", "push", "userId", "token", "title", "body", "deepLink", "test", "locale", "tm", "fcm")
    ]


@pytest.mark.long
def test_a_run_whose_pushes_cannot_reach_a_user_ends_with_3_and_says_what_to_set(
    tminus: Tminus, sample: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(sample, tmp_path / "data"))
    header, *_ = (data / "devices.csv").read_text().splitlines()
    (data / "devices.csv").write_text(f"{header}\n")
    settings = ("--set", "settings.safeguards.requireTestFirst=false", "--state", tmp_path / "state", "--at", AT)
    answer = tminus("run", RECIPES / "sneaker-reactivation.json", "--data", data, *settings)
    assert answer.status == 3
    assert "completed" in answer.out
    assert "push 1 reaches no user: all" in answer.out
    assert "check that devices.user_id in the user data holds the same ids as users.id" in answer.out


@pytest.mark.parametrize("option", [(), ("--no-image-check",)])
def test_a_run_looks_at_images_unless_it_is_told_not_to(
    option: tuple[str, ...], run: Tminus, write: Callable[[object], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []

    def private(name: str, *_: object, **__: object) -> list[Any]:
        looked_up.append(name)
        return [(2, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setenv("IMAGE_CHECK", "on")
    monkeypatch.setattr("socket.getaddrinfo", private)
    document = json.loads((RECIPES / "sneaker-reactivation.json").read_text())
    document["pushSequence"][0]["image"] = "https://img.example/a.png"
    answer = run(*option, recipe=write(document))
    assert (answer.status, looked_up) == (0, [] if option else ["img.example"])
    assert [one["type"] for one in answer.report["violations"]] == ([] if option else ["image_broken"])


def test_the_same_slot_again_changes_nothing(run: Tminus, tmp_path: Path) -> None:
    first, before = run(), outbox(tmp_path)
    second = run()
    assert second.report == first.report
    assert outbox(tmp_path) == before


def test_a_second_run_a_day_later_holds_back_exactly_the_users_of_the_first(run: Tminus, tmp_path: Path) -> None:
    wide = ("--set", "audienceCriteria.customScript.parameters.lookback_hours=120")
    first = run(*wide).report
    second = run(*wide, at="2026-05-05T22:00:00Z").report
    assert second["totals"]["excluded"]["layer_3_cooldown"] > 0
    in_audience: set[str] = set()
    for path in (tmp_path / "state" / "audiences" / second["executionId"]).glob("*.csv"):
        if not path.stem.endswith("-TEST"):
            with path.open() as file:
                in_audience |= {row["user_id"] for row in csv.DictReader(file)}
    first_users = sent_in(tmp_path, first["executionId"])
    assert second["totals"]["excluded"]["layer_3_cooldown"] == len(first_users & in_audience)
    assert not sent_in(tmp_path, second["executionId"]) & first_users


@pytest.mark.long
def test_a_second_run_73_hours_later_holds_back_none_of_them(run: Tminus, tmp_path: Path) -> None:
    wide = ("--set", "audienceCriteria.customScript.parameters.lookback_hours=168")
    first = run(*wide).report
    later = ("--set", "schedule.executionTime=19:30")
    second = run(*wide, *later, at="2026-05-07T23:00:00Z").report
    assert "layer_3_cooldown" not in second["totals"]["excluded"]
    assert sent_in(tmp_path, second["executionId"]) & sent_in(tmp_path, first["executionId"])


@pytest.mark.parametrize(
    ("option", "value", "status", "live"),
    [
        ("--cancel-at", "T-1s", "cancelled", 0),
        ("--cancel-at", "T-29m", "cancelled", 0),
        ("--cancel-at", "T-0", "cancelled", 0),
        ("--stop-at", "T+1m", "stopped", 1),
        ("--stop-at", "T+3m", "stopped", 2),
    ],
)
def test_a_cancel_or_stop_ends_it_with_status_3(
    option: str, value: str, status: str, live: int, run: Tminus, tmp_path: Path
) -> None:
    answer = run(option, value)
    assert (answer.status, answer.report["status"]) == (3, status)
    assert {m["push"] for m in outbox(tmp_path) if not m["test"]} == set(range(1, live + 1))


@pytest.mark.long
def test_a_cancel_after_t0_comes_too_late(run: Tminus) -> None:
    answer = run("--cancel-at", "T+1m")
    assert (answer.status, answer.report["status"]) == (0, "completed")


@pytest.mark.long
def test_a_breached_safeguard_ends_it_with_status_3(run: Tminus, tmp_path: Path) -> None:
    answer = run("--set", "settings.safeguards.maxAudienceSize=5")
    assert (answer.status, answer.report["status"]) == (3, "blocked")
    assert answer.report["violations"][0]["type"] == "audience_too_large"
    assert outbox(tmp_path) == []


def test_both_sample_recipes_are_valid(tminus: Tminus) -> None:
    answer = tminus("recipes", "validate", *sorted(RECIPES.glob("*.json")))
    assert (answer.status, answer.out.count(": valid;")) == (0, 2)


def test_the_jobs_are_listed_with_parameters_audiences_and_columns(tminus: Tminus) -> None:
    jobs = {job["id"]: job for job in json.loads(tminus("jobs", "list", "--json").out)}
    assert {"generate_layer_3_push_csvs", "generate_new_user_waterfall"} <= jobs.keys()
    layer_3 = jobs["generate_layer_3_push_csvs"]
    assert [parameter["name"] for parameter in layer_3["parameters"]] == ["lookback_hours", "cooling_hours"]
    assert [audience["name"] for audience in layer_3["audiences"]] == [
        *("recent-offer-creators", "recent-closet-adders", "recent-wishlist-adders")
    ]
    assert "recent-closet-adders" in tminus("jobs", "list").out


@pytest.mark.long
def test_sample_data_is_the_same_for_the_same_seed(tminus: Tminus, tmp_path: Path) -> None:
    for name in ("one", "two"):
        args = ("--users", 50, "--seed", 3, "--at", "2026-05-04T00:00:00Z", "--json")
        assert tminus("data", "generate", tmp_path / name, *args).report["rows"]["users"] == 50
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert files[0] == files[1]


def refusal(answer: Answer) -> str:
    assert answer.status == 2
    assert "Traceback" not in answer.err
    return answer.err


SAMPLE = json.loads((RECIPES / "sneaker-reactivation.json").read_text())


def changed(path: str, value: object) -> dict[str, Any]:
    document = json.loads(json.dumps(SAMPLE))
    place = document
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    for part in parents:
        place = place[part]
    place[last] = value
    return dict(document)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ('{"id": "x",', "line 1, column 12"),
        ("[1, 2]", "must hold one JSON object"),
        ("\ufeff" + json.dumps(recipe()), "scriptId: unknown audience job 'everybody'"),
        (json.dumps(SAMPLE).replace("18:30", "25:61"), "schedule.executionTime: use 24-hour time"),
        (changed("schedule.timezone", "Mars/Olympus"), "schedule.timezone: must be an IANA time zone"),
        (changed("pushSequence.1.timing", {"delayAfterPrevious": -5}), "pushSequence[1].timing.delayAfterPrevious"),
        (
            changed("pushSequence.0.title", "[[var:shoe_name]]"),
            "pushSequence[0].title: [[var:shoe_name]] names no column",
        ),
        (changed("pushSequence.0.title", "[[vra:x]]"), "pushSequence[0].title: malformed variable"),
        (changed("pushSequence.0.deepLink", "javascript:alert(1)"), "pushSequence[0].deepLink"),
        (changed("pushSequence.0.audienceName", "unknown"), "pushSequence[0].audienceName: 'unknown' is not an"),
        (
            changed("pushSequence", [dict(SAMPLE["pushSequence"][0], sequenceOrder=n) for n in range(1, 22)]),
            "21 pushes",
        ),
        (changed("audienceCriteria.customScript.scriptId", "nope"), "unknown audience job 'nope'"),
        (changed("audienceCriteria.customScript.parameters", {"lookback_hours": "two"}), "lookback_hours"),
        (changed("audienceCriteria", {}), "audienceCriteria.customScript.scriptId: is missing"),
        (changed("status", "sometimes"), "status: must be one of"),
    ],
)
def test_a_bad_recipe_is_refused_by_field_and_leaves_nothing_behind(
    document: object, told: str, write: Callable[[object], Path], run: Tminus, tminus: Tminus, tmp_path: Path
) -> None:
    path = write(document)
    answer = run(recipe=path)
    assert told in refusal(answer)
    assert not (tmp_path / "state").exists()
    assert told in tminus("recipes", "validate", path).err


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (changed("schedule", {"timezone": "UTC", "frequency": "custom", "cronExpression": "0 12 30 2 *"}), "no day"),
        (
            {**SAMPLE, "schedule": {**SAMPLE["schedule"], "startDate": "2019-01-01", "endDate": "2020-01-01"}},
            "no send is left",
        ),
        (changed("schedule.timezone", "localtime"), "must be an IANA time zone"),
        (changed("pushSequence.0.title", "Hi {{firstName}}"), "looks like a variable of another product"),
        (changed("pushSequence.0", {"title": "", "body": " ", "layerId": 1}), "is blank, and so is the body"),
        (changed("pushSequence.0.deepLink", "https://"), "names no host"),
        (changed("settings.testUserIds", ["ana@kicks.example"]), "is not a UUID; set USER_ID_FORMAT=any"),
    ],
)
def test_what_saving_would_refuse_is_not_valid(
    document: object, told: str, write: Callable[[object], Path], tminus: Tminus
) -> None:
    answer = tminus("recipes", "validate", write(document))
    assert answer.status == 2
    assert told in answer.err
    assert "valid;" not in answer.out


def test_every_wrong_field_has_a_line_of_its_own(write: Callable[[object], Path], run: Tminus) -> None:
    document = changed("schedule.timezone", "Nowhere")
    document["pushSequence"][2]["layerId"] = "three"
    lines = refusal(run(recipe=write(document))).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["schedule.timezone", "pushSequence[2].layerId"]


def test_a_recipe_of_ten_megabytes_is_refused(write: Callable[[object], Path], run: Tminus) -> None:
    assert "at most 1,000,000" in refusal(run(recipe=write(changed("description", "x" * 10_000_000))))


def test_a_file_that_is_not_there_or_not_text_is_refused(run: Tminus, tmp_path: Path) -> None:
    assert "no such file" in refusal(run(recipe=tmp_path / "none.json"))
    (tmp_path / "latin.json").write_bytes('{"name": "é"}'.encode("latin-1"))
    assert "not UTF-8" in refusal(run(recipe=tmp_path / "latin.json"))


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--at", "2026-05-04"), "write an instant with its zone"),
        (("--at", "2026-05-04T21:59:00Z"), "its next starts: 2026-05-04T22:00:00Z"),
        (("--cancel-at", "18:29"), "such as T-1m"),
        (("--cancel-at", "T-9h"), "the execution lasts from"),
        (("--set", "settings"), "write path.to.field=value"),
        (("--set", "settings.maxAudienceSize=5"), "did you mean settings.safeguards.maxAudienceSize?"),
        (("--set", "settings.maxLatenessMinutes=soon"), "settings.maxLatenessMinutes: must be a whole number"),
        (("--set", "status=paused"), "is paused"),
        (("--nonsense",), "No such option"),
    ],
)
def test_a_bad_option_is_refused(args: tuple[str, ...], told: str, run: Tminus, tmp_path: Path) -> None:
    assert told in refusal(run(*args))
    assert not (tmp_path / "state").exists()


@pytest.mark.long
def test_an_old_document_runs_unchanged(write: Callable[[object], Path], run: Tminus) -> None:
    old = changed("status", "scheduled")
    old |= {"id": "", "someday": {"kept": True}, "endDate": None}
    old["pushSequence"] = [
        {key: value for key, value in push.items() if key != "audienceName"} | {"layerId": 0, "note": "old"}
        for push in old["pushSequence"]
    ]
    answer = run(recipe=write(old))
    assert (answer.status, answer.report["recipeId"]) == (0, "recipe")
    assert [push["layer"] for push in answer.report["pushes"]] == [5, 5, 5]
    assert answer.report["pushes"][1]["audience"] == "recent-closet-adders"


def test_a_status_that_contradicts_is_active_does_not_run(write: Callable[[object], Path], run: Tminus) -> None:
    document = changed("isActive", False)
    assert "contradicts isActive false: the recipe is paused" in refusal(run(recipe=write(document)))


def copy(sample: Path, to: Path) -> Path:
    to.mkdir()
    for path in sample.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: [path.unlink() for path in folder.iterdir()], "has no table in it"),
        (lambda folder: (folder / "offers.csv").unlink(), "table 'offers' is missing"),
        (lambda folder: (folder / "devices.csv").unlink(), "table 'devices' is missing"),
        (lambda folder: _edit(folder / "users.csv", "first_name", "given_name"), "lacks the column 'first_name'"),
        (lambda folder: _edit(folder / "offers.csv", "2026-", "2O26-"), "offers.csv"),
    ],
)
def test_bad_user_data_is_refused_by_file_and_leaves_nothing_behind(
    spoil: Callable[[Path], object], told: str, sample: Path, run: Tminus, tmp_path: Path
) -> None:
    folder = copy(sample, tmp_path / "data")
    spoil(folder)
    assert told in refusal(run("--data", folder))
    assert not (tmp_path / "state").exists()


def _edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.long
def test_malformed_and_duplicate_users_are_excluded_and_counted(sample: Path, run: Tminus, tmp_path: Path) -> None:
    clean = run().report
    folder = copy(sample, tmp_path / "data")
    someone = json.loads((tmp_path / "state" / "outbox.jsonl").read_text().splitlines()[-1])["userId"]
    users = (folder / "users.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    twice = next(line for line in users if someone in line)
    (folder / "users.csv").write_text("\ufeff" + "".join([*users, twice]), encoding="utf-8")
    other = next(m["userId"] for m in outbox(tmp_path) if not m["test"] and m["userId"] != someone)
    for path in folder.iterdir():
        _edit(path, other, "not-a-uuid")
    again = run("--data", folder, "--state", tmp_path / "again").report
    assert again["totals"]["excluded"]["duplicate_user_id"] == 1
    assert again["totals"]["excluded"]["invalid_user_id"] == 1
    assert again["totals"]["sent"] == clean["totals"]["sent"] - 1


@pytest.mark.long
def test_a_scripted_failure_is_seen_in_the_numbers(run: Tminus, tmp_path: Path) -> None:
    script = tmp_path / "outcomes.json"
    script.write_text('{"rates": {"dead_token": 0.05, "unknown": 0.01}}')
    totals = run("--outcomes", script).report["totals"]
    assert totals["failed"] > 0
    script.write_text('{"rates": {"melted": 0.05}}')
    assert "'melted' is not an outcome; known: sent" in refusal(run("--outcomes", script))


def test_help_names_every_command_and_status(tminus: Tminus) -> None:
    told = tminus("--help").out
    assert all(f"  {command} " in told for command in ("demo", "up", "run", "recipes", "jobs", "data"))
    told = " ".join(tminus("run", "--help").out.split())
    assert "Exit status: 0 completed, 3 cancelled, blocked, expired or stopped, or completed although" in told


@pytest.mark.parametrize(
    "args", [("data", "generate", "x", "--users", "-5"), ("up", "--speed", "0"), ("up", "--port", "99999999")]
)
def test_a_number_out_of_range_is_refused(args: tuple[str, ...], tminus: Tminus) -> None:
    assert "Invalid value for" in refusal(tminus(*args))


@pytest.mark.long
def test_a_users_pushes_can_be_looked_up(run: Tminus, tminus: Tminus, tmp_path: Path) -> None:
    report = run().report
    reached = min(sent_in(tmp_path, report["executionId"]))
    look_up = ("cadence", "user", reached, "--state", tmp_path / "state", "--until", "2026-05-05T00:00:00Z")
    sent = [each for each in json.loads(tminus(*look_up, "--json").out) if each["outcome"] == "sent"]
    assert {(each["layerId"], each["executionId"]) for each in sent} == {(3, report["executionId"])}
    assert report["executionId"] in tminus(*look_up).out
    assert tminus(*look_up[:-1], "2026-05-01T00:00:00Z").out.startswith(
        "nothing is known of this user in the 14 days"
    )


@pytest.mark.long
def test_a_look_up_without_a_state_or_of_no_user_is_refused(run: Tminus, tminus: Tminus, tmp_path: Path) -> None:
    answer = tminus("cadence", "user", "x", "--state", tmp_path / "nowhere")
    assert (answer.status, "no Tminus state is there" in answer.err) == (2, True)
    assert not (tmp_path / "nowhere").exists()
    run()
    answer = tminus("cadence", "user", "stranger", "--state", tmp_path / "state")
    assert (answer.status, '"stranger" is not a user ID' in answer.err) == (2, True)


@pytest.mark.long
def test_a_state_of_another_version_is_refused_and_left_as_it_is(run: Tminus, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with closing(sqlite3.connect(tmp_path / "state" / "tminus.db")) as old:
        old.execute("CREATE TABLE recipes (id TEXT)")
    answer = run()
    assert (answer.status, "made by another version of Tminus" in answer.err) == (2, True)


@pytest.mark.long
@pytest.mark.parametrize("damage", ["another file", "cut off"])
def test_a_damaged_database_is_refused_in_one_line_with_the_way_out(damage: str, run: Tminus, tmp_path: Path) -> None:
    path = tmp_path / "state" / "tminus.db"
    if damage == "cut off":
        run()
        path.write_bytes(path.read_bytes()[:5000])
    else:
        path.parent.mkdir()
        path.write_text("not a database at all\n" * 500)
    answer = run()
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert f"{path}: the database is damaged; restore a copy, or move the file away" in answer.err


@pytest.mark.long
def test_the_demo_refuses_a_folder_that_it_did_not_make(tminus: Tminus, run: Tminus, tmp_path: Path) -> None:
    run()
    answer = tminus("demo", "--folder", tmp_path)
    assert (answer.status, "not made by tminus demo" in answer.err) == (2, True)
    assert run().report["status"] == "completed"


def test_the_demo_leaves_a_state_alone_that_another_process_uses(
    tminus: Tminus, sample: Path, tmp_path: Path
) -> None:
    home = tmp_path / "demo"
    home.mkdir()
    (home / ".made-by-tminus-demo").touch()
    (home / "data").symlink_to(sample)
    with locked(home / "state"):
        (home / "state" / "tminus.db").touch()
        answer = tminus("demo", "--folder", home)
        assert (answer.status, "in use by another tminus" in answer.err) == (2, True)
        assert (home / "state" / "tminus.db").exists()
