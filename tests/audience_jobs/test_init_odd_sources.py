"""What `tminus init` says of sources with odd files, names and values, so that nothing is lost without a word."""

from pathlib import Path

from tests.audience_jobs.test_first_models import made, opted_out, phones
from tests.audience_jobs.test_init_command import csv_files, tminus
from tests.command import Tminus

__all__ = ["tminus"]
MEMBERS = "id,name\n1,a\n2,b\n3,c\n"


def test_a_suffix_in_capitals_is_one(tminus: Tminus) -> None:
    csv_files(opt_outs="member_id\n1\n")
    Path("export/opt_outs.csv").rename("export/opt_outs.CSV")
    report = made(tminus, members=MEMBERS, phones=phones(1, 2, 3))
    assert (report["optedOut"], len(opted_out(report))) == (1, 1)
    Path("export/opt_outs.csv").write_text("member_id\n2\n")
    twice = tminus("--workspace", "team", "check")
    assert twice.status == 2
    assert "exists too; remove the outdated one" in twice.err
    assert "any more" not in twice.err


def test_a_file_in_another_format_is_named(tminus: Tminus) -> None:
    csv_files(members=MEMBERS, phones=phones(1, 2, 3))
    for name in ("opt_outs.csv.gz", "orders.xlsx", "readme.txt", ".hidden"):
        (Path("export") / name).touch()
    reason = "only CSV and Parquet files are read, not packed: export it as one"
    assert made(tminus)["leftOut"] == [f'"{name}" (file): {reason}' for name in ("opt_outs.csv.gz", "orders.xlsx")]


def test_init_says_that_nothing_says_who_has_opted_out(tminus: Tminus) -> None:
    line = "says who has opted out, so {} is left out: write models/opt_outs.sql (docs/workspace.md)"
    report = made(tminus, members=MEMBERS, phones=phones(1, 2, 3))
    assert f"nothing {line.format('no one')}" in report["missing"]
    rows = phones(1, 2, 3).replace("ios\n", "ios,true\n").replace("os\n", "os,push_enabled\n", 1)
    csv_files(members=MEMBERS, phones=rows)
    switched = tminus("init", "other", "--data", "export", "--json").report
    assert f"nothing but phones.push_enabled {line.format('no one else')}" in switched["missing"]


def test_a_consent_that_is_left_out_for_its_name_is_said(tminus: Tminus) -> None:
    csv_files(members="id,marketing consent,größe\n1,yes,2\n2,no,3\n", phones=phones(1, 2))
    Path("export/opt outs.csv").write_text("member_id\n1\n")
    Path("export/unsubscribes.csv").touch()
    report = made(tminus)
    left_out = "models/opt_outs.sql does not read it, because it is left out"
    assert [line for line in report["unsure"] if "left out" in line] == [
        f'"marketing consent" of members may say who wants pushes: {left_out}',
        f'"opt outs" may list opt-outs: {left_out}',
        f'"unsubscribes.csv" may list opt-outs: {left_out}',
    ]


def test_a_consent_of_unknown_users_is_said(tminus: Tminus) -> None:
    report = made(
        tminus, members=MEMBERS, phones=phones(1, 2, 3), choices="email,push_enabled\na@b.de,true\nc@d.de,false\n"
    )
    assert "choices.push_enabled may say who wants pushes: models/opt_outs.sql does not read it" in report["unsure"]
