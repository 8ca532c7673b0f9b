"""The pushes of a recipe as phones show them, with the values of a real row, if there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from functions.domain.audience.partition import PARTITIONS, read_rows
from functions.domain.errors import BadAudience
from functions.domain.ids import ONE_OFF
from functions.domain.push.shard import AudienceFile
from functions.domain.push.template import Template
from functions.domain.recipe.read import Recipe
from functions.ports import Ports


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of a text. `column` is a variable without a value; it is empty for text as a phone shows it."""

    text: str
    column: str = ""


Text = Sequence[Piece]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One push as a user gets it; `real` if its values come from a row of the audience.

    `texts` are by their fields, such as `title` and `image`. `language` is that of its translation, empty for the
    push's own text. `other_languages` are those that other test users get.
    """

    push: int
    audience: str
    layer: int
    texts: Mapping[str, Text]
    columns: Sequence[str]
    real: bool
    language: str = ""
    other_languages: Sequence[str] = ()


def sample_messages(ports: Ports, recipe: Recipe, execution_id: str = "") -> list[Sample]:
    """Return each push of a recipe, with the values of the first row of the execution's TEST audience.

    Its language is that of the first test user who has a device. A one-off has no TEST audience: the first row of
    its audience is shown. Without an execution, or after its audiences were deleted, variables are shown as such.
    """
    return [_sample(ports, recipe, position, execution_id) for position in range(len(recipe.pushes))]


def _sample(ports: Ports, recipe: Recipe, position: int, execution_id: str) -> Sample:
    files = ports.shards.push(execution_id, position + 1) if execution_id else None
    if files is None:
        return sample_of(recipe, position, None)
    shown = files.live if recipe.id == ONE_OFF else files.test
    language, *others = files.test_languages or ("",)
    found = sample_of(recipe, position, _first_row(ports, shown), files.audience, language)
    return replace(found, other_languages=others)


def sample_of(
    recipe: Recipe, position: int, row: Mapping[str, str] | None, audience: str = "", language: str = ""
) -> Sample:
    """Return a push of a recipe with the values of a row, in a language; without a row, variables are shown."""
    push = recipe.pushes[position].in_language(language)
    columns = [column for template in push.texts.values() for column in template.columns]
    return Sample(
        push=position + 1,
        audience=audience or push.audience_name,
        layer=push.layer_id,
        texts={name: fill(template, row or {}) for name, template in push.own_texts.items()},
        columns=tuple(dict.fromkeys(columns)),
        real=row is not None,
        language=language,
    )


def _first_row(ports: Ports, audience: AudienceFile) -> Mapping[str, str] | None:
    stored, index = audience.rows.stored, audience.rows.index
    filled = next((each for each in range(PARTITIONS) if index.rows[each]), PARTITIONS - 1)
    try:
        data = ports.files.read(stored, *index.byte_range(range(filled, filled + 1)))
    except BadAudience:
        return None
    row = next(read_rows(data), None)
    return dict(zip(index.columns, row, strict=True)) if row else None


def fill(template: Template, row: Mapping[str, str] | None) -> list[Piece]:
    """Return a template with the values and fallbacks of a row; without a row, every variable stands for itself."""
    pieces = []
    for part in template.parts:
        if isinstance(part, str):
            pieces.append(Piece(text=part))
        elif row is not None and (value := row.get(part.column) or part.fallback):
            pieces.append(Piece(text=template.filled(part, value)))
        else:
            pieces.append(Piece(text=part.column, column=part.column))
    return pieces
