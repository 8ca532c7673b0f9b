"""Executions that reach the same users at the same moment, their calls interleaved at random: no cap is exceeded."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import Conflict, NotYet
from functions.domain.ids import execution_id
from functions.domain.policy import Policy
from functions.ports import Ports
from functions.usecases.timeline.send_shard import send_shard
from tests.examples import examples
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.interleaving import interleave

pytestmark = pytest.mark.slow

USERS = 5
RECIPES = ("first", "second")
CAPS = {3: 1, 2: 3, 5: 1}
"""Pushes of a layer that one user may get within three days, by the default rules."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A folder in which two executions of two pushes each are live and planned, of a layer."""
    made: dict[int, Path] = {}

    def prepare(layer: int) -> Path:
        if layer not in made:
            made[layer] = tmp_path_factory.mktemp(f"layer-{layer}")
            _plan(made[layer], layer)
        return made[layer]

    return prepare


def _lab(folder: Path) -> Lab:
    return Lab(folder, policy=replace(Policy(), chunk_rows=2))


def _plan(folder: Path, layer: int) -> None:
    lab = _lab(folder)
    lab.write_users({"a": range(USERS), "b": [8], "c": [9]})
    lab.open()
    pushes = [push(number, layerId=layer, audienceName="a", timing={}) for number in (1, 2)]
    for name in RECIPES:
        lab.save(recipe(id=name, pushSequence=pushes))
    lab.run_to(SEND_AT, inclusive=False)
    lab.clock.advance_to(SEND_AT)
    for name in RECIPES:
        body = {"executionId": execution_id(name, SEND_AT)}
        for function, numbers in (("checkpoint", {}), *(("send_push", {"push": n, "generation": 0}) for n in (1, 2))):
            answer = lab.runtime.call(function, {"X-CloudTasks-TaskName": "now"}, body | numbers)
            assert answer.status == 200, answer.text
    lab.close()


def _send(name: str, number: int, ports: Ports) -> None:
    send_shard(ports, execution_id(name, SEND_AT), number, 1)


@pytest.mark.long
@given(layer=st.sampled_from([2, 3, 5]), order=st.lists(st.integers(0, 5), max_size=120), twice=st.booleans())
@examples(25, few=6)
def test_overlapping_executions_never_exceed_a_cap(
    live: Callable[[int], Path], layer: int, order: list[int], twice: bool
) -> None:
    with TemporaryDirectory(prefix="tminus-") as folder:
        shutil.copytree(live(layer), folder, dirs_exist_ok=True)
        lab = _lab(Path(folder))
        lab.clock.advance_to(SEND_AT)
        lab.open()
        work = [partial(_send, name, number) for name in RECIPES for number in (1, 2)]
        raised = interleave(lab.ports, work + work[:2] * twice, order)
        assert [error for error in raised if not (twice and isinstance(error, (Conflict, NotYet)))] == []
        lab.run_to_the_end()
        got = Counter(message["userId"] for message in lab.outbox(test=False))
        most = min(CAPS[layer], len(RECIPES) * 2)
        assert got == Counter(dict.fromkeys(got, most)), "every user got as much as the cap allows, and no more"
        assert len(got) == USERS
        sends = Counter((m["executionId"], m["push"], m["userId"]) for m in lab.outbox(test=False))
        assert max(sends.values()) == 1
        for name in RECIPES:
            for numbers in lab.report(execution_id(name, SEND_AT))["pushes"]:
                parts = sum(numbers[part] for part in ("sent", "failed", "unknown", "notReached"))
                assert parts + sum(numbers["excluded"].values()) == numbers["audienceSize"] == USERS
        lab.close()
