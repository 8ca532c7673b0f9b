"""Looking after violations."""

from collections.abc import Callable

import pytest

from functions.domain.errors import NotFound
from functions.usecases.violations import open_violations, resolve_violation
from tests.factories import recipe
from tests.functional.conftest import EARLIER, Lab


def test_a_violation_waits_until_somebody_resolves_it(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.save(recipe(settings__safeguards={"maxAudienceSize": 3}))
    lab.run_to_the_end()
    [waiting] = open_violations(lab.ports)
    assert (waiting.execution_id, waiting.finding.type) == (lab.id, "audience_too_large")
    resolve_violation(lab.ports, lab.id, waiting.id, by="ann@example.com")
    assert list(open_violations(lab.ports)) == []
    [told] = lab.report()["violations"]
    assert (told["resolved"], told["resolvedBy"]) == (True, "ann@example.com")
    assert told["resolvedAt"] > f"{EARLIER:%Y-%m-%dT%H:%M:%SZ}"


def test_a_violation_that_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(NotFound, match="has no violation 'x'"):
        resolve_violation(lab.ports, lab.id, "x", by="ann@example.com")
    with pytest.raises(NotFound, match="no open violation is 'x'"):
        resolve_violation(lab.ports, "", "x", by="ann@example.com")
