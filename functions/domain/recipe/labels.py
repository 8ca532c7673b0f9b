"""Tags and the owner of a recipe: labels for people. Older documents may have anything in these fields."""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.domain.documents import shown
from functions.domain.errors import FieldError
from functions.domain.push.content import is_blank
from functions.domain.recipe.document import LONGEST_OWNER, LONGEST_TAG, MOST_TAGS


def tags_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a recipe's tags, each once, without those that are not text."""
    written = document.get("tags")
    tags = [tag.strip() for tag in written if isinstance(tag, str)] if isinstance(written, list) else []
    return tuple(dict.fromkeys(filter(None, tags)))


def owner_of(document: Mapping[str, Any]) -> str:
    """Return a recipe's owner; empty if it has none."""
    owner = document.get("owner")
    return owner.strip() if isinstance(owner, str) else ""


def label_errors(document: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield an error for each label that a person cannot save."""
    tags, owner = document.get("tags"), document.get("owner")
    if tags is not None and not isinstance(tags, list):
        yield FieldError("tags", f'must be a list of texts, such as ["spring"], got {shown(tags)}')
    elif tags is not None and len(tags) > MOST_TAGS:
        yield FieldError("tags", f"has {len(tags)} tags; at most {MOST_TAGS} are allowed")
    elif tags is not None:
        for position, tag in enumerate(tags):
            if not isinstance(tag, str) or is_blank(tag) or len(tag) > LONGEST_TAG:
                reason = f"must be a text of 1 to {LONGEST_TAG} characters, got {shown(tag)}"
                yield FieldError(f"tags[{position}]", reason)
    if owner is not None and (not isinstance(owner, str) or len(owner) > LONGEST_OWNER):
        yield FieldError("owner", f"must be a text of at most {LONGEST_OWNER} characters, got {shown(owner)}")
