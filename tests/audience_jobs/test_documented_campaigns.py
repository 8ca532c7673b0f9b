"""What the pages for a team's own data show works, word for word."""

import csv
import json
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from audience_jobs.workspace import Workspace
from tests.audience_jobs.postgres import fill
from tests.command import Tminus, calling
from tests.documented import blocks, named_files, run

CAMPAIGN, POSTGRES, FIRESTORE = "first-campaign.md", "user-data-in-postgresql.md", "user-data-in-firestore.md"


@pytest.mark.long
@pytest.mark.slow
def test_a_first_campaign_takes_the_commands_of_its_page(tmp_path: Path) -> None:
    export, init, check, audience, recipe, campaign = blocks(CAMPAIGN, "sh")
    run(export, tmp_path)
    assert "4 people, 3 of them with a device" in run(init, tmp_path)
    files = {str(path.relative_to(tmp_path / "fitness")) for path in (tmp_path / "fitness").rglob("*.*")}
    (tree,) = (block for block in blocks(CAMPAIGN, "") if block.startswith("fitness/\n"))
    assert files == {line.split()[0] for line in tree.splitlines()[1:]}
    assert 'email = { type = "text", private = true }' in (tmp_path / "fitness/tables.toml").read_text("utf-8")
    assert "no problems" in run(check, tmp_path)
    assert "3 users" in run(audience, tmp_path)
    assert "no problems" in run(recipe, tmp_path)
    assert "completed" in run(campaign, tmp_path)
    sent = [json.loads(line) for line in (tmp_path / "try/outbox.jsonl").read_text("utf-8").splitlines()]
    assert sorted(each["title"] for each in sent if not each.get("test")) == [
        "Keep going, Ada",
        "Keep going, Ben",
        "Keep going, Cleo",
    ]
    assert [each["userId"] for each in sent if each.get("test")] == ["1"]

    *_, phone = blocks(CAMPAIGN, "")
    (send,) = [line for line in phone.splitlines() if line.startswith("tminus")]
    run(f"{send} || test $? = 3", tmp_path)
    (first,) = (tmp_path / "first/outbox.jsonl").read_text("utf-8").splitlines()
    assert (json.loads(first)["userId"], json.loads(first)["test"]) == ("1", True)


@pytest.mark.long
def test_a_campaign_on_postgresql_takes_the_commands_of_its_page(postgres: str, tmp_path: Path) -> None:
    run(blocks(CAMPAIGN, "sh")[0], tmp_path)
    run("tminus init made --data export", tmp_path)
    fill(postgres, tmp_path / "export", Workspace(tmp_path / "made").tables)
    (role,) = blocks(POSTGRES, "sql")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(role.encode())
    try:
        place = urlsplit(postgres)
        commands = blocks(POSTGRES, "sh")
        begin = commands[0].replace("@localhost/fitness", f"@{place.hostname}:{place.port}{place.path}")
        assert begin != commands[0]
        printed = run("\n".join([begin, *commands[1:]]), tmp_path)
        assert "no problems" in printed
        assert "3 of 4 users got" in printed
        assert 'postgres = "FITNESS_DATABASE"' in (tmp_path / "fitness/tminus.toml").read_text("utf-8")
    finally:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("DROP OWNED BY tminus")
            connection.execute("DROP ROLE tminus")


def test_models_read_what_the_extension_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tminus: Tminus = calling(monkeypatch, capsys)
    workspace, data = tmp_path / "fitness", tmp_path / "data"
    for name, content in named_files(FIRESTORE).items():
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(content, encoding="utf-8")
    latest(data / "members_raw_latest.csv", {"ada": {"firstName": "Ada", "country": "DE", "level": 3}, "ben": {}})
    latest(data / "phones_raw_latest.csv", {"p": {"memberId": "ada", "token": "t:1", "platform": "ios"}})
    latest(data / "workouts_raw_latest.csv", {"w": {"memberId": "ada", "minutes": 30}})

    checked = tminus("--workspace", workspace, "check", "--data", data)
    assert checked.status == 0, checked.err
    where = {"all": [{"column": "level", "op": "at_least", "value": 2}, {"did": "workouts"}]}
    found = tminus("--workspace", workspace, "audience", "--where", json.dumps(where), "--data", data)
    assert found.out.startswith("1 user"), found.out
    assert "Ada" in found.out

    tokens = "SELECT data ->> 'memberId' AS user_id FROM phones_raw_latest"
    (query := tmp_path / "query.sql").write_text(tokens, encoding="utf-8")
    refused = tminus("--workspace", workspace, "audience", "--query", query, "--data", data)
    assert (refused.status, "private" in refused.err) == (2, True), refused.err


def latest(path: Path, documents: dict[str, dict[str, object]]) -> None:
    """Write a view of the extension as a file: one row for each document."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["document_id", "data", "timestamp"])
        for name, fields in documents.items():
            writer.writerow([name, json.dumps(fields), "2026-11-20T08:00:00Z"])
