"""A fake of FCM HTTP v1 for tests; `local.fake_fcm.answers` has what it can answer."""

from local.fake_fcm.answer import Answer, AtHeaders, Delivery
from local.fake_fcm.connection import Limits
from local.fake_fcm.record import Request
from local.fake_fcm.script import GoAway, Script, Share
from local.fake_fcm.server import FakeFcm

__all__ = ["Answer", "AtHeaders", "Delivery", "FakeFcm", "GoAway", "Limits", "Request", "Script", "Share"]
