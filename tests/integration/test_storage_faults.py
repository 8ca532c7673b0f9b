"""Audience files in Cloud Storage keep their promises when it fails, also after it has done what it was asked.

fake-gcs-server ignores `ifGenerationMatch` on uploads that are resumable, those of more than 8 MiB; Cloud
Storage honours it there too.
"""

import gc
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from functions.domain.errors import BadAudience, Misconfigured, NotReady, Transient
from functions.domain.push.shard import Stored
from functions.gcp.storage import GcsAudienceFiles
from tests.faulty_storage import FaultyStorage, HttpFault

NAME = "audiences/e/1-größe 👟.csv"
CONTENT = b"".join(b"%06d,Zo\xc3\xab\r\n" % number for number in range(40_000))
LARGE = CONTENT * 20
"""More than 8 MiB: such a file is sent in a session of its own."""
UPLOAD = "uploadType=multipart"
SESSION = "uploadType=resumable"
MEDIA = "alt=media"
PASSING = [408, 429, 500, 502, 503, 504, HttpFault.CUT]

# Google's client leaves the connection of a download that was refused to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def _garbage_is_collected_here() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _nothing_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's client asks for the bucket's location, to tell traces of it, in a thread of its own."""
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")


@pytest.fixture
def proxy(emulators: Mapping[str, str]) -> Iterator[FaultyStorage]:
    with FaultyStorage(emulators["STORAGE_EMULATOR_HOST"]) as entered:
        yield entered


@pytest.fixture
def bucket(emulators: Mapping[str, str], tmp_path: Path) -> str:
    name = f"demo-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]}"
    client_of(emulators["STORAGE_EMULATOR_HOST"]).create_bucket(name)
    return name


@pytest.fixture
def files(proxy: FaultyStorage, bucket: str) -> GcsAudienceFiles:
    """What the process under test has: the proxy is between it and Cloud Storage."""
    return GcsAudienceFiles(client_of(proxy.url), bucket)


@pytest.fixture
def others(emulators: Mapping[str, str], bucket: str) -> GcsAudienceFiles:
    """What another process has, which nothing happens to."""
    return GcsAudienceFiles(client_of(emulators["STORAGE_EMULATOR_HOST"]), bucket)


