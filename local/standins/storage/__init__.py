"""A proxy before fake-gcs-server that checks who may do what, as Cloud Storage does."""

from local.standins.storage.proxy import GuardedStorage

__all__ = ["GuardedStorage"]
