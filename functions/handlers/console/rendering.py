"""Render templates. Values are escaped, and a missing value is an error."""

from collections.abc import Mapping
from functools import cache, partial
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from functions.domain.roles import Caller, Role
from functions.handlers.console import words
from functions.handlers.console.assets import address
from functions.handlers.console.execution_sentences import state_of
from functions.handlers.console.forms.field_labels import label_of, part_label
from functions.handlers.console.forms.guard import form_token
from functions.handlers.console.plain_words import plain, plain_sentence
from functions.handlers.console.shortcuts import SHORTCUTS
from functions.handlers.console.terms import TERMS
from functions.handlers.console.visit import Visit


def render(visit: Visit, template: str, values: Mapping[str, Any]) -> str:
    """Return a page or a part of one as text."""
    return (
        _environment()
        .get_template(template)
        .render(
            visit=visit,
            root=visit.root,
            now=visit.now,
            viewer_zone=visit.zone,
            caller=visit.caller,
            may_operate=visit.may(Role.OPERATOR),
            may_administer=visit.may(Role.ADMIN),
            form_token=partial(form_token, visit),
            APP=visit.ports.workspace.name,
            LAYERS=visit.ports.workspace.cadence.names,
            **values,
        )
    )


def render_alone(template: str, root: str, caller: Caller, values: Mapping[str, Any]) -> str:
    """Return a page that needs no clock, forms or stores, to show when nothing else works."""
    return _environment().get_template(template).render(root=root, now=None, caller=caller, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(str(files("functions.handlers.console") / "templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= words.FILTERS
    environment.filters |= {"field_label": label_of, "part_label": part_label, "send_state": state_of}
    environment.filters |= {"plain": plain, "sentence": plain_sentence}
    environment.filters["path"] = partial(quote, safe="")
    environment.globals |= {"asset": address, "SHORTCUTS": SHORTCUTS, "TERMS": TERMS, **words.TABLES}
    return environment
