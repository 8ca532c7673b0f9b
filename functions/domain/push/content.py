"""Checks of the texts of a push, made when a recipe is saved, never when it is read."""

import unicodedata
from collections.abc import Collection
from dataclasses import replace

from functions.domain.documents import shown
from functions.domain.errors import BadTemplate, FieldError
from functions.domain.push.fcm_message import OWN_KEYS
from functions.domain.push.foreign_variables import foreign_variables, way_to_write
from functions.domain.push.links import Link, check_form
from functions.domain.push.payload import PAYLOAD_LIMIT_BYTES, Payload
from functions.domain.push.template import Template, Variable
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.translations import Translation

_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})
_UNSEEN_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Fillers that count as letters or symbols but are invisible: unicode.org/reports/tr36, section 3.1."""


def content_errors(push: RecipePush, columns: Collection[str]) -> list[FieldError]:
    """Return the errors in the texts of a push whose audience has these columns, by the paths of the fields."""
    errors = _blank(push) + _too_large(push)
    for tag, translation in push.translations.items():
        said = push.in_language(tag)
        found = [_in(tag, translation, error) for error in _blank(said) + _too_large(said)]
        errors += [error for error in found if error not in errors]
    errors += [
        FieldError(f"data.{key}", "is a key that Tminus uses: choose another one")
        for key in OWN_KEYS
        if key in push.data
    ]
    texts = push.texts
    for name, text in texts.items():
        if isinstance(text, Link):
            errors += _link_errors(name, text)
    if push.literal_text not in (None, True, False):
        errors.append(FieldError("literalText", f"must be true or false, got {shown(push.literal_text)}"))
    if push.literal_text is not True:
        for name, template in texts.items():
            foreign = [] if name.startswith("data.") else foreign_variables(template, columns)  # the app's own syntax
            errors += [FieldError(name, way_to_write(found, columns)) for found in foreign]
    return errors


def _in(tag: str, translation: Translation, error: FieldError) -> FieldError:
    """Return the error of a push in one of its languages by the path of the field in the whole push."""
    if error.field.partition("[")[0] not in translation.given:
        return error
    return replace(error, field=f"translations.{tag}.{error.field}")


def is_blank(text: str) -> bool:
    """Return whether a text shows nothing: it is empty, or has only blanks and characters without width."""
    return all(letter in _UNSEEN_LETTERS or unicodedata.category(letter) in _UNSEEN_CATEGORIES for letter in text)


def _blank(push: RecipePush) -> list[FieldError]:
    errors = [
        FieldError(f"buttons[{place}].title", "is blank: write what users see, or remove the button")
        for place, button in enumerate(push.buttons)
        if not _says_something(button.title)
    ]
    if push.ios.subtitle is not None and not _says_something(push.ios.subtitle):
        errors.append(FieldError("ios.subtitle", "is blank: write what users see, or remove it"))
    if _says_something(push.title) or _says_something(push.body):
        return errors
    return [FieldError("title", "is blank, and so is the body: write a title or a body"), *errors]


def _says_something(template: Template) -> bool:
    """Return whether every row shows something: a row without a value is skipped or gets the fallback."""
    texts = (part.fallback if isinstance(part, Variable) else part for part in template.parts)
    return any(text is None or not is_blank(text) for text in texts)


def _too_large(push: RecipePush) -> list[FieldError]:
    """Count the text between the variables: the values only make the push larger."""
    written = {name: _between(template) for name, template in push.own_texts.items()}
    payload = Payload(push)
    more = [written[name] for name in push.more_texts]
    size = payload.size(written["title"], written["body"], written.get("deepLink"), more)
    if size <= PAYLOAD_LIMIT_BYTES:
        return []
    reason = f"makes the push {size:,} bytes long, without the values of variables; FCM takes {PAYLOAD_LIMIT_BYTES:,}"
    return [FieldError(payload.largest(written), f"{reason}: shorten it")]


def _link_errors(name: str, link: Link) -> list[FieldError]:
    try:
        if not link.is_variable:
            check_form(_between(link, "x"))
    except BadTemplate as error:
        return [FieldError(name, str(error))]
    return []


def _between(template: Template, variable: str = "") -> str:
    return "".join(part if isinstance(part, str) else variable for part in template.parts)
