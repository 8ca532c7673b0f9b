"""The storage proxy, seen by the real client and by the adapter: rights by folder, and names that are taken."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import Forbidden, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Bucket, Client

from functions.domain.errors import Misconfigured
from functions.gcp.storage import GcsAudienceFiles
from local.runtime.emulators import storage_emulator
from local.standins.storage import GuardedStorage
from tests.grants import deployed

BUCKET = "demo-tminus-audiences"
NAME = "audiences/daily_20261123T180000Z/1-größe 👟.csv"
CONTENT = b"user_id\r\na\r\n"
LARGE = b"x" * (8 * 2**20 + 1)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("storage")
    with storage_emulator(folder / "files", folder / "log") as url:
        client_at(url).create_bucket(BUCKET)
        yield url


@pytest.fixture
def proxy(emulator: str) -> Iterator[GuardedStorage]:
    with GuardedStorage(emulator, deployed("demo")) as entered:
        yield entered
    for blob in client_at(emulator).list_blobs(BUCKET):
        blob.delete()


@pytest.fixture
def bucket_of(proxy: GuardedStorage) -> Callable[[str], Bucket]:
    return lambda function: client_at(proxy.url_of(f"tminus-{function}")).bucket(BUCKET)


def client_at(url: str) -> Client:
    anybody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return Client(project="demo", credentials=anybody, client_options={"api_endpoint": url})


def test_a_function_writes_and_reads_in_its_folders(bucket_of: Callable[[str], Bucket]) -> None:
    bucket = bucket_of("build-audience")
    bucket.blob(NAME).upload_from_string(CONTENT, if_generation_match=0)
    assert bucket.blob(NAME).download_as_bytes() == CONTENT
    assert bucket_of("send-shard").blob(NAME).download_as_bytes() == CONTENT


@pytest.mark.parametrize(
    ("function", "name"),
    [("build-audience", "receipts/a.csv"), ("send-shard", NAME), ("finish", NAME), ("launch", NAME)],
)
def test_a_function_writes_nowhere_else(bucket_of: Callable[[str], Bucket], function: str, name: str) -> None:
    with pytest.raises(Forbidden, match=r"does not have storage.objects.create access"):
        bucket_of(function).blob(name).upload_from_string(CONTENT, if_generation_match=0)


def test_a_function_reads_deletes_and_lists_only_what_it_may(bucket_of: Callable[[str], Bucket]) -> None:
    for name in (NAME, "devices/e/1.csv"):
        bucket_of("build-audience").blob(name).upload_from_string(CONTENT)
    finish, shard = bucket_of("finish"), bucket_of("send-shard")
    assert [blob.name for blob in finish.list_blobs(prefix="devices/")] == ["devices/e/1.csv"]
    finish.blob("devices/e/1.csv").delete()
    for refused in (
        lambda: finish.blob(NAME).delete(),
        lambda: shard.blob(NAME).delete(),
        lambda: list(shard.list_blobs(prefix="audiences/")),
        lambda: bucket_of("launch").blob(NAME).download_as_bytes(),
        shard.reload,
    ):
        with pytest.raises(Forbidden):
            refused()


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["at once", "in a session"])
def test_a_taken_name_is_answered_once_with_412_and_once_with_403(
    bucket_of: Callable[[str], Bucket], content: bytes
) -> None:
    bucket = bucket_of("build-audience")
    bucket.blob(NAME).upload_from_string(content, if_generation_match=0)
    for expected in (PreconditionFailed, Forbidden, PreconditionFailed):
        with pytest.raises(expected):
            bucket.blob(NAME).upload_from_string(content, if_generation_match=0)
    assert bucket.blob(NAME).download_as_bytes() == content


def test_an_account_that_may_delete_gets_412_only(bucket_of: Callable[[str], Bucket]) -> None:
    bucket = bucket_of("finish")
    bucket.blob("devices/e/1.csv").upload_from_string(CONTENT, if_generation_match=0)
    for _ in range(2):
        with pytest.raises(PreconditionFailed):
            bucket.blob("devices/e/1.csv").upload_from_string(CONTENT, if_generation_match=0)


def test_the_adapter_works_with_its_rights_and_names_the_setting_without_them(
    proxy: GuardedStorage, tmp_path: Path
) -> None:
    source = tmp_path / "source.csv"
    source.write_bytes(CONTENT)
    builder = GcsAudienceFiles(client_at(proxy.url_of("tminus-build-audience")), BUCKET)
    stored = builder.write_once(NAME, source)
    assert builder.write_once(NAME, source) == stored
    sender = GcsAudienceFiles(client_at(proxy.url_of("tminus-send-shard")), BUCKET)
    assert list(sender.lines(stored)) == [b"user_id\r\n", b"a\r\n"]
    with pytest.raises(Misconfigured, match="AUDIENCE_BUCKET"):
        sender.write_once("audiences/other.csv", source)
