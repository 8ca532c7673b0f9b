"""Asking before messages go to phones."""

from functions.settings import Settings
from local.cli.remote import ask_first


def ask_before_phones(settings: Settings, *, yes: bool) -> None:
    """Say that messages go to phones, and ask; nothing where they go to an outbox.

    BadInput where nobody can be asked and --yes is not given.
    """
    if settings.fcm is not None:
        project = settings.fcm.project
        ask_first(
            f"PUSH_SENDER is fcm: messages go to real phones, by the Firebase project {project}. Go on?", yes=yes
        )
