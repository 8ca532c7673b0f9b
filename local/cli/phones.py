"""Ask before messages go to phones."""

from functions.settings import Settings
from local.cli.remote import ask_first


def ask_before_phones(settings: Settings, *, yes: bool) -> None:
    """Ask before messages go to phones; do nothing if they go to an outbox.

    BadInput without a terminal to ask on and without --yes.
    """
    if settings.fcm is not None:
        project = settings.fcm.project
        ask_first(
            f"PUSH_SENDER is fcm: messages go to real phones, of the Firebase project {project}. Go on?",
            yes=yes,
        )
