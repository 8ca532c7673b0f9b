"""Looking after violations."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.domain.errors import NotFound
from functions.usecases.reports.violations import open_violations, resolve_violation
from tests.factories import recipe
from tests.functional.conftest import EARLIER, Lab


@pytest.mark.slow
def test_a_violation_waits_until_a_person_resolves_it(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.save(recipe(settings__safeguards={"maxAudienceSize": 3}))
    lab.run_to_the_end()
    [waiting] = open_violations(lab.ports).violations
    assert (waiting.execution_id, waiting.finding.type) == (lab.id, "audience_too_large")
    resolve_violation(lab.ports, lab.id, waiting.id, by="ann@example.com")
    assert list(open_violations(lab.ports).violations) == []
    [told] = lab.report()["violations"]
    assert (told["resolved"], told["resolvedBy"]) == (True, "ann@example.com")
    assert told["resolvedAt"] > f"{EARLIER:%Y-%m-%dT%H:%M:%SZ}"


def test_a_violation_that_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(NotFound, match="has no violation 'x'"):
        resolve_violation(lab.ports, lab.id, "x", by="ann@example.com")
    with pytest.raises(NotFound, match="no open violation is 'x'"):
        resolve_violation(lab.ports, "", "x", by="ann@example.com")


@pytest.mark.long
def test_a_violation_of_an_older_release_is_found_by_its_recipe(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    for name in ("welcome", "wel", "welcome_2"):
        lab.save(recipe(id=name, settings__safeguards={"maxAudienceSize": 3}))
    lab.run_to_the_end()
    assert lab.system is not None
    with lab.system.database.transaction() as connection:
        connection.execute("UPDATE violations SET document = json_remove(document, '$.recipeId')")
    for name in ("welcome", "wel", "welcome_2"):
        [found] = open_violations(lab.ports, recipe_id=name).violations
        assert found.recipe_id == name


@pytest.mark.slow
def test_an_open_violation_is_found_behind_any_number_of_newer_ones(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.save(recipe(settings__safeguards={"maxAudienceSize": 3}))
    lab.run_to_the_end()
    [oldest] = open_violations(lab.ports).violations
    for number in range(600):
        at = oldest.at + timedelta(seconds=1 + number)
        lab.ports.violations.record(replace(oldest, id=f"v{number}", recipe_id="other", at=at))
    assert list(open_violations(lab.ports, recipe_id="welcome").violations) == [oldest]
    assert resolve_violation(lab.ports, "", oldest.id, by="ann@example.com").resolved
