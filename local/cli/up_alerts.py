"""`tminus up --alerts`: a webhook for alerts, and cancel links to this machine."""

from dataclasses import replace
from secrets import token_urlsafe

from functions.domain.alerts.alert import EVERYTHING
from functions.settings import Settings
from functions.settings.alerts import webhooks_of


def with_alerts(settings: Settings, webhook: str | None, host: str, port: int) -> Settings:
    """Return settings with a webhook for alerts, whose links lead to the functions at an address.

    Links are signed with a secret of this process, and are valid as long as it runs, unless the settings have a
    secret. Misconfigured for an address to which alerts must not be sent.
    """
    if webhook is None:
        return settings
    alerts, webhooks = settings.policy.alerts, {**settings.webhooks, **webhooks_of([f"{EVERYTHING}={webhook}"])}
    there = f"http://{host}:{port}/console" if port else ""
    alerts = replace(
        alerts,
        channels=tuple(dict.fromkeys([*alerts.channels, *webhooks])),
        console_url=alerts.console_url or there,
        link_secrets=alerts.link_secrets or (token_urlsafe(32),),
    )
    return replace(settings, webhooks=webhooks, policy=replace(settings.policy, alerts=alerts))
