"""The list of campaigns: found by words, status, tag and owner, with their last sends and their numbers of a week."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from functions.domain.execution.execution import Execution, Kind
from functions.domain.recipe.read import Recipe
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.recipes.launched_sends import LaunchedSends, launched_sends, next_send
from functions.usecases.reports.campaign_index import Labelled, campaign_index, campaign_plans, matching
from functions.usecases.reports.send_numbers import SendNumbers
from functions.usecases.reports.so_far import everyone_sent_to
from functions.usecases.reports.upcoming import HORIZON, planned
from functions.usecases.reports.week import week_begins, week_of

_MOST_TESTS = 20
"""So many tests in a row hide an older send."""
_Search = Callable[..., Sequence[Execution]]
_NEWEST_SENDS = 300
"""The sends that decide the order of the last sends; campaigns without one of them follow by name."""
_SECOND = timedelta(seconds=1)


class Order(StrEnum):
    """The order of the list."""

    NAME = "name"
    NEXT_SEND = "next"
    LAST_SEND = "last"


@dataclass(frozen=True, kw_only=True)
class CampaignSearch:
    """A search for campaigns. An empty field matches all."""

    text: str = ""
    status: str = ""
    tag: str = ""
    owner: str = ""
    order: Order = Order.NAME


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A line of the list. For an unreadable recipe, `problem` says why, and `recipe` is None."""

    labelled: Labelled
    recipe: Recipe | None
    problem: str
    next_send_at: datetime | None
    last: Execution | None
    all_sent: bool
    """Whether the last send is live and has nothing left to send."""
    week: SendNumbers
    """Its sends of the last seven days, as the overview counts them."""


@dataclass(frozen=True, kw_only=True)
class FoundCampaigns:
    """A page of campaigns. `tags` and `owners` are those of all campaigns, and `everything` counts these."""

    campaigns: Sequence[Campaign]
    total: int
    everything: int
    tags: Sequence[str]
    owners: Sequence[str]
    cut: bool = False
    """Whether only the newest sends decided the order, so that campaigns without one of them follow by name."""


def find_campaigns(ports: Ports, wanted: CampaignSearch, *, skip: int, most: int) -> FoundCampaigns:
    """Return a page of the campaigns that a search finds, after the first `skip` ones."""
    index, now = campaign_index(ports), ports.clock.now()
    found = [
        each
        for each in (matching(index, wanted.text) if wanted.text else index)
        if wanted.status in ("", each.status)
        and (not wanted.tag or wanted.tag in each.tags)
        and wanted.owner in ("", each.owner)
    ]
    launched = launched_sends(ports, now)
    first, cut = _first(ports, wanted.order, now)
    places = {recipe_id: place for place, recipe_id in enumerate(first)}
    ordered = sorted(found, key=lambda each: places.get(each.id, len(places))) if places else found
    return FoundCampaigns(
        campaigns=[_campaign(ports, each, launched, now) for each in ordered[skip : skip + most]],
        total=len(found),
        everything=len(index),
        tags=sorted({tag for each in index for tag in each.tags}, key=str.casefold),
        owners=sorted({each.owner for each in index if each.owner}, key=str.casefold),
        cut=cut,
    )


def _first(ports: Ports, order: Order, now: datetime) -> tuple[Sequence[str], bool]:
    """Return the recipes that come first in an order, before the others by name, and whether older sends were cut."""
    if order is Order.NEXT_SEND:
        plans = campaign_plans(ports)
        soon = dict.fromkeys(send.recipe_id for send in planned(plans, now, now + HORIZON))
        later = sorted((plan.next_send_at, plan.recipe_id) for plan in plans)
        return [*dict.fromkeys([*soon, *(recipe_id for _, recipe_id in later)])], False
    if order is Order.LAST_SEND:
        newest = ports.executions.search(ExecutionSearch(until=now), most=1)
        return _by_last_send(ports.executions.search, newest[0].id, newest[0].send_at) if newest else ((), False)
    return (), False


@lru_cache(maxsize=2)
def _by_last_send(search: _Search, _: str, newest_at: datetime) -> tuple[Sequence[str], bool]:
    """Return recipes by their last sends, newest first. It holds until there is a newer send."""
    found = search(ExecutionSearch(until=newest_at + _SECOND), most=_NEWEST_SENDS)
    first = tuple(dict.fromkeys(each.recipe_id for each in found if each.kind is not Kind.TEST))
    return first, len(found) == _NEWEST_SENDS


def _campaign(ports: Ports, labelled: Labelled, launched: LaunchedSends, now: datetime) -> Campaign:
    recipe = labelled.recipe
    last, week = _past(ports, labelled.id, now)
    return Campaign(
        labelled=labelled,
        recipe=recipe,
        problem="" if recipe else labelled.problem,
        next_send_at=next_send(recipe, now, launched) if recipe else None,
        last=last,
        all_sent=last is not None and everyone_sent_to(ports, last.id, last.state),
        week=week,
    )


def _past(ports: Ports, recipe_id: str, now: datetime) -> tuple[Execution | None, SendNumbers]:
    """Return a recipe's last send that is no test, of its newest ones, and the sums of its week."""
    past = ExecutionSearch(recipe_id=recipe_id, until=now)
    newest = ports.executions.search(past, most=1)
    if newest and newest[0].kind is Kind.TEST:
        newest = ports.executions.search(past, most=_MOST_TESTS)
    last = next((each for each in newest if each.kind is not Kind.TEST), None)
    if not newest or newest[0].send_at < week_begins(ports):
        return last, SendNumbers()
    return last, week_of(ports, recipe_id)
