"""What tminus.toml says about user ids and about where user data are, and what the environment makes of it."""

from pathlib import Path

import pytest

from audience_jobs.workspace import Workspace, marketplace
from audience_jobs.workspace.source import Source, without_password
from functions.domain.errors import Misconfigured
from functions.domain.ids import UserIdFormat
from functions.settings import UserDatabaseSettings, UserDatasetSettings
from functions.settings.read import read_settings
from tests.unit.test_workspace import GOOD_NAME, problems_of, taken_by

POSTGRES = 'postgres = "postgresql://reader@db:5432,db2/shop?sslmode=require"\n'
SECRET = "source.postgres: has a password: take it out of the file"
CASES = {
    'user_id = "uuid"\n': [],
    'user_id = "UUID"\n': [
        'tminus.toml:2: user_id: is "UUID": write any, or uuid where all ids are UUIDs',
    ],
    "user_id = ['any']\n": None,
    "user_id = 1\n": None,
    '[source]\ndata = "../export"\n': [],
    '[source]\ndata = "/exports/Ümläut shop"\n': [],
    '[source]\ndata = "gs://shop-exports/daily/"\n': [],
    '[source]\ndata = "gs://shop-exports/../x"\n': [
        'tminus.toml:3: source.data: is "gs://shop-exports/../x": write a folder, relative to this file, or '
        "gs://bucket/folder",
    ],
    '[source]\ndata = "s3://shop"\n': None,
    '[source]\ndata = ""\n': None,
    '[source]\ndata = "a\\nb"\n': None,
    "[source]\ndata = 1\n": None,
    f"[source]\n{POSTGRES}": [],
    f'[source]\n{POSTGRES}schema = "shop"\n': [],
    '[source]\npostgres = "SHOP_DATABASE"\n': [],
    '[source]\npostgres = "shop_database"\n': [
        "tminus.toml:3: source.postgres: write postgresql://role@host/database, or the name of a variable that holds "
        "it, as in SHOP_DATABASE",
    ],
    '[source]\npostgres = "postgresql://reader:hush@db/shop"\n': [
        f"tminus.toml:3: {SECRET}, and give it as PGPASSWORD, or the whole address as USER_DATABASE_URL",
    ],
    '[source]\npostgres = "postgres://:hush@db/shop"\n': None,
    '[source]\npostgres = "postgresql://db/shop?user=a&password=hush"\n': None,
    f'[source]\n{POSTGRES}schema = "a;b"\n': None,
    '[source]\nbigquery = "kicks-data.shop"\nbucket = "kicks-audiences"\n': [],
    '[source]\nbigquery = "shop"\n': [
        'tminus.toml:3: source.bigquery: is "shop": write project.dataset',
    ],
    '[source]\nbigquery = "kicks-data.shop"\nbucket = "K"\n': None,
    '[source]\ndata = "x"\nschema = "shop"\n': [
        "tminus.toml:4: source.schema: belongs to postgres: write postgres too, or leave it out",
    ],
    f'[source]\ndata = "x"\n{POSTGRES}': [
        "tminus.toml:4: source: has data and postgres: leave one",
    ],
    "[source]\n": ["tminus.toml:2: source: says nothing: write one of data, postgres, bigquery"],
    'source = "../export"\n': [
        'tminus.toml:2: source: is "../export": write [source] and below it data = "FOLDER"',
    ],
    '[source]\ndatas = "x"\n': [
        "tminus.toml:2: source: says nothing: write one of data, postgres, bigquery",
        'tminus.toml:3: source.datas: unknown key; did you mean "data"?',
    ],
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_a_source_is_taken_or_refused_with_line_and_way_out(
    text: str, expected: list[str] | None, tmp_path: Path
) -> None:
    problems = problems_of(tmp_path, settings=GOOD_NAME + text)
    assert problems == expected if expected is not None else problems
    assert taken_by("tminus", tmp_path / "tminus.toml") == (not problems)
    assert "hush" not in str(problems)


def test_the_marketplace_says_what_holds_without_a_workspace() -> None:
    market = marketplace()
    assert market.source is None
    assert read_settings({}) == read_settings({}, market.settings)
    assert read_settings({}).policy.user_id_format is UserIdFormat(market.user_ids) is UserIdFormat.UUID


def test_a_folder_is_relative_to_the_workspace(tmp_path: Path) -> None:
    problems_of(tmp_path, settings=GOOD_NAME + '[source]\ndata = "../export"\n')
    said = Workspace(tmp_path).settings
    assert read_settings({}, said).user_data_dir == tmp_path / "../export"
    assert read_settings({}, said).policy.user_id_format is UserIdFormat.ANY
    assert read_settings({"USER_DATA_DIR": "other", "USER_ID_FORMAT": "uuid"}, said) == read_settings(
        {"USER_DATA_DIR": "other"}
    )
    assert Source(data="/export").settings(tmp_path)["USER_DATA_DIR"] == "/export"
    assert Source(data="gs://b/c").settings(tmp_path)["USER_DATA_DIR"] == "gs://b/c"


def test_the_address_of_a_database_is_in_the_file_or_in_a_variable() -> None:
    written = Source(postgres="postgresql://db/shop", schema="shop").settings(Path())
    assert read_settings({}, written).user_database == UserDatabaseSettings(url="postgresql://db/shop", schema="shop")
    whole = read_settings({"USER_DATABASE_URL": "postgresql://reader:hush@db/shop"}, written).user_database
    assert whole == UserDatabaseSettings(url="postgresql://reader:hush@db/shop", schema="shop")
    assert read_settings({"USER_DATA": "postgres"}, written) == read_settings({}, written)
    named = Source(postgres="SHOP_DATABASE").settings(Path())
    found = read_settings({"SHOP_DATABASE": "postgresql://db/shop"}, named).user_database
    assert found == UserDatabaseSettings(url="postgresql://db/shop", variable="SHOP_DATABASE")
    with pytest.raises(Misconfigured, match="SHOP_DATABASE: must begin with postgresql://"):
        read_settings({"SHOP_DATABASE": "hush"}, named)


def test_a_dataset_is_read_at_the_cost_of_its_project_unless_another_is_named() -> None:
    said = Source(bigquery="kicks-data.shop", bucket="kicks-audiences").settings(Path())
    expected = UserDatasetSettings(dataset="kicks-data.shop", project="kicks-data", bucket="kicks-audiences")
    assert read_settings({}, said).user_dataset == expected
    paid = read_settings({"GOOGLE_CLOUD_PROJECT": "kicks-push"}, said).user_dataset
    assert paid is not None
    assert paid.project == "kicks-push"
    with pytest.raises(Misconfigured, match="AUDIENCE_BUCKET"):
        read_settings({}, Source(bigquery="kicks-data.shop").settings(Path()))


@pytest.mark.parametrize("variables", [{"USER_DATA": "files"}, {"USER_DATA_DIR": "other"}])
def test_another_kind_in_the_environment_leaves_nothing_of_the_source(variables: dict[str, str]) -> None:
    said = Source(postgres="postgresql://db/shop").settings(Path())
    assert read_settings(variables, said) == read_settings(variables)


@pytest.mark.parametrize(
    ("url", "without"),
    [
        ("postgresql://ann:hush@db:5432/shop?sslmode=require", "postgresql://ann@db:5432/shop?sslmode=require"),
        ("postgres://:hush@db/shop", "postgres://@db/shop"),
        ("postgresql://db/shop?password=hush&sslmode=require", "postgresql://db/shop?sslmode=require"),
        ("postgresql://db/shop?user=ann&password=hush", "postgresql://db/shop?user=ann"),
        ("postgresql://db:5432/shop", "postgresql://db:5432/shop"),
    ],
)
def test_an_address_is_kept_without_its_password(url: str, without: str) -> None:
    assert without_password(url) == without
