"""The line of a field of a JSON document."""

import pytest

from local.runtime.json_lines import line_of

TEXT = r"""{
  "id": "a:b, \"c\" {[",
  "list": [1, [2,
    {"x": null}], "s"],
  "push": [
    {"title": "one"},
    {
      "title": "two", "timing": {
        "delay": -1.5e3 }
    }
  ], "empty": {}, "none": [], "last": true
}
"""


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("id", 2),
        ("list[0]", 3),
        ("list[1][1].x", 4),
        ("list[2]", 4),
        ("push[0].title", 6),
        ("push[1]", 7),
        ("push[1].timing.delay", 9),
        ("push[1].gone", 7),
        ("push[7].title", 5),
        ("empty.x", 11),
        ("last", 11),
        ("nowhere", 1),
    ],
)
def test_a_field_has_the_line_of_its_key_or_of_what_it_stands_in(field: str, line: int) -> None:
    assert line_of(TEXT, field) == line


@pytest.mark.parametrize("text", ["1", '"x"', "[]", "{}", "[1, 2]"])
def test_a_small_document_has_one_line(text: str) -> None:
    assert line_of(text, "a[0].b") == 1
