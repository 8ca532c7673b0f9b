"""A key that an object of JSON has twice is refused wherever people write JSON, as one of the two would be lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from functions.domain.errors import BadInput
from functions.handlers.console.forms.widgets import Kind, Unreadable, read_text
from local.runtime.recipe_files import read_recipe_file, set_value

TWICE = '{"de": {"title": "A"}, "fr": {"title": "B"}, "de": {"title": "C"}}'
TOLD = 'the key "de" is there twice in one object: keep one of them'


def _in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "welcome.json"
    path.write_text(f'{{"pushSequence": [{{"translations": {TWICE}}}]}}', encoding="utf-8")
    read_recipe_file(path)


def _in_an_option(_: Path) -> None:
    set_value({}, f"metadata={TWICE}")


def _in_the_form(_: Path) -> None:
    read_text(Kind.JSON, TWICE)


def _in_pairs(_: Path) -> None:
    read_text(Kind.PAIRS, TWICE)


@pytest.mark.parametrize("read", [_in_pairs, _in_a_file, _in_an_option, _in_the_form])
def test_a_key_that_is_there_twice_is_named(read: Callable[[Path], None], tmp_path: Path) -> None:
    with pytest.raises((BadInput, Unreadable)) as error:
        read(tmp_path)
    assert TOLD in str(error.value)


def test_the_same_key_in_two_objects_is_no_repetition() -> None:
    assert read_text(Kind.JSON, '[{"id": 1}, {"id": 1}]') == [{"id": 1}, {"id": 1}]
