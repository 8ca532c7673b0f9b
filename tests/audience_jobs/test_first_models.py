"""What `tminus init` makes of opt-outs and events: who is left out, what it reads, and what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.workspace import Workspace
from audience_jobs.workspace.opt_out_names import ends_it, is_about_another_channel, is_of_opt_outs, sense_of
from tests.audience_jobs.test_init_command import csv_files, tminus
from tests.command import Tminus

__all__ = ["tminus"]
TOKEN = "dGVzdC1pbnN0YW5jZQ:APA91b" + "x" * 130


@pytest.mark.parametrize(
    ("sense", "names"),
    [
        (
            "out",
            "opted_out optedOut has_opted_out is_unsubscribed push_opt_out push_disabled no_push notificationsMuted",
        ),
        ("out", "unsubscribed_from_push opted_out_of_marketing do_not_contact mute_notifications marketing_opt_out"),
        ("switch", "push_enabled pushEnabled notifications_enabled notifications push_allowed allow_notifications"),
        (
            "consent",
            "marketing_opt_in pushOptIn opted_in accepts_marketing push_consent subscribed_to_push wants_push",
        ),
        (None, "subscribed newsletter email_opt_in sms_opt_out emailUnsubscribed muted blocked disabled marketing"),
        (
            None,
            "push_count unsubscribe_reason gdpr_consent do_not_disturb active enabled email_notifications_enabled",
        ),
    ],
)
def test_a_name_has_a_sense_only_where_it_leaves_no_doubt(sense: str | None, names: str) -> None:
    assert {name: sense_of(name) for name in names.split()} == dict.fromkeys(names.split(), sense)


def test_times_and_tables_are_those_of_opt_outs_by_their_names() -> None:
    times = "unsubscribed_at optedOutAt push_opt_out_date push_opt_in_at created_at opted_out"
    assert [name for name in times.split() if ends_it(name)] == ["unsubscribed_at", "optedOutAt", "push_opt_out_date"]
    tables = "unsubscribes OptOuts opted_out_users suppression_list email_unsubscribes opt_ins subscriptions"
    found = [name for name in tables.split() if is_of_opt_outs(name)]
    assert found == ["unsubscribes", "OptOuts", "opted_out_users", "suppression_list", "email_unsubscribes"]
    assert [name for name in found if is_about_another_channel(name)] == ["email_unsubscribes"]


def made(tminus: Tminus, *, check: bool = True, **tables: str) -> dict[str, Any]:
    """Return what init says of these tables, of members and their phones; `tminus check` agrees."""
    csv_files(**tables)
    answer = tminus("init", "team", "--data", "export", "--json")
    assert answer.status == 0, answer.err
    if check:
        checked = tminus("--workspace", "team", "check")
        assert checked.status == 0, checked.err
    return answer.report


def phones(*ids: int) -> str:
    return "member_id,push_token,os\n" + "".join(f"{id_},{TOKEN}{id_},ios\n" for id_ in ids)


def opted_out(report: dict[str, Any]) -> list[str]:
    return [line.removeprefix("opted out: ") for line in report["guessed"] if line.startswith("opted out: ")]


@pytest.mark.parametrize(
    ("column", "values", "left_out", "said"),
    [
        ("push_enabled", "true false true false ", 2, "is false: 2 of 5 sampled rows"),
        ("push_enabled", "1 0 1 1 ", 1, "is false: 1 of 5 sampled rows"),
        ("marketing_opt_in", "true false true true ", 2, "is not true: 2 of 5 sampled rows"),
        ("marketingOptIn", "1 0 1 1 1", 1, "is not true: 1 of 5 sampled rows"),
        ("opted_out", "true false false false ", 1, "is true: 1 of 5 sampled rows"),
        ("unsubscribed", "yes no no yes no", 2, "is true: 2 of 5 sampled rows"),
        ("push_disabled", "0 0 1 0 0", 1, "is true: 1 of 5 sampled rows"),
        ("unsubscribed_at", "2026-01-02T03:04:05Z    ", 1, ": 1 of 5 sampled rows"),
    ],
)
def test_a_column_of_the_people_says_who_has_opted_out(
    column: str, values: str, left_out: int, said: str, tminus: Tminus
) -> None:
    rows = "".join(f"{number},n{number},{value}\n" for number, value in enumerate(values.split(" "), start=1))
    report = made(tminus, check=False, members=f"id,name,{column}\n{rows}", phones=phones(1, 2, 3, 4, 5))
    [line] = opted_out(report)
    assert f"members.{column}" in line
    assert line.endswith(said)
    assert (report["people"], report["reachable"], report["optedOut"]) == (5, 5, left_out)
    assert any(column in each and "is empty in 1 of 5" in each for each in report["unsure"]) == (
        values.endswith(" ") and column != "unsubscribed_at"
    )


def test_who_tests_has_not_opted_out(tminus: Tminus) -> None:
    report = made(tminus, members="id,opt_out\n1,true\n2,false\n", phones=phones(1, 2))
    assert report["optedOut"] == 1
    assert json.loads(Path("team/recipes/hello.json").read_text())["settings"]["testUserIds"] == ["2"]


def test_a_table_of_people_that_is_named_like_opt_outs_is_not_one(tminus: Tminus) -> None:
    report = made(tminus, suppressed_users="id,name\n1,a\n2,b\n", phones=phones(1, 2).replace("member_id", "user_id"))
    assert (report["people"], report["optedOut"]) == (2, 0)


def test_of_people_with_several_rows_any_row_counts(tminus: Tminus) -> None:
    members = "id,category,push_enabled\n" + "".join(f"{n},all,true\n" for n in range(1, 1100))
    report = made(tminus, members=f"{members}2,all,false\n", phones=phones(1, 2))
    assert (report["people"], report["optedOut"]) == (1099, 1)


@pytest.mark.long
def test_several_columns_each_say_it(tminus: Tminus) -> None:
    rows = "id,push_enabled,unsubscribed\n1,true,false\n2,false,false\n3,true,true\n4,,\n"
    assert made(tminus, members=rows, phones=phones(1, 2, 3, 4))["optedOut"] == 2


def test_what_is_not_sure_is_said_and_not_read(tminus: Tminus) -> None:
    members = "id,subscribed,email_opt_in,push_state,muted\n1,true,true,on,true\n2,false,false,off,false\n"
    report = made(tminus, members=members, phones=phones(1, 2))
    unclear = "may say who wants pushes: models/opt_outs.sql does not read it"
    assert [line for line in report["unsure"] if unclear in line] == [
        f"members.{name} {unclear}" for name in ("subscribed", "email_opt_in", "muted")
    ]
    assert (opted_out(report), report["optedOut"]) == ([], 0)
    assert not Path("team/models/opt_outs.sql").exists()


@pytest.mark.long
def test_a_sense_that_opts_most_out_is_said(tminus: Tminus) -> None:
    report = made(tminus, members="id,push_enabled\n1,false\n2,false\n3,true\n", phones=phones(1, 2, 3))
    assert "members.push_enabled opts most users out: look at its sense in models/opt_outs.sql" in report["unsure"]


@pytest.mark.long
def test_settings_in_a_table_of_their_own_are_read(tminus: Tminus) -> None:
    report = made(
        tminus,
        members="id,name\n1,a\n2,b\n3,c\n",
        phones=phones(1, 2, 3),
        settings="member_id,push_enabled\n1,false\n2,true\n",
        preferences="member_id,topic,push_enabled\n2,all,false\n2,news,true\n3,news,false\n1,news,true\n",
        sessions="member_id,push_enabled,at\n3,false,2026-01-01T00:00:00Z\n3,true,2026-01-02T00:00:00Z\n",
        tablets="member_id,platform,push_enabled\n3,ios,false\n1,ios,true\n",
        clubs="id,owner_id,push_enabled\nx,3,false\ny,1,true\n",
    )
    assert report["optedOut"] == 2
    unclear = "may say who wants pushes: models/opt_outs.sql does not read it"
    assert f"sessions.push_enabled {unclear}: a user has several rows" in report["unsure"]
    assert f"tablets.push_enabled {unclear}: it is about devices" in report["unsure"]
    assert f"clubs.push_enabled {unclear}: its user may be another one" in report["unsure"]
    assert report["events"] == ["sessions"]
    columns = Workspace(Path("team")).models["opt_outs"].columns
    assert columns == {"user_id": "text", "topic": "text"}


@pytest.mark.long
def test_a_table_of_opt_outs_counts_where_it_is_about_pushes(tminus: Tminus) -> None:
    report = made(
        tminus,
        members="id,name\n1,a\n2,b\n3,c\n",
        phones=phones(1, 2, 3),
        opt_outs="member_id,status,deleted\n1,done,false\n2,done,true\n",
        email_unsubscribes="member_id\n3\n",
        unsubscribes="member_id,channel\n3,sms\n",
        opt_out_reasons="code,text\nx,too many\n",
    )
    assert (report["optedOut"], report["events"]) == (1, [])
    told = "\n".join(report["unsure"])
    for line in (
        "opt_outs.status is not read: each row counts as an opt-out",
        "opt_outs.deleted: rows that it says are deleted are left out",
        "email_unsubscribes is taken for opt-outs from another channel: models/opt_outs.sql leaves it out",
        "unsubscribes.channel names no channel of pushes: models/opt_outs.sql leaves unsubscribes out",
        "opt_out_reasons may list opt-outs, but no column refers to members: models/opt_outs.sql leaves it out",
    ):
        assert line in told


@pytest.mark.long
def test_a_table_that_holds_no_events_is_named_with_the_reason(tminus: Tminus) -> None:
    day, next_day = "2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"
    report = made(
        tminus,
        members="id,name\n1,a\n2,b\n3,c\n",
        phones=phones(1, 2, 3),
        gyms=f"id,opened\n1,{day}\n2,{day}\n",
        tags="member_id,tag\n1,x\n1,y\n",
        orders=f"member_id,ordered,shipped\n1,{day},{next_day}\n1,{day},{next_day}\n",
        profiles=f"member_id,verified_at\n1,{day}\n2,{day}\n",
        transfers=f"from_member_id,to_member_id,at\n1,2,{day}\n1,2,{day}\n",
    )
    assert report["events"] == []
    assert report["noEvents"] == [
        "gyms: no column refers to members",
        "orders: which of ordered, shipped says when?",
        "profiles: each member_id has one row in the sample: events have several",
        "tags: no column is a time",
        "transfers: from_member_id and to_member_id both refer to members",
    ]


@pytest.mark.long
def test_events_have_their_time_their_name_and_nothing_private(tminus: Tminus) -> None:
    report = made(
        tminus,
        members="id,name\n1,a\n2,b\n3,c\n",
        phones=phones(1, 2, 3),
        conversions="user_id,day,guest_email\n1,2026-01-01,a@b.example\n1,2026-01-02,c@d.example\n",
        Visits="memberId,createdAt,updatedAt,Place,deleted\n"
        "1,2026-01-01T10:00:00Z,2026-01-03T10:00:00Z,pool,false\n"
        "2,2026-01-01T10:00:00Z,2026-01-04T10:00:00Z,gym,true\n"
        "1,2026-01-02T10:00:00Z,2026-01-05T10:00:00Z,gym,false\n",
    )
    assert report["events"] == ["visits", "conversions_events"]
    models = Workspace(Path("team")).models
    assert models["visits"].columns == {
        "user_id": "text",
        "at": "timestamp",
        "updatedAt": "timestamp",
        "Place": "text",
    }
    assert models["conversions_events"].columns == {"user_id": "text", "at": "timestamp"}
    assert "Visits.createdAt is taken for the time of the model visits, and not updatedAt" in report["unsure"]
    for did, count in (("visits", 1), ("conversions_events", 1)):
        found = tminus("--workspace", "team", "audience", "--where", json.dumps({"did": did}), "--json")
        assert (found.status, found.report["count"]) == (0, count), found.err


@pytest.mark.long
def test_a_switch_of_people_who_are_in_one_table_with_their_devices_is_read(tminus: Tminus) -> None:
    rows = "".join(f"{n},n{n},{TOKEN}{n},ios,{'false' if n % 3 == 0 else 'true'}\n" for n in range(1, 13))
    report = made(tminus, members=f"id,name,push_token,platform,push_enabled\n{rows}")
    assert (report["optedOut"], len(opted_out(report))) == (4, 1)
    assert "push_enabled" not in Path("team/models/devices.sql").read_text()
