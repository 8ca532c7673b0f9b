"""docs/security.md answers every section of OWASP ASVS 5.0, and what it names as a proof exists."""

import re
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/security.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = (5, 4, 7, 4, 4, 8, 6, 4, 2, 7, 7, 3, 4, 3, 4, 5, 3)
"""How many sections each chapter of ASVS 5.0 has, V1 to V17: github.com/OWASP/ASVS/tree/v5.0.0/5.0/en."""
ANSWERS = {"met", "platform", "not applicable", "**not met**"}
_LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]*)(?:#([^)]*))?\)")


def rows() -> Sequence[Sequence[str]]:
    """The answers: section, what it is about, answer, and how."""
    lines = [line for line in TEXT.splitlines() if re.match(r"\| V\d", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_section_has_an_answer() -> None:
    expected = [f"V{chapter}.{number}" for chapter, most in enumerate(SECTIONS, 1) for number in range(1, most + 1)]
    assert [row[0] for row in rows()] == expected
    assert {row[2] for row in rows()} == ANSWERS


def test_every_link_leads_somewhere() -> None:
    for _, path, anchor in _LINK.findall(TEXT):
        if path.startswith("https:"):
            continue
        place = (PAGE.parent / path).resolve() if path else PAGE
        assert place.exists(), path
        assert not anchor or anchor in anchors(place.read_text(encoding="utf-8")), f"{path}#{anchor}"


def test_every_test_is_in_its_file() -> None:
    named = [(words.strip("`"), path) for words, path, _ in _LINK.findall(TEXT) if words.startswith("`test_")]
    tests = [(name, path) for name, path in named if not name.endswith(".py")]
    assert len(tests) > 50
    for name, path in tests:
        assert f"def {name}(" in (PAGE.parent / path).read_text(encoding="utf-8"), f"{name} in {path}"


def test_what_is_met_is_shown_and_what_is_not_says_what_is_missing() -> None:
    for section, _, answer, how in rows():
        if answer == "met":
            assert "](" in how, f"{section} is met: name a test or a file"
        if answer == "**not met**":
            assert "Missing: " in how, section
        assert (answer == "**not met**") == (f"\n* {section}: " in TEXT), f"{section} in the short list"
