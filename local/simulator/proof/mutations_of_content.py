"""Changes that send something else than a push carries."""

from dataclasses import replace
from typing import Any

from functions.domain.push.outcomes import Envelope, Exclusion


def without_content(right: Any) -> Any:
    """Send messages with their texts alone."""
    return property(lambda self: replace(right.fget(self), content=Envelope.content))


def without_defaults(_right: Any) -> Any:
    """Launch what the recipe says alone."""
    return lambda document, _defaults: document


def content_of_the_row_before(right: Any) -> Any:
    """Fill buttons and data with the values of the row before."""

    def make(push: Any, columns: Any, links: Any) -> Any:
        render, before = right(push, columns, links), [()]

        def late(row: Any, tokens: Any) -> Any:
            made = render(row, tokens)
            if isinstance(made, Exclusion) or not made:
                return made
            more, before[0] = before[0] or made[0].more, made[0].more
            return [message._replace(more=more) for message in made]

        return late

    return make


def first_language(_: Any) -> Any:
    """Choose the first translation."""
    return lambda self, _locale: next(iter(self.translations), "")
