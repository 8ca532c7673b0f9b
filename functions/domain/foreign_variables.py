"""Variables in the words of other products, which Tminus would send as they are: `{{first_name}}`, `*|FNAME|*`.

Each form is one that a push text hardly has by chance: "50%", "{50% off}" and ":-{" are none.
"""

import re
from collections.abc import Collection, Iterator

from functions.domain.column_names import is_usable, same_name
from functions.domain.template import Template, Variable

_NAME = r"[A-Za-z_][A-Za-z0-9_.]*"
_FORMS = re.compile(
    "|".join(
        (
            r"\{\{\{?[^{}]*(?:\$\{[^{}]*\}[^{}]*)?\}?\}\}",  # Braze, OneSignal, Airship, Customer.io, Iterable
            r"\{%-?\s*[A-Za-z][^{}]*%\}",  # Liquid tags: {% if %}
            rf"[$#@]?\{{[$!#]?{_NAME}(?:\s*[|,:][^{{}}]*)?\}}",  # Java, CleverTap, Salesforce, ICU
            r"<%[^<>]*%>",  # ERB, Adobe Campaign
            rf"<<{_NAME}>>",
            r"\*\|[^|*\s][^|*]*\|\*",  # Mailchimp, Mandrill
            r"\[var:[^\[\]]*\]",
            rf"(?<![\w%])%%?{_NAME}%%?(?!\w)",  # Mailgun, Salesforce
            r"%\([A-Za-z_]\w*\)[sd]",  # Python, gettext
            r"%\d+\$[sd@]",  # Android and iOS resources
        )
    ),
    re.IGNORECASE,
)
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_LONGEST_SHOWN = 40


def foreign_variables(template: Template) -> list[str]:
    """Return what looks like a variable of another product in the text and the fallbacks of a template."""
    return list(dict.fromkeys(_found(template)))


def way_to_write(foreign: str, columns: Collection[str]) -> str:
    """Say how a variable of another product is written here, with a column that the audience has."""
    named = re.search(_NAME, foreign.replace("[var:", ""))
    column = same_name(named[0].strip(".").rpartition(".")[2], columns) if named else ""
    shown = foreign if len(foreign) <= _LONGEST_SHOWN else f"{foreign[: _LONGEST_SHOWN - 3]}..."
    if column and is_usable(column):
        write = f"write [[var:{column}]]"
    else:
        usable = ", ".join(each for each in columns if is_usable(each))
        write = f"write [[var:column]] with a column of the audience: {usable}"
    return (
        f"{shown!r} looks like a variable of another product; {write}, or set literalText to true if it is meant so"
    )


def _found(template: Template) -> Iterator[str]:
    for part in template.parts:
        text = (part.fallback or "") if isinstance(part, Variable) else part
        yield from _FORMS.findall(_ENCODED.sub("-", text))
