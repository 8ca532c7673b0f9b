"""All functions with Google's real clients, on the emulators of this machine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from functions import bootstrap
from functions.ports import Ports
from functions.ports.sending import PushSender
from functions.settings import CloudSettings, Platform, Settings
from local.embedded.callers import VisitedLocally
from local.embedded.clock import WaitableClock
from local.embedded.system import RECONCILE_JOB
from local.runtime.emulators import free_port
from local.runtime.functions import load_functions
from local.runtime.served import Served
from local.runtime.serving import FUNCTIONS, SOURCE, http_server
from local.standins.cloud_tasks import CloudEmulator
from local.standins.cloud_tasks.project import make_project


@dataclass(frozen=True, kw_only=True)
class Emulated:
    """A running project: its ports, the emulator that calls its functions, and their addresses."""

    ports: Ports
    cloud: CloudEmulator
    settings: CloudSettings
    url: str

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables with which another function or program finds the same project."""
        return {
            "TMINUS_PLATFORM": Platform.GOOGLE_CLOUD.value,
            "GOOGLE_CLOUD_PROJECT": self.settings.project,
            "GOOGLE_CLOUD_LOCATION": self.settings.location,
            "AUDIENCE_BUCKET": self.settings.bucket,
            "FUNCTION_URL": self.settings.function_url,
            "TASK_CALLER": self.settings.task_caller,
            "SCHEDULER_CALLER": self.settings.scheduler_caller,
            "CLOUD_TASKS_EMULATOR_HOST": self.settings.tasks_emulator,
            "CLOUD_SCHEDULER_EMULATOR_HOST": self.settings.scheduler_emulator,
            "OIDC_CERTS_URL": self.settings.certs_url,
        }


@contextmanager
def emulated(
    folder: Path,
    settings: Settings,
    clock: WaitableClock,
    sender: PushSender | None,
    *,
    project: str = "demo-tminus",
    port: int = 0,
    visited_locally: bool = False,
) -> Iterator[Emulated]:
    """Run a project's functions behind HTTP, called by Cloud Tasks and Cloud Scheduler as the clock says.

    Firestore and Cloud Storage have to run: see `google_emulators`. `visited_locally` lets this machine's people use
    console and API without tokens, as nothing issues them here.
    """
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    with CloudEmulator(folder / "cloud", clock) as cloud:
        made = make_project(project, cloud, f"{url}/{{function}}")
        on_cloud = replace(settings, platform=Platform.GOOGLE_CLOUD, cloud=made)
        ports = bootstrap.google_cloud(on_cloud, clock, sender)
        if visited_locally:
            ports = replace(ports, callers=VisitedLocally(ports.callers))
        ports = replace(ports, parts=bootstrap.sender_parts(settings))
        ports.schedules.put(RECONCILE_JOB)
        with Served(http_server(load_functions(FUNCTIONS, SOURCE), ports, "127.0.0.1", port)):
            yield Emulated(ports=ports, cloud=cloud, settings=made, url=url)
