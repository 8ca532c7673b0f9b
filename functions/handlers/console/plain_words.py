"""Messages of the domain in the console's words: labels for fields, campaign for recipe, send for execution.

The API, the command line and the log of a deployment have the same messages with the paths of a recipe document.
"""

import re
from collections.abc import Mapping

from functions.handlers.console.forms.field_labels import label_of
from functions.handlers.console.words import sentence

_PATH = r"(?P<path>(?:audienceCriteria|pushSequence|schedule|settings)(?:\[\d+\]|\.\w+)+)"
_TERM = r"(?<![\w/.-])(?P<term>(?:an )?executions?|recipes?|T-[0-9]+)(?![\w/-])"
_QUOTED = r"'[^']*'|\"[^\"]*\"|“[^”]*”"
_MESSAGE = re.compile(f"{_QUOTED}|{_PATH}|{_TERM}", re.IGNORECASE)
"""What a person wrote stands in quotes and stays."""
_TERMS: Mapping[str, str] = {
    "recipe": "campaign",
    "recipes": "campaigns",
    "execution": "send",
    "executions": "sends",
    "an execution": "a send",
    "T-0": "the send time",
}


def plain(text: str) -> str:
    """Return a message with labels for paths, and with the console's terms."""
    return _MESSAGE.sub(_plain, text)


def plain_sentence(text: str) -> str:
    """Return a message as a sentence in the console's words."""
    return sentence(plain(text))


def _plain(found: re.Match[str]) -> str:
    if found["path"]:
        return f"“{label_of(found['path'])}”"
    if not found["term"]:
        return found[0]
    term = found["term"]
    if term[:2] == "T-":
        return _TERMS.get(term, f"{term[2:]} minutes before the send time")
    word = _TERMS[term.lower()]
    return word.capitalize() if term[0].isupper() else word
