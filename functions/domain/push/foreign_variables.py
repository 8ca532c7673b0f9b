"""Variables in the syntax of other products, which Tminus would send literally: `{{first_name}}`, `*|FNAME|*`.

Each pattern hardly occurs in a push text by chance: it does not match "50%", "{50% off}" and ":-{".
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

from functions.domain.push.column_names import is_usable, same_name
from functions.domain.push.links import Link
from functions.domain.push.template import Template, Variable

_NAME = r"[^\W\d][\w.]*"
_WORDS = rf"{_NAME}(?:[ -]{_NAME}){{0,3}}"
_FORMS = re.compile(
    "|".join(
        (
            r"\{\{\{?[^{}]*(?:\$\{[^{}]*\}[^{}]*)?\}?\}\}",  # Braze, OneSignal, Airship, Customer.io, Iterable
            r"\{\{+(?:[^{}]*\})?|\}\}+",  # what is left of them where a brace is missing
            r"\{%-?\s*[A-Za-z][^{}]*%\}",  # Liquid tags: {% if %}
            # Java, CleverTap, Salesforce, ICU
            rf"[$#@]?\{{[$!#]?(?:{_NAME}\s*[|,:][^{{}}]*|\s*{_NAME}\s*|{_WORDS})\}}",
            r"\{\d{1,2}\}",  # Java and .NET resources
            r"<%[^<>]*%>",  # ERB, Adobe Campaign
            rf"<<{_NAME}>>",
            r"\*\|[^|*\s][^|*]*\|\*",  # Mailchimp, Mandrill
            r"\[var:[^\[\]]*\]",
            r"\[(?=[^\W_]*_)[^\W\d]\w*\]",  # by hand: [FIRST_NAME], [Your Name]
            r"\[(?:[^\[\]]{0,30}\b|[^\W_]{0,10})name\]",
            rf"(?<!#)##{_WORDS}##(?!#)",
            rf"(?<![\w%])%%?{_WORDS}%%?(?!\w)",  # Mailgun, Salesforce
            r"%\([A-Za-z_]\w*\)[sd]",  # Python, gettext
            r"%\d+\$[sd@]",  # Android and iOS resources
        )
    ),
    re.IGNORECASE,
)
_WIDE = re.compile(r"\{\{[^{}]*\}\}|\[{1,2}var:[^\[\]]*\]{1,2}", re.IGNORECASE)
"""Text with full-width brackets, which input methods for Japanese or Chinese write."""
_BRACKETED = re.compile(r"\[([^\[\]]{1,60})\]")
_URL = re.compile(r"://\S+")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_LONGEST_SHOWN = 40


def foreign_variables(template: Template, columns: Collection[str] = ()) -> list[str]:
    """Return the parts of a template's text and fallbacks that look like variables of another product.

    A name in single brackets counts if it has an underscore, ends in "name" or is one of the audience's `columns`:
    `[NEW]` is an ordinary text.
    """
    return list(dict.fromkeys(_found(template, columns)))


def way_to_write(foreign: str, columns: Collection[str]) -> str:
    """Say how to write a variable of another product, with a column of the audience."""
    named = re.search(_WORDS, re.sub(r"\[var:", "", unicodedata.normalize("NFKC", foreign), flags=re.IGNORECASE))
    words = named[0].strip(".").rpartition(".")[2] if named else ""
    column = (same_name(words, columns) or same_name(words.split()[0], columns)) if words else ""
    shown = foreign if len(foreign) <= _LONGEST_SHOWN else f"{foreign[: _LONGEST_SHOWN - 3]}..."
    if column and is_usable(column):
        write = f"write [[var:{column}]]"
    else:
        usable = ", ".join(each for each in columns if is_usable(each))
        write = f"write [[var:column]] with a column of the audience{usable and f': {usable}'}"
    return (
        f"{shown!r} looks like a variable of another product; {write}, or set literalText to true if it is meant so"
    )


def _found(template: Template, columns: Collection[str]) -> Iterator[str]:
    encoded = isinstance(template, Link)
    for part in template.parts:
        text = unicodedata.normalize("NFC", (part.fallback or "") if isinstance(part, Variable) else part)
        searched = _ENCODED.sub("---", text) if encoded else _URL.sub(_without_escapes, text)
        yield from (text[slice(*match.span())] for match in _FORMS.finditer(searched))
        narrow = "".join(map(_narrow, text))
        if narrow != text:
            wide = (text[slice(*match.span())] for match in _WIDE.finditer(narrow))
            yield from (each for each in wide if not each.isascii())
        for match in _BRACKETED.finditer(text):
            if same_name(match[1], columns) and not _FORMS.fullmatch(match[0]):
                yield match[0]


def _without_escapes(url: re.Match[str]) -> str:
    return _ENCODED.sub("---", url[0])


def _narrow(letter: str) -> str:
    """Return the NFKC form of a character, unless it has several characters."""
    narrow = unicodedata.normalize("NFKC", letter)
    return narrow if len(narrow) == 1 else letter
