"""`tminus up` where more is at stake: others can reach it, or messages go to phones."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.command import Tminus, calling
from tests.functional.test_up import ROOT, up

pytestmark = pytest.mark.slow

TOKEN = "0123456789abcdef-secret"
PATIENCE_SECONDS = 60


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tminus:
    """Run a command that has no terminal, in an empty folder, and is to refuse."""
    monkeypatch.delenv("TMINUS_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    return calling(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("options", "environ", "told"),
    [
        ((), {}, "set TMINUS_TOKEN to a secret of 16 characters or more"),
        ((), {"TMINUS_TOKEN": "short"}, "TMINUS_TOKEN: must have at least 16 characters, got 5"),
        (("--emulators",), {"TMINUS_TOKEN": TOKEN}, "the emulators serve this machine only"),
    ],
    ids=["no token", "a short one", "emulators"],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "machine.example"])
def test_an_address_that_others_reach_needs_a_token(
    tmp_path: Path,
    tminus: Tminus,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    options: tuple[str, ...],
    environ: dict[str, str],
    told: str,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    answer = tminus("up", "--host", host, *options)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert told in answer.err
    assert not (tmp_path / ".tminus").exists()


@pytest.fixture
def root(tmp_path: Path) -> Iterator[str]:
    with up(tmp_path, "--host", "0.0.0.0", environ={"TMINUS_TOKEN": TOKEN}) as console:
        yield console.removesuffix("console").replace("0.0.0.0", "127.0.0.1")


def ask(url: str, authorization: str = "", method: str = "GET") -> int:
    headers = {"Authorization": authorization, "Content-Type": "application/json"} if authorization else {}
    body = b"{}" if method == "POST" else None
    try:
        with urlopen(Request(url, body, headers, method=method), timeout=PATIENCE_SECONDS) as answer:
            return int(answer.status)
    except HTTPError as error:
        challenges = " ".join(error.headers.get_all("WWW-Authenticate", []))
        return error.code if error.code != 401 or "Basic" in challenges else 0


@pytest.mark.long
def test_another_token_is_not_called_a_missing_one(root: str) -> None:
    def told(**headers: str) -> str:
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(f"{root}api/health", headers=headers), timeout=PATIENCE_SECONDS)
        return str(json.load(refused.value)["message"])

    for missing in ({}, {"Authorization": "Basic ???"}, {"Authorization": "Bearer"}):
        assert told(**missing).startswith("the request does not show TMINUS_TOKEN: send Authorization: Bearer")
    for scheme in ("Bearer wrong", f"Basic {b64encode(b'ana:wrong').decode()}"):
        assert told(Authorization=scheme).startswith("the request shows another token than TMINUS_TOKEN of this")


@pytest.mark.long
def test_api_and_console_ask_for_the_token(root: str) -> None:
    bearer, password = f"Bearer {TOKEN}", f"Basic {b64encode(f'ana:{TOKEN}'.encode()).decode()}"
    for place in ("", "api/automation/recipes", "console/", "api/health"):
        assert ask(root + place) == 401
        assert ask(root + place, "Bearer wrong") == 401
        assert ask(root + place, f"Basic {b64encode(b'ana:wrong').decode()}") == 401
        assert ask(root + place, "Basic ???") == 401
        assert ask(root + place, bearer) == 200
        assert ask(root + place, password) == 200
    stop = f"{root}api/automation/control"
    assert ask(stop, method="POST") == 401
    assert ask(f"{root}reconcile", method="POST") == 401
    assert ask(stop, bearer, "POST") == 422
    assert ask(stop, password, "POST") == 401, "another site could have a browser send this"
    assert ask(f"{root}console/cancel/some.token") == 404, "a cancel link is its own key"


PHONES = {"PUSH_SENDER": "fcm", "GOOGLE_CLOUD_PROJECT": "kicks-prod"}


@pytest.mark.parametrize("command", [("up", "--port", "0"), ("run", ROOT / "local/recipes/new-user-welcome.json")])
def test_messages_to_phones_are_asked_about_and_refused_without_a_terminal(
    tmp_path: Path, tminus: Tminus, monkeypatch: pytest.MonkeyPatch, command: tuple[object, ...]
) -> None:
    data = ("--data", tmp_path / "data", "--state", tmp_path / "state")
    if command[0] == "run":
        assert tminus("data", "generate", tmp_path / "data", "--users", 10).status == 0
    for name, value in PHONES.items():
        monkeypatch.setenv(name, value)
    answer = tminus(*command, *data)
    assert answer.status == 2
    assert "messages go to real phones, of the Firebase project kicks-prod" in answer.err
    assert "--yes" in answer.err
    assert not (tmp_path / "state").exists()


@pytest.mark.long
def test_up_with_phones_starts_after_a_yes(tmp_path: Path) -> None:
    with up(tmp_path, "--yes", environ={**PHONES, "GOOGLE_APPLICATION_CREDENTIALS": "/nowhere"}) as console:
        with pytest.raises(HTTPError) as ill:
            urlopen(f"{console.removesuffix('console')}api/health", timeout=PATIENCE_SECONDS)
        assert ill.value.code == 503
        assert "pushSender" in json.loads(ill.value.read())["message"]
