"""Words of the sample marketplace are in the marketplace, and not where a team with other data would read them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
READ = ("*.md", "audience_jobs", "bench", "docs", "functions", "infra", "local", "main.py", "tminus")
WORDS = re.compile(r"shoe|wish.?list|offer|trusted.?trader", re.IGNORECASE)
AVOIDED = re.compile(r"\b(?:anew|whom|whoever|seldom|mend|be it)\b", re.IGNORECASE)
"""Words that made the text read like a translation."""
TEXTS = {".py", ".md", ".html", ".toml", ".tf", ".js"}

ALLOWED = {
    "audience_jobs/marketplace/": "the marketplace",
    "local/sample/": "its sample data",
    "local/recipes/": "its sample recipes",
    "bench/marketplace/": "the same jobs with pandas, and their data",
}
"""Where the words may be, and why: a file, or a folder with all that lies in it."""


def found() -> Iterator[tuple[str, str]]:
    """Each file in which one of the words is, with the first such line."""
    for place in READ:
        for top in ROOT.glob(place):
            for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
                name = path.relative_to(ROOT).as_posix()
                if not path.is_file() or re.search(r"(^|/)(\.|__pycache__|node_modules|out/)", name):
                    continue
                try:
                    text = f"{name}\n{path.read_text(encoding='utf-8')}"
                except UnicodeDecodeError:
                    continue
                yield from ((name, line) for line in text.splitlines() if WORDS.search(line))


def test_words_of_the_marketplace_are_where_they_belong() -> None:
    others = {name: line for name, line in found() if not name.startswith(tuple(ALLOWED))}
    assert others == {}


def test_every_place_that_may_have_them_has_them() -> None:
    names = {name for name, _ in found()}
    assert [place for place in ALLOWED if not any(name.startswith(place) for name in names)] == []


def test_the_text_is_plain_english() -> None:
    files = [
        path for place in READ for top in ROOT.glob(place) for path in ([top] if top.is_file() else top.rglob("*"))
    ]
    own = [path for path in files if not {".venv", ".terraform"} & set(path.parts)]
    texts = {path: path.read_text("utf-8", "replace") for path in own if path.suffix in TEXTS and path.is_file()}
    found_in = {str(path.relative_to(ROOT)): AVOIDED.findall(text) for path, text in texts.items()}
    assert {name: words for name, words in found_in.items() if words} == {}
