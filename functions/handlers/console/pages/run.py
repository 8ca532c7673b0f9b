"""Test a campaign on colleagues, look at a dry run, or send it now."""

from uuid import uuid4

from flask import Response

from functions.domain.access import Subject
from functions.domain.errors import BadFields, BadInput, BadRecipe, Forbidden
from functions.domain.execution.execution import Execution
from functions.domain.ids import is_user_id, no_user_id
from functions.domain.recipe.read import read
from functions.domain.roles import Role
from functions.domain.testers import NamedTester
from functions.handlers.console.answering import page, to
from functions.handlers.console.pages.recipes import AT
from functions.handlers.console.phones import tried_phones
from functions.handlers.console.subjects import of_recipe
from functions.handlers.console.visit import Route, Visit
from functions.usecases.by_hand.deduplicate import asked_once
from functions.usecases.by_hand.start import SENDING_MODES, ChosenTest, start_by_hand
from functions.usecases.dry_run.preview import preview
from functions.usecases.people.testers import add_tester, tester_of
from functions.usecases.recipes.save import stored_recipe

_DRY = ("test-dry-run", "real-dry-run")
_TEST = "test-live-send"
_ME, _OWN = "me", "recipe"
"""Values of the field `to`: the visitor, and the campaign's own test users."""


def ask(visit: Visit) -> Response:
    """Show the people to test on, the dry runs, and the live send."""
    return _ask(visit)


def _ask(visit: Visit, problem: str = "", status: int = 200) -> Response:
    recipe_id = visit.path["recipe_id"]
    document = stored_recipe(visit.ports, recipe_id)
    may = visit.may(Role.OPERATOR)
    return page(
        visit,
        "run.html",
        status=status,
        document=document,
        recipe_id=recipe_id,
        once=uuid4().hex,
        me=tester_of(visit.ports, visit.caller.name) if may else None,
        people=visit.ports.testers.all() if may else (),
        pushes=_pushes(recipe_id, document),
        own=_own_testers(visit, document),
        problem=problem,
        sent=visit.request.form,
    )


def run(visit: Visit) -> Response:
    """Show a dry run, or start an execution and redirect to its page.

    A form that is sent twice starts one execution.
    """
    mode, recipe_id = visit.field("mode"), visit.path["recipe_id"]
    if mode in _DRY:
        document = stored_recipe(visit.ports, recipe_id)
        found = preview(visit.ports, document, test=mode == "test-dry-run")
        found = found if visit.may(Role.OPERATOR) else found.without_messages()
        phones = tried_phones(read(document, default_id=recipe_id), found)
        return page(visit, "preview.html", found=found, mode=mode, recipe_id=recipe_id, phones=phones)
    if mode not in SENDING_MODES:
        raise BadInput(f"unknown mode {mode!r}; choose one of {', '.join([*_DRY, *SENDING_MODES])}")
    if not visit.may(Role.OPERATOR):
        raise Forbidden(f"only an operator can do this; your role is {visit.caller.role}")
    if mode == "live-send" and visit.field("sure") != "yes":
        raise BadInput("Nothing was started. Tick the box to confirm that real users will receive this")
    try:
        test = _chosen(visit) if mode == _TEST else None
    except BadInput as error:
        reasons = [each.reason for each in error.errors] if isinstance(error, BadFields) else [str(error)]
        return _ask(visit, f"Nothing was sent: {'; '.join(reasons)}.", 422)
    execution = _start(visit, mode, test)
    return to(visit, f"/executions/{execution.id}", outcome="tested" if mode == _TEST else "started")


def _start(visit: Visit, mode: str, test: ChosenTest | None) -> Execution:
    recipe_id = visit.path["recipe_id"]
    asked = {"recipeId": recipe_id, "mode": mode, **({"test": str(test)} if test else {})}
    at = asked_once(visit.ports, visit.field("once"), by=visit.caller.name, call=visit.request.path, asked=asked)
    return start_by_hand(visit.ports, recipe_id, SENDING_MODES[mode], at, test, by=visit.caller.name)


def _chosen(visit: Visit) -> ChosenTest:
    """Return the chosen users, pushes and sample user. BadInput says what to choose, and how."""
    form, like, policy = visit.request.form, visit.field("like"), visit.ports.policy
    if like and not is_user_id(like, policy.user_id_format):
        raise BadInput(no_user_id(f"{like[:50]!r}", policy.user_id_format))
    numbers = [int(each) for each in form.getlist("push") if each.isdecimal() and len(each) < 4]
    if form.get("pushes") and not numbers:
        raise BadInput("choose at least one push")
    chosen = form.getlist("to")
    if not chosen:
        raise BadInput("choose who gets the test")
    known = {each.key: each.user_id for each in visit.ports.testers.all()}
    users = [known[each] for each in chosen if each in known]
    if _ME in chosen:
        users.append(_me(visit).user_id)
    if _OWN in chosen:
        users += _own_testers(visit, stored_recipe(visit.ports, visit.path["recipe_id"]))
    if not users:
        raise BadInput("the chosen people are no test people any more: choose who gets the test")
    return ChosenTest(users=tuple(dict.fromkeys(users)), pushes=tuple(numbers), like=like)


def _me(visit: Visit) -> NamedTester:
    """Return the visitor as a test person. Who is not one yet says the user id once, and becomes one."""
    known = tester_of(visit.ports, visit.caller.name)
    if known:
        return known
    name = visit.caller.name
    add_tester(visit.ports, name=name.partition("@")[0], user_id=visit.field("user"), email=name, by=name)
    return _me(visit)


def _own_testers(visit: Visit, document: object) -> list[str]:
    """Return the test users of the campaign, or those of the deployment."""
    try:
        own = read(document).settings.test_user_ids if isinstance(document, dict) else ()
    except BadRecipe:
        own = ()
    return [each.strip() for each in own or visit.ports.policy.default_test_user_ids if each.strip()]


def _pushes(recipe_id: str, document: dict[str, object]) -> list[str]:
    """Return the titles of the pushes; none if the campaign cannot be read."""
    try:
        return [push.title.source for push in read(document, default_id=recipe_id).pushes]
    except BadRecipe:
        return []


def _messages(visit: Visit) -> Subject | None:
    shown = visit.field("mode") in _DRY and visit.may(Role.OPERATOR)
    return of_recipe(visit) if shown else None


ROUTES = (
    Route(method="GET", path=f"{AT}/run", serve=ask),
    Route(method="POST", path=f"{AT}/run", serve=run, reads=_messages, expensive=True),
)
