"""A laboratory on Google Cloud's emulators: the real clients, functions behind HTTP, and FCM over TLS."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender
from functions.handlers.http.as_json import as_json
from functions.settings import Settings
from functions.usecases.recipes.save import save_recipe
from functions.usecases.reports.execution import report
from local.embedded.clock import VirtualClock
from local.runtime.emulated import Emulated, emulated
from local.runtime.guarded import Strict
from local.runtime.recipe_files import read_recipe_file
from local.runtime.serving import SOURCE
from local.standins.fcm import FakeFcm
from tests.fcm import settings_for
from tests.grants import deployed

RECIPES = SOURCE.parent / "local" / "recipes"


class CloudLab:
    """One project: its ports, the emulator that calls its functions, and the FCM that they send to."""

    def __init__(self, running: Emulated, fcm: FakeFcm) -> None:
        self.ports, self.cloud, self.fcm = running.ports, running.cloud, fcm
        self.ports_of = running.own_ports

    def save(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> str:
        """Save one of the sample recipes, and return its id."""
        document = change(read_recipe_file(RECIPES / f"{name}.json"))
        return save_recipe(self.ports, document, by="growth@example.com").id

    def report(self, execution: str) -> dict[str, Any]:
        document: dict[str, Any] = as_json(report(self.ports, execution))
        return document

    def sent(self) -> Counter[tuple[str, str]]:
        """How often each device was sent each push, by the tag under which a device shows only one of them."""
        return Counter(
            (request.token, request.body["message"]["android"]["notification"]["tag"])
            for request in self.fcm.requests
        )

    def assert_contract(self, *executions: str) -> None:
        """Check that no user got a push twice, and that every number adds up to what left."""
        assert [key for key, count in self.sent().items() if count > 1] == []
        reports = [self.report(execution) for execution in executions]
        for push in (push for each in reports for push in each["pushes"]):
            parts = push["sent"] + push["failed"] + push["unknown"] + push["notReached"]
            assert push["audienceSize"] == sum(push["excluded"].values()) + parts


@contextmanager
def cloud_lab(folder: Path, at: datetime, data: Path, *, without: str = "") -> Iterator[CloudLab]:
    """Open a laboratory on a virtual clock; the official emulators have to run.

    The stand-ins are as strict as Google Cloud, with the rights that Terraform grants but for the one in the line
    `without`. Cloud Storage answers 412 and 403 in turn where a name is taken.
    """
    name = f"demo-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    settings = Settings(user_data_dir=data)
    grants = deployed(name, without=without)
    strict = Strict(grants=grants, storage_url=os.environ["STORAGE_EMULATOR_HOST"])
    with (
        FakeFcm() as fcm,
        closing(FcmSender(settings_for(fcm), SystemClock())) as sender,
        emulated(folder, settings, VirtualClock(at), sender, project=name, strict=strict) as running,
    ):
        yield CloudLab(running, fcm)
