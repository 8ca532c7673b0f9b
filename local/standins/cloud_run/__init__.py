"""A stand-in for what Cloud Run does before a function: it checks the caller, and removes what it has checked."""

from local.standins.cloud_run.front import Front

__all__ = ["Front"]
