"""What the environment may say, and how it is refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from functions.domain.errors import Misconfigured
from functions.settings import FcmSettings, read_settings

FCM = {"PUSH_SENDER": "fcm", "GOOGLE_CLOUD_PROJECT": "kicks-prod"}


def test_without_a_word_messages_go_to_the_outbox() -> None:
    settings = read_settings({})
    assert settings.fcm is None
    assert settings.policy.send_rate == 10_000


def test_fcm_needs_no_more_than_a_project() -> None:
    settings = read_settings(FCM)
    assert settings.fcm == FcmSettings(project="kicks-prod")
    assert settings.fcm.send_url == "https://fcm.googleapis.com/v1/projects/kicks-prod/messages:send"


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


@pytest.mark.parametrize(
    ("told", "setting", "reason"),
    [
        ({"PUSH_SENDER": "apns"}, "PUSH_SENDER", "must be one of outbox, fcm"),
        ({"GOOGLE_CLOUD_PROJECT": ""}, "GOOGLE_CLOUD_PROJECT", "must be the id of the Firebase project"),
        ({"GOOGLE_CLOUD_PROJECT": "../other"}, "GOOGLE_CLOUD_PROJECT", "must be the id of the Firebase project"),
        ({"FCM_ENDPOINT": "http://127.0.0.1:80"}, "FCM_ENDPOINT", "must begin with https://"),
        ({"FCM_CA_FILE": "/no/such.pem"}, "FCM_CA_FILE", "there is no file '/no/such.pem'"),
        ({"FCM_CREDENTIALS_FILE": "/no/key.json"}, "FCM_CREDENTIALS_FILE", "there is no file"),
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