def client_of(url: str) -> Client:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STORAGE_EMULATOR_HOST", url)
        return Client(project="demo", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the adapter give up almost at once."""
    monkeypatch.setattr("functions.gcp.storage._PATIENCE_SECONDS", 0.1)


@pytest.fixture
def a_source(tmp_path: Path) -> Callable[..., Path]:
    def write(content: bytes = CONTENT, name: str = "source.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def checksum(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def uploads(proxy: FaultyStorage) -> int:
    return sum("upload" in request for request in proxy.requests)


# Writing once


@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("status", PASSING)
def test_an_upload_is_repeated_and_one_that_had_landed_is_found(
    status: int, landed: bool, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    proxy.faults = [HttpFault(method="POST", url=UPLOAD, status=status, landed=landed)]
    stored = files.write_once(NAME, a_source())
    assert uploads(proxy) == 2
    assert (stored.checksum, stored.size_bytes) == (checksum(CONTENT), len(CONTENT))
    assert others.write_once(NAME, a_source(b"other", "other.csv")) == stored
    assert b"".join(others.lines(stored)) == CONTENT


@pytest.mark.parametrize("status", PASSING)
def test_an_upload_that_a_competitor_was_faster_with_returns_the_competitor_s_file(
    status: int, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    theirs = a_source(b"theirs", "theirs.csv")
    fault = HttpFault(method="POST", url=UPLOAD, status=status, meanwhile=lambda: others.write_once(NAME, theirs))
    proxy.faults = [fault]
    stored = files.write_once(NAME, a_source())
    assert stored.checksum == checksum(b"theirs")
    assert files.read(stored, 0, 6) == b"theirs"


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_name_that_is_taken_may_be_refused_with_403(
    size: str, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    """Without storage.objects.delete, creating over an existing file may answer 403 instead of 412."""
    stored = others.write_once(NAME, a_source(b"theirs", "theirs.csv"))
    proxy.faults = [HttpFault(method="POST", url=UPLOAD if size == "small" else SESSION, status=403)]
    assert files.write_once(NAME, a_source(CONTENT if size == "small" else LARGE)) == stored
    assert uploads(proxy) == 1


def test_a_403_for_a_file_that_is_not_there_stays_an_error(proxy: FaultyStorage, files: Any, a_source: Any) -> None:
    proxy.faults = [HttpFault(method="POST", url=UPLOAD, status=403)]
    with pytest.raises(NotReady, match="AUDIENCE_BUCKET"):
        files.write_once(NAME, a_source())
    assert files.write_once(NAME, a_source()).checksum == checksum(CONTENT)


@pytest.mark.parametrize("status", PASSING)
def test_a_file_is_found_though_asking_for_it_fails(
    status: int, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    stored = others.write_once(NAME, a_source())
    proxy.faults = [HttpFault(method="GET", status=status, times=2)]
    assert files.write_once(NAME, a_source(b"other", "other.csv")) == stored


@pytest.mark.parametrize("fault", [{"url": SESSION, "method": "POST"}, {"method": "PUT"}], ids=["begin", "send"])
@pytest.mark.parametrize("status", [503, HttpFault.CUT])
def test_a_large_upload_that_fails_is_repeated(
    status: int, fault: dict[str, Any], proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    proxy.faults = [HttpFault(status=status, **fault)]
    stored = files.write_once(NAME, a_source(LARGE))
    assert (stored.checksum, stored.size_bytes) == (checksum(LARGE), len(LARGE))
    assert others.read(stored, len(LARGE) - 5, len(LARGE)) == LARGE[-5:]


@pytest.mark.parametrize("status", [503, HttpFault.CUT])
def test_a_large_upload_that_landed_is_found(
    status: int, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    """Cloud Storage answers the repetition with the file, or refuses the next upload of its name with 412."""
    proxy.faults = [HttpFault(method="PUT", status=status, landed=True), HttpFault(method="PUT", status=412)]
    stored = files.write_once(NAME, a_source(LARGE))
    assert (stored.checksum, stored.size_bytes) == (checksum(LARGE), len(LARGE))
    assert others.read(stored, 0, 6) == LARGE[:6]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_large_upload_whose_name_is_taken_returns_the_file_that_is_there(
    method: str, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    """Cloud Storage says so when the session begins or, where somebody was faster, when it ends."""
    stored = others.write_once(NAME, a_source())
    proxy.faults = [HttpFault(method=method, status=412)]
    assert files.write_once(NAME, a_source(LARGE, "large.csv")) == stored


def test_a_large_upload_of_which_only_a_part_was_kept_is_transient(
    proxy: FaultyStorage, files: Any, a_source: Any
) -> None:
    proxy.faults = [HttpFault(method="PUT", status=308, headers={"Range": "bytes=0-262143"})]
    with pytest.raises(Transient, match="Cloud Storage"):
        files.write_once(NAME, a_source(LARGE))


def test_a_file_that_is_deleted_while_it_is_written_is_transient(
    proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    fault = HttpFault(method="POST", landed=True, status=412, meanwhile=lambda: others.delete("audiences/e"))
    proxy.faults = [fault]
    with pytest.raises(Transient, match=NAME):
        files.write_once(NAME, a_source())


# Reading


@pytest.mark.parametrize("status", [429, 503, HttpFault.CUT])
@pytest.mark.parametrize("answered", [None, 0, 1, 100_000])
def test_what_is_read_is_complete_and_nothing_comes_twice_though_reading_breaks_off(
    answered: int | None, status: int, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    stored = others.write_once(NAME, a_source())
    broken = HttpFault(method="GET", url=MEDIA, status=None, answered=answered)
    proxy.faults = [broken, HttpFault(method="GET", url=MEDIA, status=status)]
    assert files.read(stored, 13, 400_000) == CONTENT[13:400_000]
    proxy.faults = [HttpFault(method="GET", url=MEDIA, status=status), broken]
    assert b"".join(files.lines(stored)) == CONTENT


def test_the_lines_of_a_large_file_come_once_though_every_second_request_breaks_off(
    monkeypatch: pytest.MonkeyPatch, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    monkeypatch.setattr("functions.gcp.storage._READ_AT_ONCE", 100_001)
    stored = others.write_once(NAME, a_source())
    proxy.faults = [
        HttpFault(method="GET", url=MEDIA, status=None, answered=70_000, after=after, times=1)
        for after in range(0, 10, 2)
    ]
    assert list(files.lines(stored)) == CONTENT.splitlines(keepends=True)


def test_a_file_that_is_replaced_while_it_is_read_is_not_mixed_with_its_successor(
    proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    stored = others.write_once(NAME, a_source())

    def replaced() -> None:
        others.delete("audiences/e")
        others.write_once(NAME, a_source(CONTENT.replace(b"Zo", b"Jo"), "other.csv"))

    proxy.faults = [HttpFault(method="GET", url=MEDIA, status=None, answered=100_000, meanwhile=replaced)]
    with pytest.raises(BadAudience, match="gone or was changed"):
        files.read(stored, 0, len(CONTENT))


@pytest.mark.parametrize("status", [404, 416])
def test_a_file_of_another_generation_or_size_is_no_longer_the_audience(
    status: int, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    stored = others.write_once(NAME, a_source())
    proxy.faults = [HttpFault(method="GET", url=f"generation={stored.generation}", status=status)]
    with pytest.raises(BadAudience, match=NAME):
        files.read(stored, 0, 10)
    with pytest.raises(BadAudience, match=NAME):
        files.read(replace(stored, generation=stored.generation + 1), 0, 10)


def test_a_range_beyond_the_file_s_end_is_no_part_of_the_audience(files: Any, others: Any, a_source: Any) -> None:
    stored = others.write_once(NAME, a_source(b"short"))
    for start in (3, 5, 100):
        with pytest.raises(BadAudience, match=NAME):
            files.read(stored, start, 200)


# Deleting


@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("status", [503, HttpFault.CUT])
def test_a_folder_is_deleted_though_listing_and_deleting_fail(
    status: int, landed: bool, proxy: FaultyStorage, files: Any, others: Any, a_source: Any
) -> None:
    stored = [others.write_once(f"audiences/e/{number}.csv", a_source()) for number in range(3)]
    proxy.faults = [
        HttpFault(method="GET", status=status),
        HttpFault(method="DELETE", status=status, landed=landed, times=2),
    ]
    files.delete("audiences/e")
    for each in stored:
        with pytest.raises(BadAudience):
            others.read(each, 0, 1)


# Trouble that does not pass

EMPTY = Stored(name="audiences/e/empty.csv", generation=1, checksum="", size_bytes=0)
SOME = Stored(name="audiences/e/some.csv", generation=1, checksum="", size_bytes=9)
CALLS: dict[str, Callable[[Any, Path], object]] = {
    "write_once": lambda files, source: files.write_once(NAME, source),
    "write_once.large": lambda files, source: files.write_once(NAME, large(source)),
    "read": lambda files, _: files.read(SOME, 0, 9),
    "lines": lambda files, _: list(files.lines(SOME)),
    "lines.empty": lambda files, _: list(files.lines(EMPTY)),
    "delete": lambda files, _: files.delete("audiences/e"),
}


def large(source: Path) -> Path:
    source.write_bytes(LARGE)
    return source


def failing(**fault: Any) -> list[HttpFault]:
    return [HttpFault(method=method, times=None, **fault) for method in ("GET", "POST", "PUT", "DELETE")]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("status", [408, 429, 503, HttpFault.CUT])
@pytest.mark.parametrize("call", CALLS)
def test_trouble_that_lasts_is_transient_after_a_while(
    call: str, status: int, proxy: FaultyStorage, files: Any, a_source: Any
) -> None:
    proxy.faults = failing(status=status)
    with pytest.raises(Transient, match="Cloud Storage"):
        CALLS[call](files, a_source())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("call", CALLS)
def test_a_storage_that_does_not_answer_is_not_waited_for_long(
    call: str, proxy: FaultyStorage, files: Any, a_source: Any
) -> None:
    proxy.faults = failing(late_seconds=0.2)
    with pytest.raises(Transient, match="Cloud Storage"):
        CALLS[call](files, a_source())


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("call", CALLS)
def test_what_an_operator_has_to_change_names_the_setting_and_is_not_repeated(
    call: str, status: int, proxy: FaultyStorage, files: Any, a_source: Any
) -> None:
    proxy.faults = failing(status=status)
    with pytest.raises(Misconfigured, match="AUDIENCE_BUCKET: Cloud Storage refuses"):
        CALLS[call](files, a_source())
    looks_for_the_file = status == 403 and call.startswith("write_once")
    assert len(proxy.requests) == 1 + looks_for_the_file


def test_a_bucket_that_is_not_there_names_the_setting(proxy: FaultyStorage, a_source: Any) -> None:
    files = GcsAudienceFiles(client_of(proxy.url), "no-such-bucket")
    with pytest.raises(Misconfigured, match="AUDIENCE_BUCKET"):
        files.write_once(NAME, a_source())
