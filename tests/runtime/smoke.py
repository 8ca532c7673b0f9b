"""What is deployed, on a bare Debian with Python 3.11: `make test-runtime`.

The archive is the one that Terraform packs, the packages are those of requirements.txt with their hashes, and each
function is served as on Cloud Run: by functions-framework with gunicorn, with the function's own memory and an empty
/tmp in memory.
"""

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from local.embedded.clock import RealClock
from local.runtime.emulators import EmulatorMissing, free_port, google_emulators, running
from local.standins.cloud_tasks import CloudEmulator
from local.standins.cloud_tasks.certificates import CertificateServer
from local.standins.cloud_tasks.oidc import OidcKey
from local.standins.cloud_tasks.project import make_project
from tests.runtime.debian import PYTHON, RuntimeMissing, debian_root, inside, memory_limit
from tests.runtime.deployment import (
    AUDIENCE,
    PROJECT,
    ROBOT,
    SCHEDULER,
    TASKS,
    URL,
    Function,
    decided,
    environment,
    functions,
    unpacked,
)

IMPORT_ALL = """
import importlib, pkgutil, sys
import audience_jobs, functions, main
for package in (audience_jobs, functions):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name != "functions.gcp.spans":  # its packages are an extra, which is not deployed
            importlib.import_module(module.name)
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("local", "tests", "bench", "tminus")))
"""
QUERY = """
from importlib.resources import files
import duckdb
extension = files("duckdb_extension_httpfs") / f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"
with duckdb.connect() as connection:
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET enable_progress_bar = false")
    print(connection.sql("SELECT count(*) FROM (SELECT * FROM range(300_000) ORDER BY ALL DESC)").fetchall())
"""
EXECUTION = "trial-ends_20260505T223000Z"
STEPS = {
    "build_audience": {},
    "send_test": {},
    "checkpoint": {},
    "send_push": {"push": 1, "generation": 0},
    "send_shard": {"push": 1, "shard": 0},
    "finish": {},
}
DUE = "2026-05-05T22:00:00Z"
REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"
LONGEST_SECONDS = 30


@dataclass(frozen=True)
class World:
    """The root, the source in it, and what stands in for Google Cloud."""

    root: Path
    source: Path
    environment: Mapping[str, str]
    key: OidcKey
    proxy_key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Answer:
    """An answer, its body as text."""

    status: int
    body: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("runtime")
    folder.parent.chmod(0o755)
    try:
        root = debian_root()
    except RuntimeMissing as problem:
        if "CI" in os.environ:
            raise
        pytest.skip(str(problem))
    key, proxy_key = OidcKey(folder / "key.pem"), ec.generate_private_key(ec.SECP256R1())
    public = proxy_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    try:
        with (
            google_emulators(folder / "emulators") as emulators,
            CloudEmulator(folder / "cloud", RealClock()) as cloud,
            CertificateServer(key.certificates) as google,
            CertificateServer(lambda: {"one": public}) as proxy,
        ):
            make_project(PROJECT, cloud, URL)
            more = {
                "CLOUD_TASKS_EMULATOR_HOST": cloud.host,
                "CLOUD_SCHEDULER_EMULATOR_HOST": cloud.host,
                "OIDC_CERTS_URL": google.url,
                "IAP_KEYS_URL": proxy.url,
            }
            (folder / "packed").mkdir()
            yield World(root, unpacked(folder / "packed"), environment(**emulators, **more), key, proxy_key)
    except EmulatorMissing as problem:
        if "CI" in os.environ:
            raise
        pytest.skip(str(problem))


def run_inside(world: World, code: str) -> str:
    command = inside(world.root, world.source, [PYTHON, "-c", code])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def served(world: World, function: Function, log: Path) -> Iterator[Callable[..., Answer]]:
    """Serve a function, and yield what calls it."""
    port = free_port()
    own = {**world.environment, "HOST": "127.0.0.1", "PORT": str(port), "HOME": "/tmp"}
    variables = [f"{name}={value}" for name, value in own.items()]
    serve = [PYTHON.replace("python", "functions-framework"), f"--target={function.name}"]

    def call(path: str = "/", body: object = None, **headers: str) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json", **named}
        )
        try:
            with urllib.request.urlopen(request, timeout=LONGEST_SECONDS) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())

    with memory_limit(function.name, function.memory_mebibytes) as limit:
        command = [*limit, *inside(world.root, world.source, [*variables, *serve])]
        with running(command, log, f"http://127.0.0.1:{port}/"):
            yield call


