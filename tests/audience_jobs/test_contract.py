"""What a job may declare, and what it makes of the parameters of a recipe."""

from collections.abc import Callable
from typing import Any

import pytest

from audience_jobs.contract import Audience, Column, Freshness, Job, Parameter
from audience_jobs.errors import BadParameter, UnknownAudience
from audience_jobs.workspace import marketplace

USER_ID = Column(name="user_id", type="text", meaning="the user")
EVERYBODY = Audience(name="everybody", columns=(USER_ID,), meaning="all users")


@pytest.fixture
def job() -> Callable[..., Job]:
    def declare(**changes: Any) -> Job:
        parameters = (
            Parameter(name="lookback_hours", type="integer", default=48, minimum=1, maximum=100, meaning="hours"),
            Parameter(name="require_avatar", type="boolean", default=False, meaning="whether"),
            Parameter(name="product_id", type="text", meaning="the product"),
        )
        declared: dict[str, Any] = {
            "id": "sample",
            "title": "Sample",
            "layer": 3,
            "parameters": parameters,
            "audiences": (EVERYBODY,),
            "sql": "SELECT 'everybody' AS audience, id AS user_id FROM users",
        }
        return Job(**declared | changes)

    return declare


def test_defaults_fill_what_a_recipe_leaves_out(job: Callable[..., Job]) -> None:
    expected = {"lookback_hours": 48, "require_avatar": False, "product_id": "p"}
    assert job().arguments({"product_id": "p"}) == expected
    assert job().arguments({"product_id": "p", "lookback_hours": None}) == expected


def test_the_spelling_of_old_recipes_is_understood(job: Callable[..., Job]) -> None:
    given = {"lookbackHours": 5, "requireAvatar": True, "productId": "p"}
    assert job().arguments(given) == {"lookback_hours": 5, "require_avatar": True, "product_id": "p"}


def test_two_spellings_of_one_parameter_are_an_error(job: Callable[..., Job]) -> None:
    with pytest.raises(BadParameter, match="'lookbackHours' is given twice: keep 'lookback_hours' only"):
        job().arguments({"product_id": "p", "lookback_hours": 1, "lookbackHours": 2})


def test_an_unknown_parameter_lists_the_known_ones(job: Callable[..., Job]) -> None:
    with pytest.raises(
        BadParameter, match="'lookback' is unknown; known: lookback_hours, require_avatar, product_id"
    ):
        job().arguments({"lookback": 1})


def test_a_missing_value_says_what_to_give(job: Callable[..., Job]) -> None:
    with pytest.raises(BadParameter, match="'product_id' is missing: give a text"):
        job().arguments({})


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        ("lookback_hours", "48", "is '48': give a whole number from 1 up to 100"),
        ("lookback_hours", True, "give a whole number"),
        ("lookback_hours", 1.5, "give a whole number"),
        ("lookback_hours", 0, "is 0: give a whole number from 1"),
        ("lookback_hours", 101, "up to 100"),
        ("require_avatar", 1, "give true or false"),
        ("require_avatar", "true", "give true or false"),
        ("product_id", 7, "give a text"),
        ("product_id", ["p"], "give a text"),
    ],
)
def test_a_value_of_wrong_type_or_size_is_refused(
    job: Callable[..., Job], parameter: str, value: object, expected: str
) -> None:
    with pytest.raises(BadParameter, match=expected):
        job().arguments({"product_id": "p", parameter: value})


def test_an_audience_is_found_by_name_and_a_slip_is_answered_with_the_closest(job: Callable[..., Job]) -> None:
    assert job().audience("everybody") is EVERYBODY
    with pytest.raises(UnknownAudience, match="sample has no audience 'everbody'; did you mean 'everybody'"):
        job().audience("everbody")


def test_user_id_is_the_first_column_and_no_column_comes_twice() -> None:
    name = Column(name="name", type="text", meaning="the name")
    with pytest.raises(ValueError, match="'a': its first column has to be user_id"):
        Audience(name="a", columns=(name, USER_ID), meaning="")
    with pytest.raises(ValueError, match="'a' declares column 'name' 2 times"):
        Audience(name="a", columns=(USER_ID, name, name), meaning="")


def test_a_default_has_to_be_a_value_that_the_parameter_takes() -> None:
    with pytest.raises(ValueError, match="'hours': its default 0 is not a whole number from 1"):
        Parameter(name="hours", type="integer", default=0, minimum=1, meaning="")


def test_a_job_that_contradicts_itself_does_not_exist(job: Callable[..., Job]) -> None:
    days = Parameter(name="days", type="integer", default=1, meaning="")
    now = Parameter(name="now", type="text", default="", meaning="")
    columns = [Column(name="n", type=kind, meaning="") for kind in ("text", "integer")]
    two = [Audience(name=c.type, columns=(USER_ID, c), meaning="") for c in columns]
    contradictions: dict[str, dict[str, object]] = {
        "declares no audience": {"audiences": ()},
        "layers go from 1 to 9": {"layer": 10},
        "audience 'everybody' 2 times": {"audiences": (EVERYBODY, EVERYBODY)},
        "parameter 'days' 2 times": {"parameters": (days, days)},
        "parameter 'now' 2 times": {"parameters": (now,)},
        "different types to column 'n'": {"audiences": tuple(two)},
    }
    for complaint, change in contradictions.items():
        with pytest.raises(ValueError, match=complaint):
            job(**change)


def test_freshness_needs_a_timestamp_of_the_source_tables() -> None:
    for table, column in (("users", "username"), ("users", "nonsense"), ("secrets", "created_at")):
        with pytest.raises(ValueError, match=f"{table}.{column} is not a timestamp of the source tables"):
            Freshness(table=table, column=column, hours=24).check(marketplace().tables)
