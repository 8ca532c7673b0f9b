"""A stand-in for Identity-Aware Proxy: people choose who they are, and the console gets a signed assertion of it."""

from local.standins.iap.proxy import LEAVE, MADE_USERS
from local.standins.iap.serving import identity_proxy

__all__ = ["LEAVE", "MADE_USERS", "identity_proxy"]
