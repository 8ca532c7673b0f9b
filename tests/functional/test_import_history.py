"""Importing what another system has sent: what is kept, what is counted, and what a crash or a repeat leaves."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.domain.errors import BadFields, LedgerUnreadable
from functions.domain.ids import UserIdFormat
from functions.domain.instants import stamp
from functions.handlers.http.as_json import as_json
from functions.ports import Ports
from functions.usecases.cadence.import_history import Imported, import_history
from functions.usecases.cadence.track import track_notification
from functions.usecases.reports.history import notifications_of
from tests.factories import push, recipe, user
from tests.functional.conftest import Lab
from tests.functional.crashes import Crash, CrashPoint

MakeLab = Callable[..., Lab]
SENT_AT = "2026-03-01T18:30:00Z"


def csv(*rows: str, header: str = "user_id,layer,sent_at") -> bytes:
    return "\n".join([header, *rows]).encode()


def load(lab: Lab, content: bytes, *, dry_run: bool = False) -> Imported:
    return import_history(lab.ports, io.BytesIO(content), dry_run=dry_run)


def history(lab: Lab, number: int) -> list[tuple[int, str, str]]:
    found = notifications_of(lab.ports, user(number), until=lab.clock.now(), days=30).notifications
    return [(push.layer_id, stamp(push.sent_at) or "", push.name or "") for push in found]


@pytest.mark.slow
def test_an_imported_push_holds_back_the_next_one(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    report = load(lab, csv(f"{user(1)},3,{SENT_AT}", f"{user(2)},3,{SENT_AT}"))
    assert (report.rows, report.imported) == (2, 2)
    lab.run_to_the_end()
    assert lab.report()["totals"]["excluded"] == {"layer_3_cooldown": 2}


def test_every_row_is_counted_once(lab: Lab) -> None:
    report = load(
        lab,
        csv(
            f"{user(1)},3,{SENT_AT}",
            f"{user(1)},3,{SENT_AT}",
            f"{user(1).upper()},3,2026-03-01T19:30:00+01:00",
            f"{user(1)},2,{SENT_AT}",
            f"{user(1)},3,2025-01-01T00:00:00Z",
            f"{user(1)},1,{SENT_AT}",
            f"jo,3,{SENT_AT}",
            f"{user(1)},3,2026-03-02T17:00:00Z",
            f"{user(1)},3",
        ),
    )
    document = json.loads(json.dumps(as_json(report)))
    errors = document.pop("errors")
    assert document == {
        "dryRun": False,
        "rows": 9,
        "imported": 2,
        "duplicates": 2,
        "skipped": {"too_old": 1, "layer_bypasses": 1},
        "refused": 3,
        "refusedFor": {"user_id": 1, "sent_at": 1, "row": 1},
        "columns": {"user_id": "user_id", "layer": "layer", "sent_at": "sent_at"},
        "leftOut": [],
    }
    assert [(error["line"], error["field"]) for error in errors] == [(8, "user_id"), (9, "sent_at"), (10, "row")]


def test_columns_in_upper_case_are_read(lab: Lab) -> None:
    rows = [f"{user(1)},3,{SENT_AT},shoes"]
    report = load(lab, csv(*rows, header="USER_ID,LAYER_ID,SENT_AT,RECIPE"))
    assert (report.imported, report.left_out) == (1, [])
    assert history(lab, 1) == [(3, SENT_AT, "shoes")]


def test_the_old_cadence_services_own_export_is_read(lab: Lab) -> None:
    header = "user_id,layer_id,push_title,push_body,sent_at,audience_description"
    rows = [f'{user(1)},3.0,Hi,"There, you",2026-03-01 18:30:00 UTC,all', f"{user(2)},0,,,{SENT_AT},"]
    report = load(lab, csv(*rows, header=header))
    assert (report.imported, report.refused) == (2, 0)
    assert (history(lab, 1), history(lab, 2)) == ([(3, SENT_AT, "Hi")], [(5, SENT_AT, "")])
    read = {"user_id": "user_id", "layer_id": "layer", "sent_at": "sent_at", "push_title": "title"}
    assert (report.columns, report.left_out) == (read, ["push_body", "audience_description"])
    assert load(lab, csv(f"{user(1)},3,{SENT_AT}")).duplicates == 1, "the same user, layer and second"


def test_a_fault_is_named_by_the_column_of_the_file(lab: Lab) -> None:
    report = load(lab, csv(f"{user(1)},9,{SENT_AT}", header="user_id,layer_id,sent_at"))
    assert [(error.line, error.field) for error in report.errors] == [(2, "layer_id")]


def test_two_columns_that_mean_the_same_are_refused(lab: Lab) -> None:
    with pytest.raises(BadFields, match="has the columns layer and layer_id, which mean the same: leave one out"):
        load(lab, csv(f"{user(1)},3,3,{SENT_AT}", header="user_id,layer,layer_id,sent_at"))


@pytest.mark.parametrize(
    "content",
    [
        f"user_id;layer;sent_at\n{user(1)};3;{SENT_AT}\n",
        f"user_id\tlayer\tsent_at\r\n{user(1)}\t3\t{SENT_AT}\r\n",
        f"sep=;\r\nuser_id;layer;sent_at\r\n{user(1)};3;{SENT_AT}\r\n",
        f'\ufeff"sep=,"\nuser_id, layer, sent_at\n{user(1)}, 3, {SENT_AT}\n',
    ],
)
def test_separators_are_read_as_the_first_lines_say(lab: Lab, content: str) -> None:
    assert load(lab, content.encode()).imported == 1


def test_a_fault_below_a_line_that_names_the_separator_has_the_line_of_the_file(lab: Lab) -> None:
    report = load(lab, f"sep=;\nuser_id;layer;sent_at\n{user(1)};9;{SENT_AT}\n".encode())
    assert report.errors[0].line == 3


def test_only_the_first_errors_are_shown_but_all_are_counted(lab: Lab) -> None:
    report = load(lab, csv(*(f"jo{n},3,{SENT_AT}" for n in range(150))))
    assert (report.refused, len(report.errors)) == (150, 100)


def test_a_dry_run_says_the_same_and_writes_nothing(lab: Lab) -> None:
    content = csv(f"{user(1)},3,{SENT_AT}", f"{user(1)},3,{SENT_AT}")
    dry = load(lab, content, dry_run=True)
    assert (dry.imported, dry.duplicates, history(lab, 1)) == (1, 1, [])
    assert load(lab, content).imported == 1


def test_what_is_in_the_ledger_already_is_a_duplicate_from_any_source(lab: Lab) -> None:
    track_notification(lab.ports, {"userId": user(1), "layerId": 3, "sentAt": SENT_AT})
    content = csv(f"{user(1)},3,{SENT_AT}", f"{user(2)},3,{SENT_AT}")
    assert load(lab, content).duplicates == 1
    assert load(lab, content).duplicates == 2
    assert len(history(lab, 1)) == 1


def test_names_of_recipes_or_titles_are_kept_to_tell_people(lab: Lab) -> None:
    header = "\ufefftitle,sent_at,layerId,user_id,recipe"
    load(
        lab,
        csv(
            f'"Hello, ""you""\nthere",{SENT_AT},3,{user(1)},',
            f"Hi,2026-03-01T20:00:00Z,2,{user(1)},spring",
            header=header,
        ),
    )
    assert history(lab, 1) == [(2, "2026-03-01T20:00:00Z", "spring"), (3, SENT_AT, 'Hello, "you"\nthere')]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("user_id,layer", "the column sent_at is missing"),
        ("user_id,sent_at", "the column layer is missing"),
        ("layer,sent_at", "the column user_id is missing"),
    ],
)
def test_a_missing_column_is_named(lab: Lab, header: str, reason: str) -> None:
    with pytest.raises(BadFields, match=reason):
        load(lab, csv(header=header))


def test_a_file_that_breaks_in_the_middle_imports_nothing(lab: Lab) -> None:
    with pytest.raises(BadFields, match="line 3: byte 1"):
        load(lab, csv(f"{user(1)},3,{SENT_AT}") + b"\n\xff,3,x\n")
    assert history(lab, 1) == []


def test_any_text_is_a_user_id_where_the_deployment_says_so(make_lab: MakeLab) -> None:
    lab = make_lab(user_id_format=UserIdFormat.ANY)
    assert load(lab, csv(f"jo,3,{SENT_AT}", f",3,{SENT_AT}")).imported == 1


def many(users: int) -> bytes:
    return csv(*(f"{user(n)},{2 + n % 2},2026-02-{24 + n % 5}T12:00:{n % 60:02}Z,r{n % 3}" for n in range(users)),
               header="user_id,layer,sent_at,recipe")  # fmt: skip


@pytest.mark.long
def test_an_import_takes_few_transactions(make_lab: MakeLab) -> None:
    point = CrashPoint(None)
    lab = make_lab(wrap=point.wrap)
    assert load(lab, many(2_000)).imported == 2_000
    assert point.calls.count("ledger.transact") <= 256
    assert load(lab, many(2_000)).duplicates == 2_000


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [0, 1, *(pytest.param(number, marks=pytest.mark.long) for number in (5, 40))])
def test_what_a_crash_left_out_is_imported_by_doing_it_again(make_lab: MakeLab, number: int, after: bool) -> None:
    lab = make_lab(wrap=CrashPoint(number, after=after).wrap)
    with pytest.raises(Crash):
        load(lab, many(60))
    lab.wrap = lambda ports: ports
    lab.restart()
    report = load(lab, many(60))
    assert report.imported + report.duplicates == 60
    assert sum(len(history(lab, n)) for n in range(60)) == 60


class _Unreadable:
    def __init__(self, ports: Ports) -> None:
        self.rules = ports.ledger.rules

    def transact(self, *_: Any) -> Any:
        raise LedgerUnreadable("disk on fire")


def test_trouble_with_the_ledger_is_passed_on(lab: Lab) -> None:
    ledger: Any = _Unreadable(lab.ports)
    with pytest.raises(LedgerUnreadable):
        import_history(replace(lab.ports, ledger=ledger), io.BytesIO(many(3)), dry_run=False)


def test_a_refused_file_of_the_command_line_ends_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from local.cli.main import main  # noqa: PLC0415

    file = tmp_path / "history.csv"
    now = datetime.now(UTC).replace(microsecond=0)
    file.write_bytes(csv(f"{user(1)},3,{now.isoformat()}", f"jo,3,{now.isoformat()}"))
    for expected in ("1 imported, 0 duplicates", "0 imported, 1 duplicates"):
        monkeypatch.setattr(
            "sys.argv", ["tminus", "cadence", "import", str(file), "--state", str(tmp_path / "state")]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert ended.value.code == 2
        assert expected in told.out
        assert 'line 3: user_id: "jo" is not a valid user id' in told.err
