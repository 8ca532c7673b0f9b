"""Translations of a push, and which of them a person gets."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from functions.domain.documents import shown
from functions.domain.recipe.content_fields import MOST_BUTTONS, Image, PushButton, sound_buttons
from functions.domain.recipe.errors import at
from functions.domain.recipe.field_types import Fields, Text, Widget

_MOST = 100
_TAG = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*", re.IGNORECASE)
"""A language with script, region and variants: rfc-editor.org/rfc/rfc5646, section 2.1."""
_LONGEST = 80
_WRITTEN = re.compile(r"([a-z]{2,8}([-_][a-z0-9]{1,8})*)(\.[a-z0-9-]+)?(@[a-z0-9]+)?", re.IGNORECASE)
_CASES: Mapping[int, Callable[[str], str]] = {2: str.upper, 4: str.title}
"""How a region and a script are written, by their lengths: rfc-editor.org/rfc/rfc5646, section 2.1.1."""


class Translation(Fields):
    """The texts of a push in one language. What it leaves out is that of the push."""

    title: Text = Field(title="Title")
    body: Text = Field(title="Body")
    image: Image = Field(default=None, title="Image")
    buttons: Annotated[tuple[PushButton, ...], AfterValidator(sound_buttons)] = Field(
        default=(), strict=False, title="Buttons", json_schema_extra={"maxItems": MOST_BUTTONS}
    )

    @property
    def given(self) -> dict[str, Any]:
        """The fields of the push that it replaces, by name."""
        fields = {"title": self.title, "body": self.body, "image": self.image, "buttons": self.buttons}
        return {name: value for name, value in fields.items() if value}


def sound_translations(translations: dict[str, Translation]) -> dict[str, Translation]:
    """Return translations whose keys are language tags; ValueError names the first that is none, or comes twice."""
    if len(translations) > _MOST:
        raise ValueError(f"must hold at most {_MOST} languages, not {len(translations)}")
    known: dict[str, str] = {}
    for tag in translations:
        if not _TAG.fullmatch(tag):
            said = tag.replace("_", "-")
            way = f"write {said}" if _TAG.fullmatch(said) else "write one such as de, pt-BR or zh-Hant"
            raise at(tag, f"{shown(tag)} is not a language tag: {way}")
        if (other := known.setdefault(tag.lower(), tag)) != tag:
            raise at(tag, f"{shown(tag)} is the same language as {other}: keep one of them")
    return translations


def tag_of(locale: str) -> str:
    """Return the language tag of a locale; empty if it has none.

    Apps write locales in several ways, so capitals, `_` and a POSIX ending do not matter. User data may hold
    anything in their place, so what cannot be a tag is none.

    >>> tag_of("pt_br.UTF-8"), tag_of("zh-hant-tw"), tag_of("ann@example.com")
    ('pt-BR', 'zh-Hant-TW', '')
    """
    written = locale.strip() if len(locale) <= _LONGEST else ""
    found = _WRITTEN.fullmatch(written)
    if found is None:
        return ""
    language, *others = re.split("[-_]", found[1].lower())
    return "-".join([language, *(_CASES.get(len(each), str.lower)(each) for each in others)])


def lookup(locale: str, tags: Collection[str]) -> str:
    """Return the tag that fits a person's locale best; empty if none does.

    The locale is shortened from its end until it is one of the tags: rfc-editor.org/rfc/rfc4647, section 3.4.

    >>> lookup("pt_BR.UTF-8", ["de", "pt"]), lookup("zh-Hant-TW", ["zh-hant"]), lookup("pt", ["pt-BR"])
    ('pt', 'zh-hant', '')
    """
    known = {tag.lower(): tag for tag in tags}
    return next((known[each] for each in _ever_shorter(locale) if each in known), "")


def _ever_shorter(locale: str) -> Iterator[str]:
    parts = tag_of(locale).lower().split("-")
    while parts:
        yield "-".join(parts)
        parts.pop()
        if parts and len(parts[-1]) == 1:  # it only introduces what was behind it
            parts.pop()


Translations = Annotated[dict[str, Translation], AfterValidator(sound_translations), Widget.OBJECTS]