def token(world: World, account: str, function: str, *, signed: bool = False) -> str:
    """Return a token as Cloud Run passes it on: without its signature, unless it came in the second header."""
    whole = world.key.token(account, URL.replace("{function}", function.replace("_", "-")))
    return f"Bearer {whole if signed else whole.rpartition('.')[0] + '.' + REMOVED}"


def test_the_archive_has_what_runs_and_nothing_else(world: World) -> None:
    assert {path.name for path in world.source.iterdir()} == {
        "main.py",
        "requirements.txt",
        "functions",
        "audience_jobs",
        "workspace",
    }
    assert not [path for path in world.source.rglob("*") if path.name.startswith(".") or path.suffix == ".pyc"]


def test_every_module_can_be_imported_without_the_rest_of_the_checkout(world: World) -> None:
    assert run_inside(world, IMPORT_ALL) == "[]\n"


def test_duckdb_finds_the_extension_that_reads_buckets(world: World) -> None:
    assert run_inside(world, QUERY) == "[(300000,)]\n"


def test_the_memory_limit_holds(world: World) -> None:
    with memory_limit("probe", 512) as limit:
        command = [*limit, *inside(world.root, world.source, [PYTHON, "-c", "bytearray(600 << 20)"])]
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_the_environment_has_every_variable_that_terraform_sets(world: World) -> None:
    assert decided() <= set(world.environment)


@pytest.mark.parametrize("function", functions(), ids=lambda function: function.name)
def test_a_function_answers_with_its_own_memory(world: World, function: Function, tmp_path: Path) -> None:
    with served(world, function, log := tmp_path / "log") as call:
        try:
            check(world, function.name, call)
        except AssertionError as error:
            raise AssertionError(log.read_text(encoding="utf-8")[-3_000:]) from error


def check(world: World, function: str, call: Callable[..., Answer]) -> None:
    if function == "api":
        check_api(world, call)
    elif function == "console":
        check_console(world, call)
    elif function in ("launch", "reconcile"):
        check_service(world, function, SCHEDULER, call)
    else:
        check_service(world, function, TASKS, call)


def check_service(world: World, function: str, account: str, call: Callable[..., Answer]) -> None:
    assert call(body={}).status == 401
    assert call(body={}, Authorization=token(world, ROBOT, function)).status == 403
    service = {"Authorization": token(world, account, function)}
    assert call(body={}, **service).status == 400  # the service's own headers are missing
    if function in STEPS:
        answer = call(body={"executionId": EXECUTION, **STEPS[function]}, X_CloudTasks_TaskName="one", **service)
        assert (answer.status, json.loads(answer.body)["result"]) == (200, "gave up"), answer
    else:
        own = {"launch": {"X_CloudScheduler_ScheduleTime": DUE}, "reconcile": {"X_CloudScheduler": "true"}}
        body = {"launch": {"recipeId": "trial-ends"}, "send_alert": {"alertId": "one"}}
        task = {"X_CloudTasks_TaskName": "one"}
        answer = call(body=body.get(function, {}), **own.get(function, task), **service)
        assert answer.status == 200, answer


def check_api(world: World, call: Callable[..., Answer]) -> None:
    assert call("/api/layers").status == 401
    person = token(world, ROBOT, "api", signed=True)
    assert call("/api/layers", Authorization=person).status == 200
    assert call("/api/version", Authorization=person).status == 200
    assert call("/api/docs/swagger-ui-bundle.js", Authorization=person).status == 200
    health = call("/api/health", Authorization=person)
    assert (health.status, json.loads(health.body)["message"]) == (503, "userData: not healthy"), (
        health
    )  # there is none


def check_console(world: World, call: Callable[..., Answer]) -> None:
    assert call("/").status == 401
    now = int(RealClock().now().timestamp())
    claims = {"iss": "https://cloud.google.com/iap", "aud": AUDIENCE, "email": "ana@kicks.example", "sub": "1"}
    whole = {**claims, "iat": now, "exp": now + 600}
    assertion = jwt.encode(whole, world.proxy_key, algorithm="ES256", headers={"kid": "one"})
    page = call("/", X_Goog_IAP_JWT_Assertion=assertion)
    assert (page.status, "ana@kicks.example" in page.body) == (200, True), page
