"""People in the console: search, and the page of one person."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from audience_jobs.workspace import Workspace
from functions.domain.ids import UserIdFormat
from functions.domain.roles import Role
from functions.usecases.cadence.track import track_notification
from tests.factories import push, recipe
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Page, Visitor, path_of

MakeLab = Callable[..., Lab]
FILES = {
    "tminus.toml": """name = "club"
[layers]
1 = { name = "Must arrive", exempt = true }
2 = "Campaigns"
[cadence.weekly]
layers = [2]
hours = 168
count = 1
[people]
search = ["email", "first_name"]
""",
    "tables.toml": """[members.columns]
id = "id"
email = { type = "text", private = true }
first_name = "text"

[phones.columns]
member_id = "id"
token = { type = "text", private = true }
platform = "text"
seen_at = "timestamp"
""",
    "models/people.sql": "SELECT m.id AS user_id, m.email, m.first_name FROM members AS m",
    "models/devices.sql": """SELECT d.member_id AS user_id, d.token, d.platform, d.seen_at AS updated_at
FROM phones AS d""",
}


@pytest.fixture
def lab(make_lab: MakeLab, tmp_path: Path) -> Lab:
    folder = tmp_path / "club"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    lab = make_lab(user_id_format=UserIdFormat.ANY)
    lab.workspace = Workspace(folder)
    lab.workspace.check()
    lab.restart()
    rows = [("m-1", "ada@club.example", "Ada"), ("m-2", "adam@club.example", "Adam"), ("m-3", "b@club.example", "Bo")]
    lab.write_table("members", ("id", "email", "first_name"), rows)
    at = "2026-03-01 00:00:00"
    lab.write_table("phones", ("member_id", "token", "platform", "seen_at"), [("m-1", "t-1", "ios", at)])
    lab.save(
        recipe(
            settings={"safeguards": {"requireTestFirst": False}},
            audienceCriteria={"where": {"column": "first_name", "op": "is", "value": "Ada"}},
            pushSequence=[push(1, layerId=2, title="Hi [[var:first_name]]", body="Come", deepLink=None)],
        )
    )
    return lab


def search(visitor: Visitor, text: str, status: int = 303) -> str:
    response = visitor.send("/people", "/people", {"user": text}, status=status)
    return path_of(response) if status == 303 else Page(response.text).text


def test_a_person_is_found_by_id_and_by_what_the_workspace_lets_search(visitor: Visitor) -> None:
    page = Page(visitor.send("/people", "/people", {"user": "ADA"}, status=200).text)
    assert "2 people m-1 First name Ada m-2 First name Adam" in page.text
    assert "@club.example" not in page.text
    address = search(visitor, "m-1")
    assert "m-1" not in address
    assert address in {values.get("href", "").removeprefix("/console") for _, values in page.elements}
    assert "1 person m-3" in search(visitor, "b@club", 200)
    assert "No person has this ID, email or first name." in search(visitor, "nobody", 422)
    assert "No person has this ID" in search(visitor, "m-", 422)


def test_the_page_says_who_which_caps_and_what_comes_next(lab: Lab, visitor: Visitor) -> None:
    address = search(visitor, "m-1")
    text = visitor.get(address).text
    assert "Devices 1 iOS" in text
    assert "First name Ada" in text
    assert "Weekly 0 of 1" in text
    assert "In no audience in the last 90 days." in text
    assert not re.search("ada@club|t-1", text)
    assert "Welcome" in visitor.get(f"{address}/next").text
    assert "Gets it" in visitor.get(f"{address}/next").text
    assert "Does not get it" in visitor.get(f"{search(visitor, 'm-3')}/next").text
    track_notification(lab.ports, {"userId": "m-1", "layerId": 2})
    text = visitor.get(address).text
    assert "Weekly 1 of 1" in text
    assert "free" in text
    assert "Another system" in text


def test_an_address_that_the_console_did_not_make_is_refused(visitor: Visitor) -> None:
    address = search(visitor, "m-1")
    visitor.get(address[:-1] + ("A" if address[-1] != "A" else "B"), 404)
    visitor.get("/people/bS0x", 404)
    visitor.become(Role.OPERATOR, "ben@kicks.example")
    visitor.get(address)
    visitor.become(Role.VIEWER)
    visitor.get(address, 403)
    assert "People" not in visitor.get("/").text


def test_what_was_sent_has_the_text_as_the_person_got_it(lab: Lab, visitor: Visitor) -> None:
    lab.run_to_the_end()
    lab.run_to(lab.clock.now() + timedelta(minutes=1))
    text = visitor.get(search(visitor, "m-1")).text
    assert "Sent Welcome" in text
    assert "Hi Ada Come" in text
    assert "Weekly 1 of 1" in text
