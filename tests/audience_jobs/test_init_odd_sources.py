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
