"""An emulator of Cloud Tasks v2 and Cloud Scheduler v1 for tests and for a laptop; never deployed."""

from local.standins.cloud_tasks.caller import Request
from local.standins.cloud_tasks.emulator import CloudEmulator
from local.standins.cloud_tasks.script import (
    Delay,
    Duplicate,
    FailedCalls,
    Fault,
    Landed,
    LoseResponse,
    Outlive,
    Reorder,
    Script,
    Share,
)

__all__ = [
    "CloudEmulator",
    "Delay",
    "Duplicate",
    "FailedCalls",
    "Fault",
    "Landed",
    "LoseResponse",
    "Outlive",
    "Reorder",
    "Request",
    "Script",
    "Share",
]
