"""The parameters of audience jobs as fields of the recipe form, one for each parameter of each job.

The field for JSON beside them keeps what they cannot show: unknown names, old spellings, values of another type.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from functions.handlers.console.forms.form_fields import BEFORE_QUERY, FormField
from functions.handlers.console.forms.recipe_form import Sent, Values
from functions.handlers.console.forms.widgets import Kind, read_json, read_text, show_json
from functions.usecases.dry_run.describe_jobs import JobParameter, JobShown

JOB = "audienceCriteria.customScript.scriptId"
_KINDS = {"integer": Kind.NUMBER, "boolean": Kind.CHOICE, "text": Kind.TEXT}
_YES_OR_NO = {"true": True, "false": False}
NamedField = tuple[str, FormField]


def parameter_fields(jobs: Sequence[JobShown]) -> list[tuple[JobShown, list[NamedField]]]:
    """Return the jobs that have parameters, with a field for each parameter by its name in the form."""
    return [(job, [(_name(job, each), _field(each)) for each in job.parameters]) for job in jobs if job.parameters]


def shown_in_fields(values: Values, jobs: Sequence[JobShown]) -> Values:
    """Return a form's values with the parameters of its job in fields, as far as these can show them."""
    written = _read(values.get(BEFORE_QUERY, ""))
    moved: Values = {}
    for job, each in _of_chosen(values, jobs):
        text = _shown(written.get(each.name)) if each.name in written else ""
        if text and _value(each, text) == (written[each.name], type(written[each.name])):
            moved[_name(job, each)] = text
            del written[each.name]
    return {**values, **moved, BEFORE_QUERY: show_json(written) if written else ""} if moved else values


def with_parameters(sent: Sent, jobs: Sequence[JobShown]) -> Sent:
    """Return a submitted form whose document has the parameters in the fields of its job. An empty field is none."""
    fields = [(each, sent.values.get(_name(job, each), "")) for job, each in _of_chosen(sent.values, jobs)]
    given = {each.name: _value(each, text)[0] for each, text in fields if text}
    if not given:
        return sent
    criteria = dict(sent.document["audienceCriteria"])
    script = dict(criteria["customScript"])
    others = script.get("parameters")
    script["parameters"] = {**(others if isinstance(others, dict) else {}), **given}
    return replace(sent, document={**sent.document, "audienceCriteria": {**criteria, "customScript": script}})


def _of_chosen(values: Values, jobs: Sequence[JobShown]) -> Iterator[tuple[JobShown, JobParameter]]:
    return ((job, each) for job in jobs if job.id == values.get(JOB) for each in job.parameters)


def _name(job: JobShown, parameter: JobParameter) -> str:
    return f"parameters.{job.id}.{parameter.name}"


def _field(parameter: JobParameter) -> FormField:
    options: tuple[tuple[str, str], ...] = ()
    if parameter.type == "boolean":
        default = {True: "Yes (default)", False: "No (default)"}.get(parameter.default is True, "")
        empty = default if parameter.default is not None else "Choose"
        options = (("", empty), ("true", "Yes"), ("false", "No"))
    kind = _KINDS[parameter.type]
    return FormField(path=parameter.name, kind=kind, label=parameter.name, hint=_hint(parameter), options=options)


def _hint(parameter: JobParameter) -> str:
    meaning = parameter.meaning[:1].upper() + parameter.meaning[1:]
    words = [meaning if meaning.endswith(".") else f"{meaning}."]
    low, high = parameter.minimum, parameter.maximum
    if low is not None or high is not None:
        bounds = [f"at least {low:,}"] if low is not None else []
        bounds += [f"at most {high:,}"] if high is not None else []
        words.append(f"A whole number, {' and '.join(bounds)}.")
    if parameter.default is None:
        words.append("Required.")
    elif parameter.type != "boolean":
        words.append(f"Default: {parameter.default}.")
    return " ".join(words)


def _read(text: str) -> dict[str, Any]:
    try:
        read = read_json(text)
    except (ValueError, RecursionError):
        return {}
    return dict(read) if isinstance(read, Mapping) else {}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    shown = str(value) if isinstance(value, int | str) else ""
    return shown if shown.isprintable() else ""  # a field of one line would drop its line breaks


def _value(parameter: JobParameter, text: str) -> tuple[Any, type]:
    """Return what a text means for a parameter, and its type. A text that is wrong stays one: saving refuses it."""
    value: Any = text
    if parameter.type == "boolean":
        value = _YES_OR_NO.get(text, text)
    elif parameter.type == "integer":
        value = read_text(Kind.NUMBER, text)
    return value, type(value)
