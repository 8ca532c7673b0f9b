"""Audience files before a stand-in for Cloud Storage."""

from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from functions.gcp.storage import GcsAudienceFiles


def files_at(url: str, project: str, bucket: str) -> GcsAudienceFiles:
    """Return the adapter whose client calls an address instead of Google's."""
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return GcsAudienceFiles(
        Client(project=project, credentials=anonymous, client_options={"api_endpoint": url}), bucket
    )
