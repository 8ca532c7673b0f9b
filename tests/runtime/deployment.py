"""A deployment without Google Cloud: the archive that Terraform packs, and the environment that it sets."""

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.runtime.debian import ROOT

PROJECT = "tminus-runtime"
URL = "https://tminus-{function}.example"
TASKS, SCHEDULER, ROBOT = (f"{name}@{PROJECT}.iam.gserviceaccount.com" for name in ("tasks", "scheduler", "robot"))
AUDIENCE = "/projects/1/locations/europe-west1/services/tminus-console"
_MODULE = """
module "source" {{
  source          = "{root}/infra/modules/source"
  tree            = "{root}"
  workspace       = "workspace"
  workspace_files = module.workspace.files
  folder          = path.root
}}

module "workspace" {{
  source = "{root}/infra/modules/workspace"
  folder = "{root}/infra/tests/workspace"
  check  = false
}}

output "archive" {{
  value = module.source.archive
}}
"""
_DECIDED = re.compile(r"environment = merge\(\{(.*?)\n  \}", re.DOTALL)
_FUNCTION = re.compile(r"\n    (\w+) = \{\n(.*?)\n    \}", re.DOTALL)
_MEBIBYTES = {"Mi": 1, "Gi": 1024}


@dataclass(frozen=True)
class Function:
    """A function, and the memory of an instance."""

    name: str
    memory_mebibytes: int


def functions() -> list[Function]:
    """Return the functions of infra/functions.tf."""
    table = (ROOT / "infra" / "functions.tf").read_text(encoding="utf-8")
    return [Function(name, _memory(entry)) for name, entry in _FUNCTION.findall(table)]


def _memory(entry: str) -> int:
    size = _value(entry, "memory")
    return int(size[:-2]) * _MEBIBYTES[size[-2:]]


def _value(entry: str, name: str) -> str:
    return str(re.findall(rf'\b{name} += "?(\w+)', entry)[0])


def unpacked(folder: Path) -> Path:
    """Have the real Terraform pack the archive, with a workspace, and return a folder with what is in it."""
    (folder / "main.tf").write_text(_MODULE.format(root=ROOT), encoding="utf-8")
    for command in (["init"], ["apply", "-auto-approve"], ["output", "-json"]):
        told = _terraform(folder, command)
    archive = folder / json.loads(told)["archive"]["value"]
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(source := folder / "source")
    for path in (source, *source.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return source


def _terraform(folder: Path, command: list[str]) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        ["terraform", *command],
        cwd=folder,
        env={**own, "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def decided() -> set[str]:
    """Return the names of the variables that infra/main.tf gives every function."""
    (block,) = _DECIDED.findall((ROOT / "infra" / "main.tf").read_text(encoding="utf-8"))
    return set(re.findall(r"^ {4}(\w+) +=", block, re.MULTILINE))


def environment(**more: str) -> Mapping[str, str]:
    """Return what infra/main.tf gives every function, with values of a made-up project, and more."""
    return {
        "TMINUS_PLATFORM": "gcp",
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "GOOGLE_CLOUD_LOCATION": "europe-west1",
        "FIRESTORE_DATABASE": "tminus",
        "AUDIENCE_BUCKET": f"{PROJECT}-audiences",
        "TASK_QUEUE": "tminus-steps",
        "SHARD_QUEUE": "tminus-shards",
        "ALERT_QUEUE": "tminus-alerts",
        "FUNCTION_URL": URL,
        "TASK_CALLER": TASKS,
        "SCHEDULER_CALLER": SCHEDULER,
        "OIDC_SIGNATURES": "removed",
        "API_CALLERS": f"{ROBOT}:operator",
        "PUSH_SENDER": "fcm",
        "FCM_MESSAGES_PER_SECOND": "10000",
        "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
        "WORKSPACE": "workspace",
        "IAP_AUDIENCE": AUDIENCE,
        "CONSOLE_USERS": "ana@kicks.example:operator",
        "CONSOLE_KEY": "0123456789abcdef0123456789abcdef",
        **more,
    }
