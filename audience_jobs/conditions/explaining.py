"""Explains conditions for one user: whether each holds, and what the data have instead."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from audience_jobs.conditions.sentences import in_words, part_in_words
from audience_jobs.conditions.sql import Asked, asked, bound
from audience_jobs.conditions.tree import AnyOf, Compared, Condition, ConditionType, Every, Happened, Named, Negated
from audience_jobs.contract import Audience, Column, Engine, Job
from audience_jobs.criteria import Criteria
from audience_jobs.errors import BadJob
from audience_jobs.one_user import is_user, user_parameter
from audience_jobs.sql import quoted

_PERSON = "tminus_person"
_AUDIENCE = "why"
_MOST_AT_ONCE = 100
"""How many conditions one query asks for: engines limit the columns of a table."""
_Leaf = Compared | Happened
_Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ConditionFound:
    """A condition of `audienceCriteria.where`, and what the data of one user are.

    Conditions come in the order of the recipe, each before those in it.
    """

    path: str
    """Its place, such as `where.all[0]`."""
    depth: int
    """How many conditions it lies in."""
    expected: str
    """What it asks for, in words."""
    holds: bool
    actual: str
    """What the data have instead, in words; empty for `all`, `any`, `not` and `segment`."""
    events: int | None = None
    """How many events counted; null for other conditions."""
    last_at: datetime | None = None
    """When the last such event happened, also before the days that count."""


@dataclass(frozen=True, kw_only=True)
class RowFound:
    """A part of the criteria that needs a row of the user: a model of `with`, `customQuery` or `manualUserIds`."""

    part: str
    """Its name in `audienceCriteria`, such as `with: totals`."""
    found: bool
    optional: bool
    """Whether the user stays in the audience without a row."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What criteria find of one user. `known` says whether the user is in the model people."""

    known: bool
    conditions: Sequence[ConditionFound] = ()
    rows: Sequence[RowFound] = ()


