"""All functions with Google's real clients, on the emulators of this machine."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.domain.roles import Role
from functions.ports import Ports
from functions.ports.sending import PushSender
from functions.settings import CloudSettings, Platform, Settings
from local.embedded.callers import VisitedLocally
from local.embedded.clock import WaitableClock
from local.embedded.system import RECONCILE_JOB
from local.runtime.emulators import free_port
from local.runtime.functions import load_functions
from local.runtime.guarded import Strict, guarded
from local.runtime.served import Served
from local.runtime.serving import FUNCTIONS, SOURCE, http_server
from local.standins.cloud_tasks import CloudEmulator
from local.standins.cloud_tasks.project import make_project
from local.standins.grants import NOTHING
from local.standins.iap import identity_proxy

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, kw_only=True)
class Emulated:
    """A running project: its ports, the emulator that calls its functions, and their addresses.

    `own_ports` are those of each function, where they are strict: they may do what Terraform grants the function.
    """

    ports: Ports
    own_ports: Mapping[str, Ports] = field(default_factory=dict)
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
            **self._console,
            "OIDC_CERTS_URL": self.settings.certs_url,
        }

    @property
    def _console(self) -> Mapping[str, str]:
        console = self.settings.console
        users = ",".join(f"{email}:{role}" for email, role in console.users.items())
        named = {"IAP_AUDIENCE": console.audience, "IAP_KEYS_URL": console.keys_url, "CONSOLE_USERS": users}
        return named if console.audience else {}


@contextmanager
def emulated(
    folder: Path,
    settings: Settings,
    clock: WaitableClock,
    sender: PushSender | None,
    *,
    project: str = "demo-tminus",
    port: int = 0,
    visitors: Mapping[str, Role] | None = None,
    strict: Strict | None = None,
) -> Iterator[Emulated]:
    """Run a project's functions behind HTTP, called by Cloud Tasks and Cloud Scheduler as the clock says.

    Firestore and Cloud Storage have to run: see `google_emulators`. With `visitors`, people of this machine choose on
    a page which of these users of the console they are, and call the API without tokens, as nothing issues them here.
    Where it is `strict`, functions have the rights of their accounts, Cloud Run checks who calls them, and queues are
    throttled; the yielded ports may do everything.
    """
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    grants = NOTHING if strict is None else strict.grants
    with ExitStack() as stack:
        cloud = stack.enter_context(
            CloudEmulator(folder / "cloud", clock, grants=grants, throttled=strict is not None)
        )
        made = make_project(project, cloud, f"{url}/{{function}}")
        made = replace(made, signatures_removed=strict is not None)
        apps: dict[str, WSGIApplication] = load_functions(FUNCTIONS, SOURCE)
        own_ports: Mapping[str, Ports] = {}
        if visitors is not None:
            proxy, console = stack.enter_context(identity_proxy(visitors))
            apps["console"], made = proxy.before(apps["console"]), replace(made, console=console)
        policy = replace(settings.policy, bucket=made.bucket)
        on_cloud = replace(settings, platform=Platform.GOOGLE_CLOUD, cloud=made, policy=policy)
        ports = bootstrap.google_cloud(on_cloud, clock, sender)
        if visitors is not None:
            ports = replace(ports, callers=VisitedLocally(ports.callers))
        ports = replace(ports, parts=bootstrap.sender_parts(settings))
        ports.schedules.put(RECONCILE_JOB)
        if strict is not None:
            guard = stack.enter_context(guarded(strict, cloud, on_cloud))
            apps, own_ports = guard.behind_cloud_run(apps), guard.all_ports(ports)
        stack.enter_context(Served(http_server(apps, ports, "127.0.0.1", port, own_ports=own_ports)))
        yield Emulated(ports=ports, own_ports=own_ports, cloud=cloud, settings=made, url=url)
