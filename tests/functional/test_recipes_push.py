"""`tminus recipes push`, `pull` and `diff`: the recipes of a workspace and those of a running system."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.domain.audit import Action, Deed
from functions.gcp.auth.id_tokens import IdTokens
from functions.gcp.clock import SystemClock
from functions.settings.read import read_settings
from functions.usecases.recipes.save import pause_recipe, update_recipe
from local.cli.api_client import ApiClient, NoAnswer
from local.runtime.served import Served
from local.runtime.serving import http_server
from local.standins.cloud_tasks.certificates import CertificateServer
from tests.command import Answer, Tminus, calling
from tests.factories import recipe
from tests.functional.conftest import _APPS, START_AT, Lab
from tests.functional.test_callers import ENVIRONMENT, ROBOT, Signer, of_service, without_signature

pytestmark = pytest.mark.slow

_TABLES = '[users.columns]\nid = "id"\n'
SECRET = "a-token-of-somebody"


class Door:
    """Stands before the API: `meanwhile` happens once, before the next request that writes; `answers` come first."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.meanwhile: Callable[[], object] | None = None
        self.answers: list[tuple[str, list[tuple[str, str]], bytes]] = []
        self.lost = 0
        self.requests: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        self.requests.append(method)
        if method != "GET" and self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        if self.answers:
            status, headers, body = self.answers.pop(0)
            start_response(status, headers)
            return [body]
        if method != "GET" and self.lost:
            self.lost -= 1
            list(self._app(environ, lambda *_: None))
            start_response("503 Service Unavailable", [("Retry-After", "0")])
            return [b"upstream is gone"]
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


@pytest.fixture
def door() -> Door:
    return Door(_APPS()["api"])


@pytest.fixture
def empty(make_lab: Callable[..., Lab]) -> Lab:
    """A running system without recipes."""
    return make_lab()


@pytest.fixture
def url(empty: Lab, door: Door) -> Iterator[str]:
    with Served(http_server({**_APPS(), "api": door}, empty.ports, "127.0.0.1", 0)) as running:
        yield running.url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a workspace's recipes."""
    (tmp_path / "kicks" / "recipes").mkdir(parents=True)
    (tmp_path / "kicks" / "tminus.toml").write_text('name = "kicks"\n')
    (tmp_path / "kicks" / "tables.toml").write_text(_TABLES)
    (tmp_path / "kicks" / "jobs").mkdir()
    (tmp_path / "kicks" / "jobs" / "everybody.sql").write_text("SELECT id AS user_id FROM users\n")
    return tmp_path / "kicks" / "recipes"


