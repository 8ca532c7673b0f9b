"""Describe the users of criteria in words."""

from collections.abc import Iterator
from datetime import datetime, time

from audience_jobs.criteria import Asked, Criteria
from audience_jobs.workspace.filters import VALUE


def describe(criteria: Criteria) -> str:
    """Describe the users that criteria find: "users active in the last 30 days, with at least 5 trades"."""
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
    yield from _filters(criteria)
    yield from (f"with {pack.words}" for pack in criteria.data_packs)
    yield from (f"with a row in {joined.model}" for joined in criteria.joined if not joined.optional)


def _filters(criteria: Criteria) -> Iterator[str]:
    given = {asked.filter.name: asked for asked in criteria.filters}
    said = {asked.filter.at_most for asked in criteria.filters}
    for asked in criteria.filters:
        most = given.get(asked.filter.at_most)
        if most:
            yield asked.filter.words_between.replace(VALUE, _range(asked, most))
        elif asked.filter.name not in said:
            yield _words(asked)


def _words(asked: Asked) -> str:
    if asked.filter.kind == "yes_no":
        return asked.filter.words if asked.value else asked.filter.words_if_not
    return asked.filter.words.replace(VALUE, _value(asked))


def _value(asked: Asked) -> str:
    if isinstance(asked.value, datetime):
        return _instant(asked.value)
    return _number(asked.value, asked.filter.unit) if asked.filter.kind == "count" else _days(asked.value)


def _range(least: Asked, most: Asked) -> str:
    if least.value == most.value:
        return f"exactly {_value(least)}"
    return f"{least.value:,} to {_value(most)}"


def _days(days: int) -> str:
    return "day" if days == 1 else f"{days:,} days"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _instant(instant: datetime) -> str:
    if instant.time() == time(0, 0):
        return f"{instant:%Y-%m-%d}"
    return f"{instant:%Y-%m-%d %H:%M} UTC"
