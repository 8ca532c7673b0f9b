"""What the composer's preview shows: texts, counters, variables with their values, and the choice of a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from werkzeug.datastructures import MultiDict

from functions.domain.errors import FieldError
from functions.domain.push.payload import PAYLOAD_LIMIT_BYTES
from functions.domain.recipe.read import Document
from functions.handlers.console.forms.recipe_form import Values
from functions.handlers.console.forms.whole_form import read_form
from functions.handlers.console.phones import Phone
from functions.handlers.console.visit import Visit
from functions.handlers.console.words import share
from functions.usecases.dry_run.compose import ComposedPush, Row, Said, compose, people_of
from functions.usecases.dry_run.sample_people import SamplePeople, read_people

PEOPLE = "view.people"
"""The hidden field with the loaded people. They are only shown, so nothing signs it."""
_VISIBLE = {
    "title": "iOS shows about 40, Android one line",
    "body": "iOS shows about 178, Android one line until opened",
}
"""What phones of a common width show before a person opens the push. Letters differ in width."""
_COLUMN_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class Counter:
    """The length of a text, beside the field `name`, which the push has at `path`."""

    name: str
    path: str
    words: str


@dataclass(frozen=True, kw_only=True)
class ShownVariable:
    """A column that variables can name: its meaning, an example, and how many people have no value.

    `lacking` is the share of people, empty while unknown; `fallback` is what they get in this push.
    """

    name: str
    meaning: str = ""
    example: str = ""
    lacking: str = ""
    fallback: str | None = None


@dataclass(frozen=True, kw_only=True)
class Composer(Phone):
    """The preview of one push. `values` are those of the form."""

    pushes: int
    push: int
    languages: Sequence[str]
    language: str
    values: Values
    errors: Sequence[FieldError]
    counters: Sequence[Counter]
    bytes: int
    largest: int
    rows: Sequence[tuple[str, str]]
    row: str
    person: str
    source: str
    users: int
    lacks: str
    variables: Sequence[ShownVariable]
    columns: Sequence[ShownVariable]
    trouble: str = ""
    limit: int = field(default=PAYLOAD_LIMIT_BYTES)

    @property
    def too_large(self) -> bool:
        """Whether FCM refuses the message, for the person shown or for another one."""
        return max(self.bytes, self.largest) > self.limit


def form_document(visit: Visit, form: MultiDict[str, str]) -> Document:
    """Return the document of a form, as far as it can be read, without stored values that the form lacks."""
    return read_form(visit, form, {}).document


def composer_of(visit: Visit, document: Document, values: Values) -> Composer:
    """Return the preview of the push that the form's `view.push` names, from 0."""
    if not document["pushSequence"]:
        document["pushSequence"] = [{"title": "", "body": "", "layerId": 5}]
    pushes = len(document["pushSequence"])
    position = _number(values.get("view.push", ""), pushes)
    composed = compose(visit.ports, document, position)
    language = _choice(values.get("view.language", ""), composed.push.translations)
    said = composed.in_language(language)
    people = people_of(read_people(values.get(PEOPLE, "")), composed.audience)
    chosen, row = _row(said, people, values)
    return Composer(
        pushes=pushes,
        push=position,
        blank=composed.blank,
        texts=said.texts(row),
        ios_buttons=bool(composed.push.ios.category),
        languages=list(composed.push.translations),
        language=language,
        values=values,
        errors=composed.errors,
        counters=list(_counters(composed, people, position)),
        bytes=said.bytes(row),
        largest=max((said.bytes(people.mapped(each)) for each in people.rows), default=0) if people else 0,
        rows=list(_rows(said, people, chosen)),
        row=chosen,
        person=row.get("user_id", "") if row else "",
        source=people.source if people else "",
        users=people.users if people else 0,
        lacks=said.lacks(row) if row else "",
        variables=list(_variables(composed, said, people, row)),
        columns=[column_of(each.name, each.meaning, people, row) for each in composed.columns[1:]],  # but user_id
    )


def _number(written: str, most: int) -> int:
    return min(int(written), most - 1) if written.isdecimal() and len(written) < 4 else 0


def _choice(written: str, known: Mapping[str, object]) -> str:
    return written if written in known else ""


def _rows(said: Said, people: SamplePeople | None, chosen: str) -> Iterator[tuple[str, str]]:
    """Yield the choices of a person, with their words. That of a person by id is one once the person is loaded."""
    if people is None:
        return
    yield from (("first", "First person"), ("longest", "Longest text"), ("shortest", "Shortest text"))
    yield "random", "Random person"
    for column in said.variables:
        if people.empty.get(column):
            yield f"empty:{column}", f"Person without {column}"
    if chosen == "person":
        yield chosen, "Person by ID"


def _row(said: Said, people: SamplePeople | None, values: Values) -> tuple[str, Row | None]:
    """Return the chosen kind of person, and the row of one."""
    if people is None:
        return "", None
    rows = [people.mapped(each) for each in people.rows]
    chosen = values.get("view.row", "")
    kind, _, column = chosen.partition(":")
    if kind == "random":
        return chosen, rows[_number(values.get("view.seed", ""), 1_000) % len(rows)]
    if kind in ("longest", "shortest"):
        return chosen, (max if kind == "longest" else min)(rows, key=said.length)
    wanted, value = ("user_id", values.get("view.person", "").strip()) if kind == "person" else (column, "")
    found = next((row for row in rows if row.get(wanted) == value), None) if wanted else None
    return (chosen, found) if found else ("first", rows[0])


def _counters(composed: ComposedPush, people: SamplePeople | None, position: int) -> Iterator[Counter]:
    """Yield the lengths of title and body in all languages: those of the longest row, if people are known."""
    for tag in ("", *composed.push.translations):
        said = composed.in_language(tag)
        rows: list[Row | None] = [people.mapped(each) for each in people.rows] if people else [None]
        given = composed.push.translations[tag].given if tag else {"title", "body"}
        for name in ("title", "body"):
            if name not in given:
                continue
            path = f"translations.{tag}.{name}" if tag else name
            longest = max(sum(len(piece.text) for piece in said.texts(row)[name] if not piece.column) for row in rows)
            varies = bool(getattr(said.push, name).columns)
            more = (" at most" if people else " and the values") if varies else ""
            words = f"{longest:,} character{'' if longest == 1 else 's'}{more}; {_VISIBLE[name]}"
            yield Counter(name=f"pushSequence[{position}].{path}", path=path, words=words)


def _variables(
    composed: ComposedPush, said: Said, people: SamplePeople | None, row: Row | None
) -> Iterator[ShownVariable]:
    for column in composed.columns:
        if uses := said.variables.get(column.name):
            yield replace(column_of(column.name, column.meaning, people, row), fallback=uses[0].fallback)


def column_of(name: str, meaning: str, people: SamplePeople | None, row: Row | None) -> ShownVariable:
    """Return a column with its value in a row, and the share of people without a value."""
    empty = people.empty.get(name, 0) if people else 0
    value = (row or {}).get(name, "")
    return ShownVariable(
        name=name,
        meaning=meaning,
        example=value if len(value) <= _COLUMN_SHOWN else f"{value[: _COLUMN_SHOWN - 3]}...",
        lacking=share(empty, people.users) if people else "",
    )