@pytest.fixture
def tminus(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tminus:
    """`tminus recipes` in the workspace."""
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("TMINUS_URL", url)
    call = calling(monkeypatch, capsys)
    return lambda *args: call("recipes", *args)


def campaign(**changes: Any) -> dict[str, Any]:
    """A daily recipe of one push to everybody; None leaves a field out."""
    push = {"title": "Hällo → 日本", "body": "There", "layerId": 1, "deepLink": "https://kicks.example/shoes"}
    document = recipe(**{"id": "sale", "pushSequence": [push], **changes})
    return {name: value for name, value in document.items() if value is not None}


def write(folder: Path, name: str, document: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def outcomes(answer: Answer) -> dict[str, str]:
    return {each["recipeId"]: each["outcome"] for each in answer.report["recipes"]}


def stored(lab: Lab, recipe_id: str = "sale") -> dict[str, Any]:
    document = lab.ports.recipes.get(recipe_id)
    assert document is not None
    return document


def test_a_second_push_changes_nothing(empty: Lab, tminus: Tminus, folder: Path, door: Door) -> None:
    write(folder, "sale.json", campaign())
    write(folder, "calm.json", campaign(id=None, status="draft"))
    first = tminus("push", "--yes")
    assert first.status == 0, first.err
    assert first.out.splitlines() == [
        "recipes/calm.json: created: recipe calm is created",
        "recipes/sale.json: created: recipe sale is created",
        "2 recipes: 2 created, 0 replaced, 0 same, 0 refused",
    ]
    before, door.requests = stored(empty), []
    assert outcomes(tminus("push", "--json")) == {"calm": "same", "sale": "same"}
    assert (stored(empty), door.requests) == (before, ["GET"])
    assert stored(empty, "calm")["status"] == "draft"
    assert tminus("diff").status == 0


def test_a_push_replaces_the_whole_recipe_and_removes_none(empty: Lab, tminus: Tminus, folder: Path) -> None:
    empty.save(campaign(description="Old", metadata={"owner": "growth"}))
    empty.save(campaign(id="other"))
    write(folder, "sale.json", campaign(name="Sale"))
    dry = tminus("push", "--dry-run")
    assert "recipes/sale.json: would be replaced" in dry.out
    counts = "0 would be created, 1 would be replaced, 0 same, 0 refused"
    assert dry.out.splitlines()[-1] == f"1 recipe: {counts}; nothing was changed"
    assert '  name: "Welcome" -> "Sale"\n  description: "Old" -> missing' in dry.out
    assert stored(empty)["description"] == "Old"
    assert tminus("push", "--yes").status == 0
    assert (stored(empty)["name"], stored(empty)["description"], stored(empty)["metadata"]) == ("Sale", None, None)
    assert stored(empty)["createdAt"]
    assert tminus("diff").out.splitlines()[:2] == ["recipes/sale.json: same", "other: only in the system"]


def test_a_null_in_a_push_is_pushed_as_it_leaves_a_default_out(empty: Lab, tminus: Tminus, folder: Path) -> None:
    written = campaign()
    empty.save(written)
    [push] = written["pushSequence"]
    write(folder, "sale.json", {**written, "pushSequence": [{**push, "image": None, "ios": {"sound": None}}]})
    diff = tminus("diff").out
    assert "  pushSequence[0].image: missing -> null\n" in diff
    assert tminus("push", "--yes").status == 0
    assert stored(empty)["pushSequence"][0].items() >= {"image": None, "ios": {"sound": None}}.items()
    assert tminus("diff").status == 0


def test_an_active_recipe_is_pushed_only_after_a_yes(empty: Lab, tminus: Tminus, folder: Path) -> None:
    write(folder, "sale.json", campaign())
    refused = tminus("push")
    assert (refused.status, "sale is active and will send to real users" in refused.err) == (2, True)
    assert empty.ports.recipes.get("sale") is None
    write(folder, "sale.json", campaign(status="draft"))
    assert tminus("push").status == 0


def test_one_bad_file_stops_the_whole_push(empty: Lab, tminus: Tminus, folder: Path) -> None:
    write(folder, "good.json", campaign(id="good"))
    write(
        folder,
        "late.json",
        campaign(id="late", schedule__executionTime="25:00", settings__safegards={}, pushSequence=[]),
    )
    write(folder, "odd.json", campaign(id="odd", audienceCriteria__customScript__scriptId="nothing"))
    write(folder, "twin.json", campaign(id="good"))
    (folder / "broken.json").write_text("{")
    answer = tminus("push", "--yes")
    assert (answer.status, answer.out) == (2, "")
    assert [line.split(": ")[:3] for line in answer.err.splitlines()[:2]] == [
        ["recipes/broken.json", "refused", "line 1, column 2"],
        ["recipes/good.json", "refused", "id"],
    ]
    assert "recipes/late.json: refused: schedule.executionTime: " in answer.err
    assert "recipes/late.json: refused: pushSequence: " in answer.err
    assert "recipes/odd.json: refused: audienceCriteria.customScript.scriptId: " in answer.err
    assert "recipes/late.json: refused: settings.safegards: is not a field of a recipe" in answer.err
    assert empty.ports.recipes.page(most=9) == []
    assert set(outcomes(tminus("push", "--json")).values()) == {"refused"}
    assert tminus("diff").status == 2
    assert tminus("push", "--yes", folder / "good.json").status == 0
    assert tminus("push", folder / "none.json").err == (
        f"{folder}/none.json: refused: no such file\ntminus: nothing was saved: correct the files, and push again\n"
    )


def test_what_only_the_system_refuses_is_said_to_come_from_its_workspace(
    tminus: Tminus, folder: Path, door: Door
) -> None:
    write(folder, "sale.json", campaign())
    error = {"field": "pushSequence[0].title", "reason": "[[var:name]] names no column", "code": "invalid"}
    body = {"success": False, "data": None, "message": "invalid", "errors": [error]}
    listed = {"success": True, "data": [], "message": "", "errors": [], "pagination": {"limit": 100, "next": None}}
    header = [("Content-Type", "application/json")]
    door.answers = [("200 OK", header, json.dumps(listed).encode()), ("422 X", header, json.dumps(body).encode())]
    said = "the system says, by its own workspace: [[var:name]] names no column"
    assert tminus("push", "--yes").err == f"recipes/sale.json: refused: pushSequence[0].title: {said}\n"


def test_a_folder_that_is_named_like_a_recipe_is_called_a_folder(empty: Lab, tminus: Tminus, folder: Path) -> None:
    (folder / "sale.json").mkdir()
    said = "recipes/sale.json: refused: is a folder, and a recipe is a file: rename it, or move it away\n"
    assert tminus("push").err.startswith(said)
    empty.save(campaign())
    for options in ((), ("--force",)):
        pulled = tminus("pull", *options)
        assert (pulled.status, pulled.err) == (2, said)


def test_a_recipe_that_is_edited_meanwhile_is_not_overwritten(
    empty: Lab, tminus: Tminus, folder: Path, door: Door
) -> None:
    empty.save(campaign())
    write(folder, "sale.json", campaign(name="Mine"))
    write(folder, "tail.json", campaign(id="tail"))
    door.meanwhile = lambda: update_recipe(empty.ports, "sale", {"name": "Theirs"}, by="ana")
    answer = tminus("push", "--yes")
    assert (answer.status, stored(empty)["name"]) == (2, "Theirs")
    assert answer.err == (
        "recipes/sale.json: refused: was changed in the system while this ran; see tminus recipes diff, and push "
        "again to replace it\n"
    )
    assert "recipes/tail.json: created" in answer.out, "the others go on"
    assert '  name: "Theirs" -> "Mine"' in tminus("diff").out
    assert outcomes(tminus("push", "--yes", "--json")) == {"sale": "replaced", "tail": "same"}
    assert stored(empty)["name"] == "Mine"


def test_a_pause_in_the_console_shows_as_a_difference(empty: Lab, tminus: Tminus, folder: Path) -> None:
    write(folder, "sale.json", campaign())
    assert tminus("push", "--yes").status == 0
    pause_recipe(empty.ports, "sale", by="ana")
    differs = tminus("diff", "--json")
    assert differs.status == 1
    assert differs.report["recipes"][0]["fields"] == [{"field": "status", "system": "paused", "workspace": "active"}]
    write(folder, "sale.json", campaign(status="paused", isActive=False))
    assert tminus("diff").status == 0


@pytest.mark.long
def test_a_send_under_way_is_moved_only_as_somebody_says(empty: Lab, tminus: Tminus, folder: Path) -> None:
    write(folder, "sale.json", campaign())
    assert tminus("push", "--yes").status == 0
    empty.run_to(START_AT.replace(minute=10))
    write(folder, "sale.json", campaign(schedule__executionTime="20:00"))
    answer = tminus("push", "--yes")
    assert (answer.status, "underway=keep" in answer.err, "--underway" in answer.err) == (2, True, True)
    kept = tminus("push", "--yes", "--underway", "keep")
    assert (kept.status, stored(empty)["schedule"]["executionTime"]) == (0, "20:00")


def test_what_is_pulled_is_the_same_at_once(empty: Lab, tminus: Tminus, folder: Path) -> None:
    folder.rmdir()
    for number in range(3):
        empty.save(campaign(id=f"sale-{number}", metadata={"a": None, "z": 1.5}))
    pulled = tminus("pull")
    assert (pulled.status, pulled.out.splitlines()[0]) == (0, "recipes/sale-0.json: created")
    text = (folder / "sale-0.json").read_text(encoding="utf-8")
    assert list(json.loads(text))[:3] == ["id", "name", "status"]
    assert "Hällo → 日本" in text
    assert text.endswith("}\n")
    assert not {"isActive", "createdAt", "updatedAt", "firstSendAt", "nextSendAt"} & json.loads(text).keys()
    assert tminus("validate", *sorted(folder.iterdir())).status == 0
    assert tminus("diff").status == 0
    assert set(outcomes(tminus("push", "--json")).values()) == {"same"}
    assert set(outcomes(tminus("pull", "--json")).values()) == {"same"}
    assert (folder / "sale-0.json").read_text(encoding="utf-8") == text
    assert sorted(path.name for path in folder.iterdir()) == [f"sale-{n}.json" for n in range(3)]


def test_a_file_that_differs_is_replaced_only_by_force(empty: Lab, tminus: Tminus, folder: Path) -> None:
    empty.save(campaign(name="Theirs"))
    empty.save(campaign(id="torn"))
    mine = write(folder, "my sale.json", {"name": "Mine", **campaign(name="Mine")})
    (folder / "torn.json").write_text("{")
    (folder / "own.json").write_text(json.dumps(campaign(id="own")))
    before = mine.read_text()
    answer = tminus("pull")
    assert (answer.status, mine.read_text()) == (2, before)
    assert "recipes/my sale.json: refused: differs in name; tminus recipes diff shows how, --force" in answer.err
    assert "recipes/torn.json: refused: --force replaces the file" in answer.err
    assert outcomes(tminus("pull", "sale", "--force", "--json")) == {"sale": "replaced"}
    assert list(json.loads(mine.read_text()))[:2] == ["name", "id"], "keys stay in their order"
    assert outcomes(tminus("pull", "--force", "--json")) == {"sale": "same", "torn": "replaced"}
    assert tminus("pull", "none").err == (
        "tminus: there is no recipe 'none'; tminus recipes list shows those that there are\n"
    )


def test_no_file_is_written_outside_of_the_folder(
    empty: Lab, tminus: Tminus, folder: Path, door: Door, tmp_path: Path
) -> None:
    hostile = ["../../evil", "/tmp/evil", "..", "a/b", "ö", "x\u202e", "nul\x00", "a" * 300]
    listed = [campaign(id=each) for each in ("Sale", "sale", "SALE", *hostile)]
    body = {"success": True, "data": listed, "message": "", "errors": [], "pagination": {"limit": 100, "next": None}}
    answered = ("200 OK", [("Content-Type", "application/json")], json.dumps(body).encode())
    outside = write(tmp_path, "outside.json", {"mine": True})
    (folder / "linked.json").symlink_to(outside)
    before = sorted(tmp_path.rglob("*"))
    door.answers = [answered]
    pulled = tminus("pull", "--json")
    assert (pulled.status, sum(word == "refused" for word in outcomes(pulled).values())) == (2, len(hostile))
    new = sorted(path.name for path in set(tmp_path.rglob("*")) - {*before})
    assert len({name.casefold() for name in new}) == 3
    assert all(name.startswith(("Sale", "sale", "SALE")) for name in new)
    door.answers = [answered]
    assert sum(word == "same" for word in outcomes(tminus("pull", "--json")).values()) == 3
    empty.save(campaign(id="linked"))
    assert tminus("pull", "linked", "--force").status == 0
    assert json.loads(outside.read_text()) == {"mine": True}
    assert not (folder / "linked.json").is_symlink()


def test_a_recipe_that_cannot_run_is_named_and_healed_by_a_push(empty: Lab, tminus: Tminus, folder: Path) -> None:
    broken = {**campaign(), "schedule": {"timezone": "Mars"}}
    _store(empty, broken)
    assert "sale: refused: the system cannot run it" in tminus("pull").err
    write(folder, "sale.json", campaign())
    assert "  schedule.timezone: " in tminus("diff").out
    assert outcomes(tminus("push", "--yes", "--json")) == {"sale": "replaced"}


def _store(lab: Lab, document: dict[str, Any]) -> None:
    """Store a recipe as somebody would by hand."""
    deed = Deed(by="somebody", at=lab.clock.now(), action=Action.SAVED)
    lab.ports.recipes.change(document["id"], lambda _: document, deed)


def test_an_empty_folder_is_no_error(tminus: Tminus) -> None:
    assert tminus("push").status == 0
    assert "recipes holds no recipe" in tminus("push").err
    assert tminus("diff").status == 0
    assert tminus("pull", "--json").report == {"folder": "recipes", "recipes": []}


@pytest.mark.long
def test_a_thousand_recipes_are_read_page_by_page(empty: Lab, tminus: Tminus, folder: Path, door: Door) -> None:
    for number in range(1_010):
        _store(empty, campaign(id=f"r{number}"))
    assert tminus("pull").out.splitlines()[-1].startswith("1,010 recipes: 1,010 created")
    assert door.requests == ["GET"] * 11
    write(folder, "r7.json", campaign(id="r7", name="Seven"))
    assert tminus("push", "--yes").out.splitlines()[-1] == (
        "1,010 recipes: 0 created, 1 replaced, 1,009 same, 0 refused"
    )


def _busy(status: str, **headers: str) -> tuple[str, list[tuple[str, str]], bytes]:
    return status, [(name.replace("_", "-"), value) for name, value in headers.items()], b"try later"


def test_a_busy_system_is_asked_again_for_a_minute(url: str, door: Door) -> None:
    pauses: list[float] = []
    with ApiClient(url=url, wait=pauses.append).patient() as client:
        door.answers = [_busy("429 Busy", Retry_After="5"), _busy("503 Busy"), _busy("503 Busy", Retry_After="0")]
        assert client.call("GET", "/api/automation/recipes").data == []
        door.answers = [_busy("503 Busy", Retry_After="20")] * 9
        with pytest.raises(NoAnswer, match="answered 503"):
            client.call("GET", "/api/automation/recipes")
        door.answers = [_busy("503 Busy", Retry_After="3600")]
        with pytest.raises(NoAnswer, match="answered 503"):
            client.call("GET", "/api/automation/recipes")
    assert pauses == [5.0, 2.0, 0.5, 20.0, 20.0, 20.0]


@pytest.mark.long
def test_a_save_whose_answer_is_lost_is_a_save(empty: Lab, tminus: Tminus, folder: Path, door: Door) -> None:
    write(folder, "sale.json", campaign())
    door.lost = 1
    assert outcomes(tminus("push", "--yes", "--json")) == {"sale": "created"}
    write(folder, "sale.json", campaign(name="New"))
    door.lost = 1
    assert outcomes(tminus("push", "--yes", "--json")) == {"sale": "replaced"}
    assert stored(empty)["name"] == "New"


def test_a_push_that_breaks_off_is_finished_by_the_next(empty: Lab, tminus: Tminus, folder: Path, door: Door) -> None:
    for name in ("a", "b", "c"):
        write(folder, f"{name}.json", campaign(id=name))
    door.meanwhile = lambda: door.answers.append(_busy("500 Broken"))
    broken = tminus("push", "--yes", "--json")
    assert (broken.status, "push again for the rest" in broken.err) == (2, True)
    door.meanwhile = None
    empty.save(campaign(id="a"))
    assert outcomes(tminus("push", "--yes", "--json")) == {"a": "same", "b": "created", "c": "created"}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:9", "no system answers there"),
        ("http://ann:secret@127.0.0.1:9", "--url http://127.0.0.1:9: "),
        ("nonsense", "--url nonsense: "),
        ("{url}/elsewhere", "answered 404, and not as Tminus does: is --url right?"),
    ],
)
def test_a_system_that_is_not_there_is_one_line(
    tminus: Tminus, folder: Path, url: str, address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "sale.json", campaign())
    monkeypatch.setenv("TMINUS_URL", address.replace("{url}", url))
    for command in ("push", "pull", "diff"):
        answer = tminus(command)
        assert (answer.status, answer.out, len(answer.err.splitlines())) == (2, "", 1)
        assert said in answer.err
        assert "secret" not in answer.err


