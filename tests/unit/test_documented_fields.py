"""docs/how-to-write-a-recipe.md names every field of a recipe document, with the default that it has."""

import re
from collections.abc import Iterator
from pathlib import Path

from functions.domain.recipe.document import RecipeDocument
from functions.domain.recipe.field_types import Fields
from functions.domain.recipe.fields import RecipeField, fields_of

PAGE = Path(__file__).parents[2] / "docs" / "how-to-write-a-recipe.md"


def fields(model: type[Fields], prefix: str = "") -> Iterator[tuple[str, RecipeField]]:
    """Every field that a person writes, with its path as the page has it."""
    for name, field in fields_of(model).items():
        if field.model is not None:
            yield from fields(field.model, f"{prefix}{name}{'[]' if field.many else ''}.")
        else:
            yield f"{prefix}{name}", field


def documented() -> dict[str, str]:
    """The paths in the page's first table, each with its default."""
    found: dict[str, str] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        names, _, default = ([*map(str.strip, re.split(r"(?<!\\)\|", line)[1:4]), "", "", ""])[:3]
        paths = re.findall(r"`([^`]+)`", names)
        prefix = paths[0].rpartition(".")[0] if paths else ""
        for path in paths:
            found.setdefault(path if "." in path or not prefix else f"{prefix}.{path}", default)
    return found


def test_the_page_names_every_field_that_a_form_shows() -> None:
    page = documented()
    shown = [path for path, field in fields(RecipeDocument) if field.title]
    assert [path for path in shown if path not in page and path.rpartition(".")[0] not in page] == []


def test_the_page_tells_the_default_of_each_number() -> None:
    page = documented()
    for path, field in fields(RecipeDocument):
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            assert page[path] == f"{field.default:,}", path
