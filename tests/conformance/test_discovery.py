"""The validator itself: it passes what Google's pages show, and refuses each kind of mistake."""

from typing import Any

import pytest

from tests.conformance.discovery import camel_case, document

FCM = document("fcm", "v1", snake_case=True)
TASKS = document("cloudtasks", "v2")
STORAGE = document("storage", "v1")
BIGQUERY = document("bigquery", "v2")


def test_a_message_of_googles_page_has_no_fault() -> None:
    message = {"token": "a", "notification": {"title": "T", "body": "B"}, "data": {"story_id": "12345"}}
    android = {"android": {"ttl": "86400s", "notification": {"click_action": "OPEN"}, "priority": "HIGH"}}
    apns = {"apns": {"headers": {"apns-priority": "5"}, "payload": {"aps": {"category": "NEW", "badge": 1}}}}
    assert FCM.faults("SendMessageRequest", {"message": {**message, **android, **apns}, "validate_only": True}) == []


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"tokens": ["a"]}, "Message.tokens: unknown field"),
        ({"android": {"notification": {"tags": "x"}}}, "Message.android.notification.tags: unknown field"),
        ({"android": {"priority": "URGENT"}}, "Message.android.priority: 'URGENT' is none of NORMAL, HIGH"),
        ({"android": {"ttl": 3600}}, "Message.android.ttl: 3600 is not a text"),
        ({"android": {"ttl": "1h"}}, "Message.android.ttl: '1h' is no google-duration"),
        ({"data": {"push": 1}}, "Message.data.push: 1 is not a text"),
        ({"notification": "Hello"}, "Message.notification: 'Hello' is not an object"),
        ({"fcm_options": {"analyticsLabels": "x"}}, "Message.fcm_options.analyticsLabels: unknown field"),
    ],
)
def test_a_wrong_message_is_refused(message: dict[str, Any], fault: str) -> None:
    [found] = FCM.faults("Message", message)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("task", "fault"),
    [
        ({"httpRequest": {"httpMethod": "SEND"}}, "'SEND' is none of"),
        ({"httpRequest": {"body": "{}"}}, "'{}' is no byte"),
        ({"httpRequest": {"headers": [{"a": "b"}]}}, "is not an object"),
        ({"scheduleTime": "tomorrow"}, "'tomorrow' is no google-datetime"),
        ({"dispatchCount": "3"}, "'3' is no int32"),
        ({"dispatchCount": True}, "True is no int32"),
        ({"dispatchCount": 2**31}, "2147483648 is no int32"),
        ({"http_request": {}}, "unknown field"),
    ],
)
def test_a_wrong_task_is_refused(task: dict[str, Any], fault: str) -> None:
    [found] = TASKS.faults("Task", task)
    assert fault in found


@pytest.mark.parametrize(("value", "faults"), [("10", 0), (10, 1), ("ten", 1), (str(2**63), 1), (str(-(2**63)), 0)])
def test_an_int64_is_a_text_of_digits(value: object, faults: int) -> None:
    assert len(BIGQUERY.faults("JobConfigurationQuery", {"maximumBytesBilled": value})) == faults


@pytest.mark.parametrize(
    ("method", "url", "fault"),
    [
        ("POST", "http://any/upload/storage/v1/b/kicks/o?uploadType=multipart&ifGenerationMatch=0", ""),
        ("GET", "http://any/download/storage/v1/b/kicks/o/a%2Fb.csv?alt=media&generation=5", ""),
        ("GET", "http://any/storage/v1/b/kicks/o?prefix=a%2F&maxResults=7&versions=true", ""),
        ("POST", "http://any/upload/storage/v1/b/kicks/o?if_generation_match=0", "no parameter if_generation_match"),
        ("POST", "http://any/upload/storage/v1/b/kicks/o?ifGenerationMatch=none", "'none' is no int64"),
        ("GET", "http://any/storage/v1/b/kicks/o?versions=yes", "'yes' is not true or false"),
        ("GET", "http://any/storage/v1/b/kicks/objects", "no method takes GET"),
        ("PUT", "http://any/storage/v1/b/kicks/o/a", ""),
        ("PUT", "http://any/storage/v2/b/kicks/o/a", "no method takes PUT"),
    ],
)
def test_a_request_is_held_to_methods_and_parameters(method: str, url: str, fault: str) -> None:
    faults = STORAGE.request_faults(method, url)
    assert fault in (" ".join(faults) or "")
    assert bool(faults) == bool(fault)


def test_names_of_protocol_buffers_become_those_of_json() -> None:
    assert [camel_case(name) for name in ("uri", "max_attempts", "iap_enabled")] == [
        "uri",
        "maxAttempts",
        "iapEnabled",
    ]
