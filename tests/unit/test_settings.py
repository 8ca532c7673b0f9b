"""What the environment may say, and how it is refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from functions.domain.errors import Misconfigured
from functions.domain.policy import AlertPolicy
from functions.settings import FcmSettings
from functions.settings.read import read_settings

FCM = {"PUSH_SENDER": "fcm", "GOOGLE_CLOUD_PROJECT": "kicks-prod"}


def test_without_a_word_messages_go_to_the_outbox() -> None:
    settings = read_settings({})
    assert settings.fcm is None
    assert settings.policy.send_rate == 10_000


def test_fcm_needs_no_more_than_a_project() -> None:
    settings = read_settings(FCM)
    assert settings.fcm == FcmSettings(project="kicks-prod")
    assert settings.fcm.send_url == "https://fcm.googleapis.com/v1/projects/kicks-prod/messages:send"


def test_images_are_looked_at_unless_a_setting_says_otherwise() -> None:
    assert read_settings({}).image_check
    assert not read_settings({"IMAGE_CHECK": "off"}).image_check
    with pytest.raises(Misconfigured, match="IMAGE_CHECK: must be one of on, off, got a text of 2"):
        read_settings({"IMAGE_CHECK": "no"})


def test_a_local_server_can_stand_in_for_fcm(tmp_path: Path) -> None:
    ca_file, key = tmp_path / "ca.pem", tmp_path / "key.json"
    ca_file.touch()
    key.touch()
    told = {"FCM_ENDPOINT": "https://127.0.0.1:8443/", "FCM_CA_FILE": str(ca_file), "FCM_CREDENTIALS_FILE": str(key)}
    settings = read_settings(FCM | told | {"PUSH_TTL_MINUTES": "30", "FCM_MESSAGES_PER_SECOND": "50"})
    assert settings.fcm == FcmSettings(
        project="kicks-prod",
        endpoint="https://127.0.0.1:8443",
        ca_file=ca_file,
        credentials_file=key,
        time_to_live=timedelta(minutes=30),
    )
    assert settings.policy.send_rate == 50
    assert settings.policy.time_to_live == timedelta(minutes=30), "messages in an outbox live as long"


@pytest.mark.parametrize(
    ("told", "setting", "reason"),
    [
        ({"PUSH_SENDER": "apns"}, "PUSH_SENDER", "must be one of outbox, fcm"),
        ({"GOOGLE_CLOUD_PROJECT": ""}, "GOOGLE_CLOUD_PROJECT", "must be the id of the Firebase project"),
        ({"GOOGLE_CLOUD_PROJECT": "../other"}, "GOOGLE_CLOUD_PROJECT", "must be the id of the Firebase project"),
        ({"FCM_ENDPOINT": "http://127.0.0.1:80"}, "FCM_ENDPOINT", "must begin with https://"),
        ({"FCM_CA_FILE": "/no/such.pem"}, "FCM_CA_FILE", "names no file that is there, got a text of 12 characters"),
        ({"FCM_CREDENTIALS_FILE": "/no/key.json"}, "FCM_CREDENTIALS_FILE", "names no file that is there"),
        ({"PUSH_TTL_MINUTES": "40321"}, "PUSH_TTL_MINUTES", "must be a whole number from 1 to 40320"),
        ({"FCM_MESSAGES_PER_SECOND": "0"}, "FCM_MESSAGES_PER_SECOND", "must be a whole number of at least 1"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    told: dict[str, str], setting: str, reason: str
) -> None:
    with pytest.raises(Misconfigured, match=reason) as refused:
        read_settings(FCM | told)
    assert refused.value.setting == setting


SECRET = "s" * 32


def test_without_a_word_alerts_go_nowhere_and_have_no_links() -> None:
    settings = read_settings({})
    assert settings.webhooks == {}
    assert settings.policy.alerts == AlertPolicy()


def test_an_address_alone_is_the_channel_for_everything_and_others_have_names() -> None:
    told = "https://hooks.example/T0/B0?a=b, growth=https://hooks.example/T0/B1,local=http://127.0.0.1:9/x"
    settings = read_settings({"ALERT_WEBHOOKS": told})
    assert settings.webhooks == {
        "all": "https://hooks.example/T0/B0?a=b",
        "growth": "https://hooks.example/T0/B1",
        "local": "http://127.0.0.1:9/x",
    }
    assert settings.policy.alerts.channels == ("all", "growth", "local")


def test_names_of_channels_are_known_where_their_addresses_are_not() -> None:
    told = {"ALERT_CHANNELS": "all, growth", "CONSOLE_URL": "https://console.example/", "CANCEL_LINK_SECRETS": SECRET}
    settings = read_settings(told)
    assert settings.webhooks == {}
    assert settings.policy.alerts == AlertPolicy(
        channels=("all", "growth"), console_url="https://console.example", link_secrets=(SECRET,)
    )
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("ALERT_WEBHOOKS", "growth=http://hooks.example/secret", "entry 1 must be NAME=URL"),
        ("ALERT_WEBHOOKS", "https://a.example/x,http://10.0.0.1/secret", "entry 2 must be NAME=URL"),
        ("ALERT_WEBHOOKS", "file:///etc/secret", "entry 1 must be NAME=URL"),
        ("ALERT_WEBHOOKS", "gro wth=https://a.example/secret", "entry 1 must be NAME=URL"),
        ("ALERT_WEBHOOKS", "https://", "entry 1 must be NAME=URL"),
        ("ALERT_WEBHOOKS", "x=https://a.example/secret,x=https://b.example/secret", "channel x has two addresses"),
        ("ALERT_CHANNELS", "gro wth", "entry 1 must be a name of letters"),
        ("CONSOLE_URL", "console.example", "must begin with https://"),
        ("CANCEL_LINK_SECRETS", f"{SECRET},secret", "secret 2 is shorter than 32 characters"),
    ],
)
def test_a_wrong_setting_of_alerts_is_refused_and_no_secret_is_shown(setting: str, value: str, reason: str) -> None:
    with pytest.raises(Misconfigured, match=reason) as refused:
        read_settings({setting: value})
    assert refused.value.setting == setting
    assert "/secret" not in str(refused.value)
