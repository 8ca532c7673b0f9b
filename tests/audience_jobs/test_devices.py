"""Whose phone is whose: a token is that of its newest registration, without the white space around it."""

from pathlib import Path

import pytest

from audience_jobs.contract import Engine
from tests.audience_jobs.marketplace import DuckDBEngine, PostgresEngine
from tests.audience_jobs.phones import DEVICES, OWNERS, USERS, tokens_of
from tests.audience_jobs.postgres import fill
from tests.audience_jobs.worlds import put


@pytest.fixture(scope="module")
def engines(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> list[Engine]:
    """Have the devices in files and in PostgreSQL, in a schema that other tests leave alone."""
    folder = put(tmp_path_factory.mktemp("phones"), {"devices": DEVICES})
    fill(postgres, folder, schema="phones")
    return [DuckDBEngine(folder), PostgresEngine(postgres, schema="phones")]


@pytest.mark.parametrize("job", [True, False], ids=["found", "given"])
def test_a_token_belongs_to_its_newest_registration(job: bool, engines: list[Engine], tmp_path: Path) -> None:
    for engine in engines:
        assert tokens_of(engine, USERS, tmp_path / "out.csv", job=job) == OWNERS


@pytest.mark.long
@pytest.mark.parametrize("job", [True, False], ids=["found", "given"])
def test_the_owner_counts_also_where_only_the_owner_before_is_asked_for(
    job: bool, engines: list[Engine], tmp_path: Path
) -> None:
    before = sorted(set(USERS) - set(OWNERS))
    for engine in engines:
        assert tokens_of(engine, before, tmp_path / "out.csv", job=job) == {}
        for user, tokens in OWNERS.items():
            assert tokens_of(engine, [user], tmp_path / "out.csv", job=job, per_user=1) == {user: tokens[:1]}


def test_ids_that_are_given_with_white_space_around_them_find_their_devices(
    engines: list[Engine], tmp_path: Path
) -> None:
    for engine in engines:
        assert tokens_of(engine, [" second\t"], tmp_path / "out.csv", job=False) == {" second\t": ["sold", "own"]}
