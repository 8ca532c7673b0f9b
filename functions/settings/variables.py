"""Reads environment variables, or what a workspace says in their place."""

import re
from collections.abc import Mapping
from pathlib import Path

from functions.domain.documents import described
from functions.domain.errors import Misconfigured


class Variables:
    """Reads one variable at a time; Misconfigured names an invalid one. `said` is what the workspace says."""

    def __init__(self, environ: Mapping[str, str], said: Mapping[str, str]) -> None:
        self._environ, self.said = environ, said

    def text(self, name: str, default: str) -> str:
        """Return the text of a variable, without white space around it; the default if it is not set."""
        return self._environ.get(name, "").strip() or self.said.get(name) or default

    def words(self, name: str, default: str = "") -> tuple[str, ...]:
        """Return the words of a list with commas."""
        return tuple(word.strip() for word in self.text(name, default).split(",") if word.strip())

    def number(self, name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
        """Return a whole number within its bounds."""
        text = self.text(name, str(default))
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise Misconfigured(name, f"must be a whole number {bounds}, got {described(text)}")
        return int(text)

    def file(self, name: str) -> Path | None:
        """Return the path of a file that is there; None if the variable is not set."""
        text = self.text(name, "")
        if text and not Path(text).is_file():
            raise Misconfigured(name, f"names no file that is there, got {described(text)}")
        return Path(text) if text else None

    def like(self, name: str, pattern: re.Pattern[str], what: str) -> str:
        """Return a text that matches a pattern; `what` says what it is."""
        text = self.text(name, "")
        if not pattern.fullmatch(text):
            raise Misconfigured(name, f"must be {what}, got {described(text)}")
        return text

    def url(self, name: str, default: str = "") -> str:
        """Return an address that begins with https://, or is on this machine."""
        text = self.text(name, default)
        if not text.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise Misconfigured(name, f"must begin with https://, got {described(text)}")
        return text

    def choice(self, name: str, choices: list[str]) -> str:
        """Return one of some words; the first is the default."""
        text = self.text(name, choices[0]).lower()
        if text not in choices:
            raise Misconfigured(name, f"must be one of {', '.join(choices)}, got {described(text)}")
        return text
