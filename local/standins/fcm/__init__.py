"""A fake of FCM HTTP v1 for tests. `local.standins.fcm.answers` lists its answers."""

from local.standins.fcm.answer import Answer, AtHeaders, Delivery
from local.standins.fcm.connection import Limits
from local.standins.fcm.record import Request
from local.standins.fcm.script import GoAway, Script, Share
from local.standins.fcm.server import FakeFcm

__all__ = ["Answer", "AtHeaders", "Delivery", "FakeFcm", "GoAway", "Limits", "Request", "Script", "Share"]
