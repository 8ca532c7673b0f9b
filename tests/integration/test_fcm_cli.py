"""The command line with phones at the other end: the settings alone decide where messages go."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.cli.main import main
from local.sample import generate
from tests.conftest import MakeFcm

RECIPE = Path(__file__).parents[2] / "local" / "recipes" / "sneaker-reactivation.json"


@pytest.mark.long
def test_a_run_sends_to_fcm_where_the_settings_say_so(
    make_fcm: MakeFcm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fcm, _ = make_fcm()
    generate(tmp_path / "data", users=1_000, seed=5, at=datetime(2026, 5, 4, tzinfo=UTC))
    told = {"PUSH_SENDER": "fcm", "GOOGLE_CLOUD_PROJECT": "demo", "FCM_ENDPOINT": fcm.endpoint}
    told |= {"FCM_CA_FILE": str(fcm.ca_file), "FCM_CREDENTIALS_FILE": str(fcm.service_account_file)}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    command = ["run", RECIPE, "--data", tmp_path / "data", "--state", tmp_path / "state", "--json", "--yes"]
    monkeypatch.setattr("sys.argv", ["tminus", *map(str, command), "--at", "2026-05-04T22:00:00Z"])
    with pytest.raises(SystemExit) as ended:
        main()
    totals = json.loads(capsys.readouterr().out)["totals"]
    assert ended.value.code == 0
    assert len(fcm.requests) == totals["sent"] + totals["testSent"] > 3
    by_push = Counter((r.token, r.body["message"]["android"]["notification"]["tag"]) for r in fcm.requests)
    assert max(by_push.values()) == 1
    assert not (tmp_path / "state" / "outbox.jsonl").exists()
    assert (tmp_path / "state" / "receipts").is_dir()