def test_without_an_address_it_is_tminus_up_of_this_machine(tminus: Tminus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMINUS_URL")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    answer = tminus("diff")
    assert (answer.status, "--url http://127.0.0.1:8080: " in answer.err) == (2, True)


@pytest.mark.parametrize("token", [f"{SECRET}\r\nX: y", f"{SECRET} ", f"{SECRET}ö"])
def test_a_token_that_no_header_can_have_is_not_shown(
    tminus: Tminus, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMINUS_TOKEN", token)
    answer = tminus("diff")
    assert (answer.status, SECRET in answer.err, "TMINUS_TOKEN" in answer.err) == (2, False, True)


@pytest.fixture
def google(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "google.pem")


@pytest.mark.long
def test_roles_decide_who_may_push(
    make_lab: Callable[..., Lab],
    google: Signer,
    tminus: Tminus,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on Google Cloud, which removes the signature of a token unless it comes in another header too."""

    def cloud_run(environ: dict[str, Any], start_response: Any) -> Any:
        if "HTTP_AUTHORIZATION" in environ and "HTTP_X_SERVERLESS_AUTHORIZATION" not in environ:
            environ["HTTP_AUTHORIZATION"] = without_signature(environ["HTTP_AUTHORIZATION"])
        return _APPS()["api"](environ, start_response)

    def as_caller(email: str) -> None:
        monkeypatch.setenv("TMINUS_TOKEN", google.sign(of_service("api", email=email)))

    write(folder, "sale.json", campaign())
    with CertificateServer(lambda: google.certificates) as certificates:
        cloud = read_settings({**ENVIRONMENT, "OIDC_CERTS_URL": certificates.url}).cloud
        assert cloud is not None
        lab = make_lab(wrap=lambda ports: replace(ports, callers=IdTokens(cloud, SystemClock())))
        with Served(http_server({"api": cloud_run}, lab.ports, "127.0.0.1", 0)) as running:
            monkeypatch.setenv("TMINUS_URL", running.url)
            unknown = tminus("push", "--yes")
            assert (unknown.status, "give a token with TMINUS_TOKEN" in unknown.err) == (2, True)
            as_caller("reader@kicks.iam.gserviceaccount.com")
            assert tminus("diff").status == 1, "a viewer may look"
            denied = tminus("push", "--yes")
            assert denied.err == (
                "tminus: this requires the role operator; the caller's role is viewer; give the token of another "
                "caller with TMINUS_TOKEN or --token\n"
            )
            as_caller(ROBOT)
            assert tminus("push", "--yes").status == 0
            assert lab.ports.recipes.get("sale") is not None
