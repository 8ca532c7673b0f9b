"""The words of the console: the pages of each state say what they should, in a marketer's terms and without code."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from functions.handlers.console.forms.field_labels import label_of
from functions.handlers.console.plain_words import plain
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import SAME_SITE, Page, Visitor

MINUTE = timedelta(minutes=1)
OLD = (
    *("something has to be mended", "Expecting value", "It starts again at its next time", "was cancelled."),
    *("It holds from the next start on", "Nothing runs now", "Nothing has run yet", "No execution is like that"),
    *("no safeguard waits", "Open violations", "Looked after", "Ask everything that Tminus", "Leave it", "Delete it"),
    *("cannot be taken back", "you may leave it empty", "anybody may cancel", "begins by itself", "lets no further"),
    *("are on their way", "whoever", "It is over", "nothing to stop", "This page follows it", "It is draft"),
    *("stand for themselves", "say the same to everybody", "Run by hand", "Try it", "Execute now", "Real people get"),
    *("Test, sending", "Real audience, dry run", "would not be sent", "by no recipe", "nobody cancelled"),
    *("where empty", "Days, where weekly", "it is made of the name", "Empty: the one", "past a month's end"),
    *("Minutes after the push before", "wall-clock", "go by no rule", "message that is judged", "Cadence"),
    *("At most pushes", "in force", "that the rules count", "no valid user id", "on the clock of", "Who changed"),
    *("Nothing is here", "That cannot be done", "UTC time", "audienceCriteria", "pushSequence", "settings."),
    *("ALERT_CHANNELS", "DEFAULT_TEST_USER_IDS", "a column of the model"),
)
"""Wordings that no page has any more, among them the paths of a document."""
CODE = re.compile(r"\b(recipes?|executions?)\b|\bT-(0|25)\b(?!:)", re.IGNORECASE)
PAGES = ("/", "/recipes", "/recipes/welcome", "/executions", "/calendar", "/cadence", "/audit", "/health", "/people")
FORMS = ("/recipes/new", "/recipes/welcome/edit", "/recipes/welcome/run", "/test-people", "/send")


def seen(html: str) -> str:
    """What a person reads on a page, without code and IDs."""
    return Page(re.sub(r"<code.*?</code>|<title.*?</title>", "", html, flags=re.DOTALL)).text


def bad_words(text: str) -> list[str]:
    """What should not be on a page, with its surroundings."""
    places = [match.start() for match in CODE.finditer(text)]
    places += [text.index(phrase) for phrase in OLD if phrase in text]
    return [text[max(0, place - 50) : place + 50] for place in places]


def fresh(_: Lab, __: Visitor) -> None: ...


def waiting(lab: Lab, _: Visitor) -> None:
    lab.run_to(SEND_AT - 10 * MINUTE)


def cancelled(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - 10 * MINUTE)
    visitor.post(f"/executions/{lab.id}/cancel", visitor_token(visitor, f"/executions/{lab.id}/confirm"), status=303)


def visitor_token(visitor: Visitor, page: str) -> dict[str, list[str]]:
    return visitor.get(page).form(page.replace("confirm", "cancel")).fields


def draft(lab: Lab, _: Visitor) -> None:
    lab.save(recipe(status="draft"))


def paused(_: Lab, visitor: Visitor) -> None:
    visitor.send("/recipes/welcome", "/recipes/welcome/pause")


def done(lab: Lab, _: Visitor) -> None:
    lab.run_to_the_end()


STATES: list[tuple[Callable[[Lab, Visitor], None], dict[str, list[str]]]] = [
    (
        fresh,
        {
            "/": ["Nothing is sending right now. Next:"],
            "/recipes/welcome": ["No sends yet.", "Preview uses placeholder values until the audience is built."],
            "/executions": ["No sends yet."],
            "/cadence": ["Frequency caps", "Max pushes", "Per hours", "Layers 1 and 4 are not capped."],
            "/recipes/new": [
                "Optional. Generated from the name.",
                "Starts preparing (minutes before)",
                "1-31; shorter months use the last day",
                "Optional. Defaults to the audience with the same number.",
            ],
            "/recipes/welcome/run": ["Send a test", "Preview with real audience", "Send now"],
        },
    ),
    (waiting, {"/executions/{id}": ["Sends automatically at 18:30", "Anyone can cancel before 18:30"]}),
    (cancelled, {"/executions": ["Cancelled"], "/executions/{id}": ["Cancelled"]}),
    (draft, {"/recipes/welcome": ["Draft. If activated, it would send:", "Review and activate"]}),
    (paused, {"/recipes/welcome": ["Paused", "Resume"]}),
    (done, {"/executions/{id}": ["Done", "Withheld"], "/recipes/welcome": ["Last sends", "Reached"]}),
]


@pytest.mark.long
@pytest.mark.parametrize(("state", "said"), STATES, ids=[state.__name__ for state, _ in STATES])
def test_pages_speak_plainly(
    state: Callable[[Lab, Visitor], None], said: dict[str, list[str]], lab: Lab, visitor: Visitor
) -> None:
    state(lab, visitor)
    found = [each for each in said if "{id}" in each]
    paths = [*PAGES, *FORMS, *found]
    texts = {path: seen(visitor.open("GET", path.format(id=lab.id)).text) for path in paths}
    wrong = {path: bad_words(text) for path, text in texts.items() if bad_words(text)}
    assert not wrong
    missing = {path: [each for each in wanted if each not in texts[path]] for path, wanted in said.items()}
    assert not {path: each for path, each in missing.items() if each}


@pytest.mark.parametrize(
    ("path", "changes", "said"),
    [
        ("/recipes/welcome/edit", {"audience": "job", "audienceCriteria.customScript.scriptId": ""}, "Audience"),
        (
            "/recipes/welcome/edit",
            {"settings.alertChannels": "nowhere"},
            "is not a channel; this deployment has none",
        ),
        ("/recipes/welcome/edit", {"schedule.executionTime": "half five"}, "Use 24-hour time, e.g. 17:30"),
        ("/recipes/welcome/edit", {"name": "", "pushSequence[0].title": "", "pushSequence[0].body": ""}, "Push 1"),
    ],
)
def test_refused_forms_name_their_fields_by_labels(
    path: str, changes: dict[str, str], said: str, visitor: Visitor
) -> None:
    text = seen(visitor.send(path, path, changes, status=422).text)
    assert "Not saved. Fix" in text
    assert said in text
    assert not bad_words(text)


@pytest.mark.parametrize("path", ["/nothing", "/recipes/none", "/executions/none", "/calendar?month=May"])
def test_refusals_speak_plainly(path: str, visitor: Visitor) -> None:
    assert not bad_words(seen(visitor.open("GET", path, headers=SAME_SITE).text))


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("raise settings.safeguards.maxAudienceSize to allow it", "raise “Largest audience” to allow it"),
        ("an execution of the recipe ended before T-0", "a send of the campaign ended before the send time"),
        ("Recipe 'recipe box' is paused", "Campaign 'recipe box' is paused"),
        ("see /recipes/execution-1", "see /recipes/execution-1"),
        ("there are ops (ALERT_CHANNELS)", "there are ops (the deployment's alert channels)"),
        ("set USER_ID_FORMAT=any if", "set the format of user IDs to any if"),
        ("raise MAX_TOTAL_AUDIENCE to", "raise the deployment's limit of people to"),
        ("check GOOGLE_CLOUD_PROJECT", "check GOOGLE_CLOUD_PROJECT"),
        ("is not a column of people; known: city", "is not in the data on people; known: city"),
        ("is not a column of the model trained", "is not in the data on trained"),
        ("a column of the model people", "from the data on people"),
        ("is not a model of events; known: trained", "is not an event; known: trained"),
        ("is not a column of the audience", "is not a column of the audience"),
    ],
)
def test_messages_of_the_api_are_put_in_words(message: str, shown: str) -> None:
    assert plain(message) == shown


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("audienceCriteria.where", "Audience"),
        ("schedule.unknown", "Schedule"),
        ("pushSequence[1].title", "Push 2, title"),
        ("audienceCriteria.where.0.2", "Audience"),
    ],
)
def test_no_label_is_a_path(field: str, label: str) -> None:
    assert label_of(field) == label


def test_a_conflict_and_the_log_of_changes_name_fields_by_their_labels(visitor: Visitor) -> None:
    form = visitor.get("/recipes/welcome/edit").form("/recipes/welcome/edit").fields
    changed = {"schedule.executionTime": "19:30", "pushSequence[0].title": "Theirs"}
    visitor.send("/recipes/welcome/edit", "/recipes/welcome/edit", changed)
    mine = Page(visitor.post("/recipes/welcome/edit", {**form, "name": "Mine"}, status=409).text).text
    assert "Push 1, title: Push 1 for [[var:name]] became Theirs" in mine
    assert "Send time: 18:30 became 19:30" in mine
    assert not bad_words(mine)
    log = visitor.get("/audit").text
    assert "Push 1, title" in log
    assert not bad_words(log)
