"""Describe the users of criteria in words."""

from collections.abc import Iterator
from datetime import datetime, time

from audience_jobs.criteria import Criteria
from audience_jobs.marketplace.data_packs import DATA_PACKS


def describe(criteria: Criteria) -> str:
    """Describe the users that criteria find: "users active in the last 30 days, with a top target shoe"."""
    parts = ", ".join(_parts(criteria))
    if criteria.where is not None:
        from audience_jobs.conditions.sentences import sentence  # noqa: PLC0415 - old recipes have no conditions

        who = sentence(criteria.where)
        return f"{who}, {parts}" if parts else who
    return f"users {parts}" if parts else "all users"


def _parts(criteria: Criteria) -> Iterator[str]:
    if criteria.user_ids:
        yield f"among {_number(len(criteria.user_ids), 'given user id')}"
    if criteria.custom_query:
        yield "found by the recipe's own query"
    if criteria.last_active_days is not None:
        yield f"active in the last {_days(criteria.last_active_days)}"
    if criteria.inactive_days is not None:
        yield f"not active in the last {_days(criteria.inactive_days)}"
    if criteria.traded_days is not None:
        yield f"who traded in the last {_days(criteria.traded_days)}"
    if criteria.not_traded_days is not None:
        yield f"who did not trade in the last {_days(criteria.not_traded_days)}"
    yield from _trades(criteria.min_lifetime_trades, criteria.max_lifetime_trades)
    if criteria.trusted_trader is not None:
        yield "trusted traders" if criteria.trusted_trader else "not trusted traders"
    if criteria.trusted_trader_candidate is not None:
        yield f"{'' if criteria.trusted_trader_candidate else 'no '}candidates for trusted trader"
    if criteria.joined_after is not None:
        yield f"joined after {_instant(criteria.joined_after)}"
    yield from (f"with {DATA_PACKS[name].words}" for name in criteria.data_packs)
    yield from (f"with a row in {joined.model}" for joined in criteria.joined if not joined.optional)


def _trades(least: int | None, most: int | None) -> Iterator[str]:
    if least is not None and most is not None:
        yield f"with exactly {_number(least, 'trade')}" if least == most else f"with {least:,} to {most:,} trades"
    elif least is not None:
        yield f"with at least {_number(least, 'trade')}"
    elif most is not None:
        yield f"with at most {_number(most, 'trade')}"


def _days(days: int) -> str:
    return "day" if days == 1 else f"{days:,} days"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _instant(instant: datetime) -> str:
    if instant.time() == time(0, 0):
        return f"{instant:%Y-%m-%d}"
    return f"{instant:%Y-%m-%d %H:%M} UTC"