def explain(engine: Engine, criteria: Criteria, user_id: str, *, now: datetime, folder: Path) -> Explained:
    """Ask the user data about one user; AudienceJobError as in `Engine.run`."""
    nodes = [] if criteria.where is None else list(_nodes(criteria.where, "where", 0))
    leaves = [node for _, _, node in nodes if isinstance(node, _Leaf)]
    found: list[_Row] = []
    for start in range(0, max(1, len(leaves)), _MOST_AT_ONCE):
        job = _job(criteria, leaves[start : start + _MOST_AT_ONCE], user_id)
        row = _row(engine, job, now, folder)
        if row is None:
            return Explained(known=False)
        found.append(row)
    answers = {
        id(leaf): _Answer.of(leaf, found[place // _MOST_AT_ONCE], place % _MOST_AT_ONCE)
        for place, leaf in enumerate(leaves)
    }
    return Explained(
        known=True,
        conditions=[_found(path, depth, node, answers) for path, depth, node in nodes],
        rows=list(_rows(criteria, found[0])),
    )


def _nodes(condition: Condition, path: str, depth: int) -> Iterator[tuple[str, int, Condition]]:
    """Yield each condition on people with its place; conditions on events belong to theirs."""
    yield path, depth, condition
    if isinstance(condition, Negated):
        yield from _nodes(condition.condition, f"{path}.not", depth + 1)
    elif isinstance(condition, Named):
        yield from _nodes(condition.condition, f"{path}.where", depth + 1)
    elif isinstance(condition, Every | AnyOf):
        kind = "all" if isinstance(condition, Every) else "any"
        for at, each in enumerate(condition.conditions):
            yield from _nodes(each, f"{path}.{kind}[{at}]", depth + 1)


def _job(criteria: Criteria, leaves: Sequence[_Leaf], user_id: str) -> Job:
    """Return the job that yields one row, if the user is in people."""
    questions = asked(leaves, alias=_PERSON)
    selected: dict[Column, str] = {}
    for number, (leaf, each) in enumerate(zip(leaves, questions.each, strict=True)):
        selected |= _columns(number, leaf, each)
    queries = []
    if criteria.custom_query:
        queries.append(f"tminus_asked AS ({criteria.custom_query.sql})")
        selected[_column("asked", "integer")] = _flag(f"{_PERSON}.user_id IN (SELECT {_ASKED_IDS})")
    for number, joined in enumerate(criteria.joined):
        ids = f"SELECT w.user_id FROM {quoted(joined.model)} w"  # noqa: S608 (the checked name of a model)
        selected[_column(f"joined_{number}", "integer")] = _flag(f"{_PERSON}.user_id IN ({ids})")
    traits = {leaf.column: None for leaf in leaves if isinstance(leaf, Compared)}
    names = ", ".join(f"p.{quoted(name)}" for name in ["user_id", *traits])
    person = f"SELECT {names} FROM people p WHERE {is_user('p.user_id', user_id)}"  # noqa: S608 (quoted names)
    queries.append(f"{_PERSON} AS ({person})")
    columns = ", ".join(f"{sql} AS {column.name}" for column, sql in selected.items())
    return Job(
        id="why",
        title="Why a user fits criteria",
        layer=3,
        parameters=(*bound(questions.values), user_parameter(user_id)),
        audiences=(Audience(name=_AUDIENCE, columns=(_column("user_id", "text"), *selected), meaning="one user"),),
        sql=f"""WITH {", ".join(queries)}
SELECT '{_AUDIENCE}' AS audience, {_PERSON}.user_id{columns and f", {columns}"} FROM {_PERSON}""",  # noqa: S608 (quoted names, bound values, and a checked query)
    )


_ASKED_IDS = "CAST(q.user_id AS TEXT) FROM tminus_asked q"


def _columns(number: int, leaf: _Leaf, question: Asked) -> Iterator[tuple[Column, str]]:
    yield _column(f"holds_{number}", "integer"), _flag(question.holds)
    if isinstance(leaf, Happened):
        yield _column(f"actual_{number}", "integer"), question.actual
        yield _column(f"last_{number}", "timestamp"), question.last
    elif leaf.type == "text[]":  # engines write lists differently
        counted = f"(SELECT count(*) FROM unnest({question.actual}) AS t(v))"  # noqa: S608 (a quoted name)
        yield _column(f"actual_{number}", "integer"), counted
    elif leaf.type in ("integer", "timestamp"):
        yield _column(f"actual_{number}", leaf.type), question.actual
    else:
        yield _column(f"actual_{number}", "text"), f"CAST({question.actual} AS TEXT)"


def _column(name: str, type_: str) -> Column:
    return Column(name=name, type=type_, meaning="what is found")  # type: ignore[arg-type]


def _flag(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def _row(engine: Engine, job: Job, now: datetime, folder: Path) -> _Row | None:
    path = folder / "why.csv"
    with engine.run(job, {}, now=now) as run:
        run.write_audience(_AUDIENCE, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(islice(csv.DictReader(file), 2))
    if len(rows) > 1:
        raise BadJob("people", f"has several rows of user {rows[0]['user_id']}: make it one row a user")
    return rows[0] if rows else None


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What the data say of one condition on a column or on events."""

    holds: bool
    actual: str
    events: int | None = None
    last_at: datetime | None = None

    @classmethod
    def of(cls, leaf: _Leaf, row: _Row, number: int) -> "_Answer":
        holds, actual = row[f"holds_{number}"] == "1", row[f"actual_{number}"]
        if isinstance(leaf, Compared):
            return cls(holds=holds, actual=_trait(actual, leaf.type))
        last = _instant(row[f"last_{number}"])
        words = f"{int(actual):,} {leaf.model}{f', the last on {in_words(last)}' if last else ''}"
        return cls(holds=holds, actual=words, events=int(actual), last_at=last.replace(tzinfo=UTC) if last else None)


def _found(path: str, depth: int, node: Condition, answers: Mapping[int, _Answer]) -> ConditionFound:
    about = {"path": path, "depth": depth, "expected": part_in_words(node)}
    answer = answers.get(id(node)) or _Answer(holds=_holds(node, answers), actual="")
    return ConditionFound(**about, **vars(answer))  # type: ignore[arg-type]


def _holds(node: Condition, answers: Mapping[int, _Answer]) -> bool:
    if isinstance(node, Negated):
        return not _holds(node.condition, answers)
    if isinstance(node, Named):
        return _holds(node.condition, answers)
    if isinstance(node, _Leaf):
        return answers[id(node)].holds
    holds = [_holds(each, answers) for each in node.conditions]
    return all(holds) if isinstance(node, Every) else any(holds)


def _rows(criteria: Criteria, row: _Row) -> Iterator[RowFound]:
    if criteria.user_ids:
        yield RowFound(part="manualUserIds", found=row["user_id"] in criteria.user_ids, optional=False)
    if criteria.custom_query:
        yield RowFound(part="customQuery", found=row["asked"] == "1", optional=False)
    for number, joined in enumerate(criteria.joined):
        found = row[f"joined_{number}"] == "1"
        yield RowFound(part=f"with: {joined.model}", found=found, optional=joined.optional)


def _trait(written: str, type_: ConditionType) -> str:
    """Return the value of a column in words, from the text of an audience file."""
    if not written or (type_ == "text[]" and written == "0"):
        return "empty"
    return _WORDS.get(type_, in_words)(written)


def _instant(written: str) -> datetime | None:
    return datetime.fromisoformat(written).replace(tzinfo=None) if written else None


def _number(written: str) -> str:
    number = float(written)
    return f"{number:,.0f}" if number.is_integer() else f"{number:,}"


_WORDS: Mapping[ConditionType, Callable[[str], str]] = {
    "integer": lambda written: in_words(int(written)),
    "number": _number,
    "boolean": str,
    "timestamp": lambda written: in_words(datetime.fromisoformat(written).replace(tzinfo=None)),
    "date": lambda written: in_words(date.fromisoformat(written)),
    "text[]": lambda written: f"a list of {written}",
}
