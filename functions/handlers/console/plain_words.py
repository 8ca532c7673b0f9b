"""Messages of the domain in the console's words: labels for fields, campaign for recipe, send for execution.

The API, the command line and the log of a deployment have the same messages with the paths of a recipe document.
"""

import re
from collections.abc import Mapping

from functions.handlers.console.forms.field_labels import label_of
from functions.handlers.console.words import sentence

_PATH = r"(?P<path>(?:audienceCriteria|pushSequence|schedule|settings)(?:\[\d+\]|\.\w+)+)"
_TERM = r"(?<![\w/.-])(?P<term>(?:an )?executions?|recipes?|T-[0-9]+)(?![\w/-])"
_SETTINGS: Mapping[str, str] = {
    "ALERT_CHANNELS": "the deployment's alert channels",
    "ALLOWED_IMAGES": "the allowed images",
    "ALLOWED_LINKS": "the allowed links",
    "DEFAULT_TEST_USER_IDS": "the deployment's test users",
    "MAX_TOTAL_AUDIENCE": "the deployment's limit of people",
    "USER_ID_FORMAT": "the format of user IDs",
}
"""What campaigns depend on. Other settings are for operators of the deployment, and keep their names, as does every
setting that is missing or wrong."""
_SETTING = rf"\b(?<!the setting )(?P<setting>{'|'.join(_SETTINGS)})(?P<to>=(?=\w))?\b"
_DATA = (
    r"(?P<data>is not a column of (?:the model )?(?P<lacks>(?!the\b)\w+)"
    r"|a column of the model (?P<model>\w+)"
    r"|is not a model of events)"
)
_QUOTED = r"'[^']*'|\"[^\"]*\"|“[^”]*”"
_MESSAGE = re.compile(f"{_QUOTED}|{_PATH}|{_SETTING}|{_DATA}|{_TERM}", re.IGNORECASE)
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
    """Return a message with labels for paths, and with the console's terms for settings, data and the rest."""
    return _MESSAGE.sub(_plain, text)


def plain_sentence(text: str) -> str:
    """Return a message as a sentence in the console's words."""
    return sentence(plain(text))


def _plain(found: re.Match[str]) -> str:
    if found["path"]:
        return f"“{label_of(found['path'])}”"
    if found["setting"]:
        return _SETTINGS[found["setting"].upper()] + (" to " if found["to"] else "")
    if found["data"]:
        return _of_data(found)
    return _in_terms(found["term"]) if found["term"] else found[0]


def _of_data(found: re.Match[str]) -> str:
    if found["lacks"]:
        return f"is not in the data on {found['lacks']}"
    return f"from the data on {found['model']}" if found["model"] else "is not an event"


def _in_terms(term: str) -> str:
    if term[:2] == "T-":
        return _TERMS.get(term, f"{term[2:]} minutes before the send time")
    word = _TERMS[term.lower()]
    return word.capitalize() if term[0].isupper() else word
