"""Pictures of every page of the console: `python -m local.pictures.screenshots` writes docs/screenshots/*.png."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from functions.domain.push.outcomes import Outcome
from functions.usecases.people.testers import add_tester
from functions.usecases.recipes.save import create_recipe, update_recipe
from local.embedded.outbox import OutcomeScript
from local.pictures.console_stage import Stage, stage

_OUT = Path(__file__).parents[2] / "docs" / "screenshots"
_SEND_AT = datetime(2026, 5, 5, 22, 30, tzinfo=UTC)
_EXECUTION = "/executions/sneaker-reactivation_20260505T223000Z"
_SETTLES_MS = 700
"""After this long the parts that a page loads by itself are there."""
_MINUTE = timedelta(minutes=1)
_DESK, _PHONE = (1440, 900), (375, 740)
_TESTER = "00000000-0000-4000-8000-000000000001"
_SCRIPT = OutcomeScript(by_user={_TESTER: Outcome.SENT}, rates={Outcome.BAD_MESSAGE: 0.012, Outcome.UNKNOWN: 0.004})
"""A few messages fail, as some always do."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture of a page: its name, its address, and how it is looked at.

    `act` is what somebody does there first. `whole` takes the page below the window, too.
    """

    name: str
    path: str
    scheme: Literal["light", "dark"] = "light"
    size: tuple[int, int] = _DESK
    act: Callable[[Page], None] | None = None
    whole: bool = True


def main() -> int:
    """Take all pictures; return the exit status."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("chromium is not on the PATH: apt-get install chromium\n")
        return 1
    _OUT.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="tminus-") as folder,
        stage(Path(folder), script=_SCRIPT) as played,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for shots in _scenes(played):
            for shot in shots:
                _take(browser, played.url, shot)
        with stage(Path(folder) / "empty", empty=True) as nothing:
            for shot in _EMPTY:
                _take(browser, nothing.url, shot)
        browser.close()
    return 0


def _scenes(played: Stage) -> Iterator[Sequence[Shot]]:
    """Let the campaigns play, and yield what there is to see of each instant."""
    _prepare(played)
    played.play_until(_SEND_AT - timedelta(minutes=12, seconds=30))
    yield [
        *_both("overview", "/"),
        *_both("execution-window", _EXECUTION),
        *_both("recipe", "/recipes/sneaker-reactivation"),
        *_both("recipes", "/recipes"),
        *_both("recipe-edit", "/recipes/sneaker-reactivation/edit"),
        *_both("compose", "/recipes/sneaker-reactivation/edit", act=_write),
        Shot(name="form-errors", path="/recipes/new", act=_press("Review and activate")),
        Shot(name="recipe-run", path="/recipes/sneaker-reactivation/run"),
        *_both("review", "/recipes/autumn/review", act=_checked),
        Shot(name="move", path="/recipes/sneaker-reactivation/move?at=2026-05-06T22:30:00Z", act=_type_day),
        Shot(name="test-people", path="/test-people"),
        *_both("calendar", "/calendar"),
        Shot(name="cadence", path="/cadence"),
        *_both("activity", "/audit"),
        *_both("confirm-cancel", f"{_EXECUTION}/confirm"),
        *_both("send-once", "/send"),
        *_both("person", "/people", act=_find_person),
        Shot(name="shortcuts", path="/", act=lambda page: page.keyboard.press("?"), whole=False),
        Shot(name="help", path="/help"),
        Shot(name="not-found", path="/nowhere"),
    ]
    played.play_until(_SEND_AT + 3 * _MINUTE)
    yield _both("execution-live", _EXECUTION)
    played.play_until(_SEND_AT + 20 * _MINUTE)
    yield [
        *_both("execution-completed", _EXECUTION),
        *_both("executions", "/executions"),
        *_both("overview-after", "/"),
    ]


def _prepare(played: Stage) -> None:
    """Add a third recipe, a draft, and a change of a recipe."""
    ports = played.system.ports
    weekly = {
        "name": "Weekend drop",
        "schedule": {"timezone": "Europe/Paris", "frequency": "weekly", "daysOfWeek": [6], "executionTime": "11:00"},
        "pushSequence": [
            {"title": "The weekend drop is here", "body": "Be early, [[var:firstName|friend]].", "layerId": 2}
        ],
        "audienceCriteria": {"filters": {"lastActiveDays": 30}},
        "settings": {"testUserIds": [_TESTER]},
        "status": "active",
    }
    create_recipe(ports, weekly, by="ana@kicks.example")
    draft = {**weekly, "id": "autumn", "name": "Autumn colours", "status": "draft", "tags": ["season"]}
    create_recipe(ports, draft, by="ana@kicks.example")
    add_tester(ports, name="Ana", user_id=_TESTER, email="local", by="local")
    changes = {"description": "New users hear what to do next, step by step."}
    update_recipe(ports, "new-user-welcome", changes, by="ben@kicks.example")


def _checked(page: Page) -> None:
    """Wait until the review has looked who would receive it."""
    page.get_by_text("Checking who would receive it").wait_for(state="hidden")


def _type_day(page: Page) -> None:
    """Type when a send should go out instead."""
    page.fill("[id='schedule.startDate']", "saturday 10am")
    page.fill("[id='schedule.executionTime']", "")
    page.get_by_text("Once, on").wait_for()


def _write(page: Page) -> None:
    """Write a push, and load people for its preview."""
    page.get_by_label("Title", exact=True).first.fill("[[var:firstName|Hey]], six pairs in your size")
    sheet = page.locator(".sheet-bar:visible")
    if sheet.count():  # on a phone the preview is folded away
        sheet.click()
    load, again = (page.get_by_role("button", name=name) for name in ("sample people", "Reload people"))
    load.or_(again).first.click()
    loaded = page.get_by_text("when loaded").or_(page.get_by_text("in the last audience built"))
    loaded.first.wait_for(state="attached")
    page.wait_for_timeout(_SETTLES_MS)


def _press(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name).click()


def _find_person(page: Page) -> None:
    """Look up the test person, and wait for the next days."""
    page.locator("main input").last.fill(_TESTER)
    page.locator("main input").last.press("Enter")


def _both(name: str, path: str, act: Callable[[Page], None] | None = None) -> list[Shot]:
    """Return the pictures of a main page: in both colour schemes, and on a phone."""
    whole = act is None
    return [
        Shot(name=name, path=path, act=act, whole=whole),
        Shot(name=f"{name}-dark", path=path, act=act, whole=whole, scheme="dark"),
        Shot(name=f"{name}-phone", path=path, act=act, size=_PHONE),
    ]


_EMPTY = (
    *_both("empty-overview", "/"),
    Shot(name="empty-campaigns", path="/recipes"),
    Shot(name="empty-sends", path="/executions"),
    *_both("new", "/recipes/new"),
)


def _take(browser: Browser, url: str, shot: Shot) -> None:
    width, height = shot.size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=shot.scheme)
    page = context.new_page()
    page.goto(f"{url}{shot.path}")
    page.wait_for_load_state("load")
    page.wait_for_timeout(_SETTLES_MS)
    if shot.act:
        shot.act(page)
        page.wait_for_timeout(_SETTLES_MS)
    page.screenshot(path=_OUT / f"{shot.name}.png", full_page=shot.whole)
    context.close()


if __name__ == "__main__":
    sys.exit(main())
