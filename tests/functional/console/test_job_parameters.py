"""The parameters of audience jobs as fields of the recipe form."""

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from functions.handlers.console.forms.form_fields import BEFORE_QUERY
from functions.handlers.console.forms.job_parameters import JOB, parameter_fields, shown_in_fields, with_parameters
from functions.handlers.console.forms.recipe_form import Sent, read_recipe, values_of
from functions.usecases.dry_run.describe_jobs import JobParameter, JobShown
from tests.factories import recipe

JOBS = [
    JobShown(
        id="walks",
        title="Walks",
        layer=3,
        parameters=[
            JobParameter(name="days", type="integer", default=7, minimum=1, maximum=90, meaning="how many days"),
            JobParameter(name="pro", type="boolean", default=None, minimum=None, maximum=None, meaning="only pros"),
            JobParameter(name="city", type="text", default="Berlin", minimum=None, maximum=None, meaning="where"),
        ],
        audiences=[],
    )
]


def stored(parameters: Any) -> dict[str, Any]:
    return recipe(audienceCriteria={"customScript": {"scriptId": "walks", "parameters": parameters}})


def saved(document: dict[str, Any], **typed: str) -> Sent:
    values, _ = values_of(document)
    shown = shown_in_fields(values, JOBS)
    form = MultiDict({**shown, **{f"parameters.walks.{name}": text for name, text in typed.items()}})
    return with_parameters(read_recipe(form, document), JOBS)


def parameters_of(sent: Sent) -> Any:
    return sent.document["audienceCriteria"]["customScript"].get("parameters")


@pytest.mark.parametrize(
    "parameters",
    [
        {"days": 30, "pro": False, "city": "Ulm"},
        {"days": "30", "pro": "yes", "city": 7},
        {"days": 1.5, "city": "", "lookbackDays": 3},
        {"days": None, "city": "a\nb"},
        {"days": True, "pro": 1, "city": "true"},
        {"other": {"deep": [1]}},
    ],
)
def test_a_form_that_is_sent_unchanged_keeps_the_parameters(parameters: dict[str, Any]) -> None:
    sent = saved(stored(parameters))
    assert (parameters_of(sent), sent.errors) == (parameters, [])
    assert {name: type(value) for name, value in parameters_of(sent).items()} == {
        name: type(value) for name, value in parameters.items()
    }


def test_what_is_typed_gets_the_type_of_the_parameter() -> None:
    assert parameters_of(saved(stored({}), days="14", pro="true", city="7")) == {"days": 14, "pro": True, "city": "7"}
    assert parameters_of(saved(stored({"days": 3, "other": 1}), days="")) == {"other": 1}


def test_a_wrong_text_stays_so_that_saving_names_it() -> None:
    assert parameters_of(saved(stored({}), days="a week")) == {"days": "a week"}


def test_fields_of_another_job_are_not_read() -> None:
    document = recipe()
    sent = saved(document, days="14")
    assert sent.values[JOB] == "everybody"
    assert parameters_of(sent) is None


def test_a_field_says_what_it_takes() -> None:
    [(job, fields)] = parameter_fields(JOBS)
    assert (job.id, fields[0][0]) == ("walks", "parameters.walks.days")
    hints = [field.hint for _, field in fields]
    assert hints[0] == "How many days. A whole number, at least 1 and at most 90. Default: 7."
    assert hints[1:] == ["Only pros. Required.", "Where. Default: Berlin."]
    assert [value for value, _ in fields[1][1].options] == ["", "true", "false"]
    assert BEFORE_QUERY not in dict(fields)
