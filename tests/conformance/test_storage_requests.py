"""Requests to Cloud Storage as the adapter sends them to its emulator, against Cloud Storage's document."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from functions.gcp.storage import _SENT_AT_ONCE as ONE_CHUNK
from functions.gcp.storage import GcsAudienceFiles
from local.runtime.emulators import storage_emulator
from tests.conformance.discovery import document
from tests.conformance.recorded import RecordedHttp, Sent

STORAGE = document("storage", "v1")
NAME = "audiences/daily_20261123T180000Z/1-größe 👟.csv"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("storage")
    with storage_emulator(folder / "files", folder / "log") as url:
        made = Client(
            project="demo",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": url},
        )
        made.create_bucket("demo-audiences")
        yield made


@pytest.fixture
def recorded(client: Client) -> RecordedHttp:
    recorder = RecordedHttp()
    client._http.mount("http://", recorder)
    return recorder


def faults(sent: Sent) -> list[str]:
    return STORAGE.request_faults(sent.method, sent.url, sent.body)


def test_a_file_is_written_read_found_and_deleted_without_a_fault(
    client: Client, recorded: RecordedHttp, tmp_path: Path
) -> None:
    files, source = GcsAudienceFiles(client, "demo-audiences"), tmp_path / "small.csv"
    source.write_bytes(b"user_id\r\na\r\n")
    stored = files.write_once(NAME, source)
    assert files.write_once(NAME, source) == stored
    assert list(files.lines(stored)) == [b"user_id\r\n", b"a\r\n"]
    files.delete("audiences/daily_20261123T180000Z")
    assert [fault for sent in recorded.sent for fault in faults(sent)] == []
    assert {sent.method for sent in recorded.sent} == {"POST", "GET", "DELETE"}


def test_a_large_file_is_written_in_pieces_once_and_without_a_fault(
    client: Client, recorded: RecordedHttp, tmp_path: Path
) -> None:
    source = tmp_path / "large.csv"
    source.write_bytes(b"x" * (ONE_CHUNK + 1))
    GcsAudienceFiles(client, "demo-audiences").write_once("audiences/large.csv", source)
    began, *pieces = [sent for sent in recorded.sent if "/upload/" in sent.url]
    assert (began.method, [piece.method for piece in pieces]) == ("POST", ["PUT", "PUT"])
    assert faults(began) == []
    asked = parse_qs(urlsplit(began.url).query)
    assert (asked["uploadType"], asked["ifGenerationMatch"]) == (["resumable"], ["0"])
