"""A Debian root with Python 3.11 and the deployed requirements, and nothing else: what a function's image is made of.

Building one takes some two minutes and needs root, so it is kept in the user's cache until the requirements change.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = "/opt/functions/bin/python"
_SUITE = "bookworm"  # has Python 3.11
_PACKAGES = "python3.11,python3.11-venv"
_PIP = "pip==24.0"  # that of Python 3.11.9 and later; before 23.3 it wants hashes of extras too
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tminus-runtime"


class RuntimeMissing(Exception):
    """A root cannot be made on this machine; the message says what to install or to allow."""


def debian_root() -> Path:
    """Return the root for today's requirements.txt, building it if this is its first use. Raises RuntimeMissing."""
    if os.geteuid() != 0:
        raise RuntimeMissing("the runtime check builds a Debian root and enters it, so it has to run as root")
    debian = _CACHE / f"debian-{_key(_SUITE, _PACKAGES)}"
    root = _CACHE / f"runtime-{_key(debian.name, _PIP, (ROOT / 'requirements.txt').read_text())}"
    if root.exists():
        return root
    wheels = root.with_suffix(".wheels")
    with ThreadPoolExecutor() as at_once:
        building = [] if debian.exists() else [at_once.submit(_make, debian, _install_debian)]
        building += [] if wheels.exists() else [at_once.submit(_make, wheels, _download_wheels)]
    for part in building:
        part.result()
    for earlier in _CACHE.glob("runtime-*"):
        if earlier != wheels:
            shutil.rmtree(earlier)
    _make(root, lambda unfinished: _install_wheels(debian, wheels, unfinished))
    shutil.rmtree(wheels)
    return root


def _key(*wanted: str) -> str:
    return hashlib.sha256("|".join(wanted).encode()).hexdigest()[:16]


def _make(folder: Path, build: Callable[[Path], None]) -> None:
    """Have a folder built whole, or not at all."""
    unfinished = folder.with_name(f"unfinished-{folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    build(unfinished)
    unfinished.rename(folder)


def _install_debian(root: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        raise RuntimeMissing("mmdebstrap is missing: apt-get install mmdebstrap")
    options = ["--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io", f"--include={_PACKAGES}"]
    _run(["mmdebstrap", *options, _SUITE, root])


def _download_wheels(folder: Path) -> None:
    """Download what a build of Cloud Functions would, and compare the hashes."""
    folder.mkdir()
    download: list[str | Path] = ["download", "--quiet", "--only-binary", ":all:", "--dest", folder]
    _run([sys.executable, "-m", "pip", *download, _PIP])
    (pip,) = folder.glob("pip-*.whl")
    _run([sys.executable, pip / "pip", *download, "--require-hashes", "--requirement", ROOT / "requirements.txt"])


def _install_wheels(debian: Path, wheels: Path, root: Path) -> None:
    """Install as a build of Cloud Functions does, by pip and with hashes, only from the wheels at hand."""
    _run(["cp", "--archive", debian, root])
    shutil.copytree(wheels, inner := root / "wheels")
    shutil.copy(ROOT / "requirements.txt", inner)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", "/wheels"]
    for command in (
        ["python3.11", "-m", "venv", "/opt/functions"],
        [*pip, _PIP],
        [*pip, "--requirement", "/wheels/requirements.txt"],
    ):
        _run(["chroot", root, "env", "-i", "PATH=/usr/bin:/bin", *command])
    shutil.rmtree(inner)


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeMissing(f"{command[0]} failed: {done.stdout[-2_000:]}")


def inside(root: Path, source: Path, command: list[str]) -> list[str]:
    """Return the command that runs another one in the root, as a user without rights.

    It sees the source in /workspace, an empty /tmp in memory, and none of this machine's files or processes. The
    mounts end with it.
    """
    script = (
        'mount --bind "$1" "$0/workspace" && mount -t tmpfs -o size=2g,mode=1777 tmpfs "$0/tmp" &&'
        ' mount -t proc proc "$0/proc" && root="$0" && shift && cd / &&'
        ' exec chroot --userspec=65534:65534 "$root" env -i --chdir=/workspace "$@"'
    )
    (root / "workspace").mkdir(exist_ok=True)
    isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
    return [*isolated, str(root), str(source), *command]


@contextmanager
def memory_limit(name: str, mebibytes: int) -> Iterator[list[str]]:
    """Yield the prefix of a command that may use so much memory, files in memory included.

    By a control group where this process may make one. Elsewhere by `prlimit --data`, which counts what each process
    allocates, but not its files in memory.
    """
    folder, limit = _control_group(name)
    try:
        folder.mkdir()
        (folder / limit).write_text(str(mebibytes << 20))
    except OSError:
        if folder.exists():
            folder.rmdir()
        yield ["prlimit", f"--data={mebibytes << 20}"]
        return
    try:
        yield ["sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$@"', "sh"]
    finally:
        _remove(folder)


def _control_group(name: str) -> tuple[Path, str]:
    cgroups = Path("/sys/fs/cgroup")
    if (cgroups / "memory").is_dir():
        return cgroups / "memory" / f"tminus-{os.getpid()}-{name}", "memory.limit_in_bytes"
    return cgroups / f"tminus-{os.getpid()}-{name}", "memory.max"


def _remove(folder: Path) -> None:
    for _ in range(50):
        try:
            folder.rmdir()
        except OSError:
            time.sleep(0.1)  # its last process is ending
        else:
            return
    raise RuntimeError(f"{folder} still has processes")
