"""Functions with the rights of their accounts: each calls the stand-ins as its own, and is called past Cloud Run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.domain.errors import Misconfigured
from functions.ports import Ports
from functions.settings import CloudSettings, Settings
from local.runtime.serving import CALLED_BY_SERVICES, FUNCTIONS
from local.standins.cloud_run import Front
from local.standins.cloud_tasks import CloudEmulator
from local.standins.grants import Grants
from local.standins.storage import GuardedStorage
from local.standins.storage.client import files_at

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, kw_only=True)
class Strict:
    """What makes the stand-ins as strict as Google Cloud.

    `grants` are all rights in the project. `storage_url` is the address of the emulator of Cloud Storage that the
    proxy stands before.
    """

    grants: Grants
    storage_url: str


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A project whose functions have the rights of their accounts only."""

    cloud: CloudEmulator
    storage: GuardedStorage
    settings: Settings
    grants: Grants

    def ports_of(self, function: str, ports: Ports) -> Ports:
        """Return the ports with which a function runs."""
        cloud, account = _cloud(self.settings), f"tminus-{_service(function)}"
        host = self.cloud.host_of(account)
        there = replace(cloud, tasks_emulator=host, scheduler_emulator=host)
        own = bootstrap.google_cloud(replace(self.settings, cloud=there), ports.clock, ports.sender)
        files = files_at(self.storage.url_of(account), cloud.project, cloud.bucket)
        return replace(ports, tasks=own.tasks, schedules=own.schedules, files=files)

    def all_ports(self, ports: Ports) -> Mapping[str, Ports]:
        """Return the ports of every function."""
        return {function: self.ports_of(function, ports) for function in FUNCTIONS}

    def behind_cloud_run(self, apps: Mapping[str, "WSGIApplication"]) -> dict[str, "WSGIApplication"]:
        """Return the functions, with Cloud Run's check before those that services call."""
        front, cloud = Front(self.grants, self.cloud.claims), _cloud(self.settings)
        return {
            name: front.before(app, f"tminus-{_service(name)}", cloud.url_of(name))
            if name in CALLED_BY_SERVICES
            else app
            for name, app in apps.items()
        }


@contextmanager
def guarded(strict: Strict, cloud: CloudEmulator, settings: Settings) -> Iterator[Guarded]:
    """Run the storage proxy of a project, and yield what guards it."""
    with GuardedStorage(strict.storage_url, strict.grants) as storage:
        yield Guarded(cloud=cloud, storage=storage, settings=settings, grants=strict.grants)


def _service(function: str) -> str:
    return function.replace("_", "-")


def _cloud(settings: Settings) -> CloudSettings:
    if settings.cloud is None:
        raise Misconfigured("TMINUS_PLATFORM", "must be gcp for functions that call Google Cloud")
    return settings.cloud
