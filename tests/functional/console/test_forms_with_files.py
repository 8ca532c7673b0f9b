"""Forms with files: what is refused before anything is stored, and that nothing but a file is read from them."""

import io
from collections.abc import Mapping
from typing import Any

import pytest

from functions.domain.roles import Role
from tests.factories import user
from tests.functional.conftest import Lab
from tests.functional.console.visitor import SAME_SITE, Page, Visitor

KEPT = "lists"


def token(visitor: Visitor) -> str:
    return visitor.get("/send").form("/send").fields["csrf"][0]


def upload(visitor: Visitor, status: int, *, headers: Mapping[str, str] = SAME_SITE, **fields: Any) -> str:
    data = {"file": (io.BytesIO(f"user_id\n{user(0)}\n".encode()), "list.csv"), **fields}
    response = visitor.open("POST", "/send", data=data, headers=headers)
    assert response.status_code == status, Page(response.text).text
    return Page(response.text).text


def with_ids(length: int) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="ids"\r\n\r\n' + b"x" * length + b"\r\n--b--\r\n"


def raw(visitor: Visitor, body: bytes, **environ: Any) -> int:
    """Send a body as it is, and return the status."""
    headers = {"Content-Type": "multipart/form-data; boundary=b", **SAME_SITE}
    stream = io.BytesIO(body)
    return visitor.open("POST", "/send", headers=headers, input_stream=stream, environ_overrides=environ).status_code


def kept(lab: Lab) -> list[str]:
    return list(lab.ports.files.names(KEPT))


def test_a_file_without_the_forms_token_or_with_another_ones_is_refused(lab: Lab, visitor: Visitor) -> None:
    upload(visitor, 403)
    upload(visitor, 403, csrf=visitor.get("/people").form("/people").fields["csrf"][0])
    mine = token(visitor)
    visitor.become(Role.OPERATOR, "ben@kicks.example")
    upload(visitor, 403, csrf=mine)
    assert kept(lab) == []
    upload(visitor, 303, csrf=token(visitor))
    assert len(kept(lab)) == 1


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {}],
)
def test_a_file_from_another_site_is_refused(headers: dict[str, str], lab: Lab, visitor: Visitor) -> None:
    assert "nothing was done" in upload(visitor, 403, headers=headers, csrf=token(visitor))
    assert kept(lab) == []


def test_forms_that_are_too_large_or_have_too_many_parts_are_refused(lab: Lab, visitor: Visitor) -> None:
    csrf = token(visitor)
    many: dict[str, Any] = {f"field{number}": "x" for number in range(30)}
    upload(visitor, 413, csrf=csrf, **many)
    long = with_ids(1_100_000)
    assert raw(visitor, long, CONTENT_LENGTH=str(len(long))) == 413
    assert raw(visitor, b"", CONTENT_LENGTH=str(10**12)) == 413
    assert kept(lab) == []


def test_a_body_in_chunks_is_read_to_the_limit_and_refused(lab: Lab, visitor: Visitor) -> None:
    """Such a request has no Content-Length, as those of some proxies."""
    more: dict[str, Any] = {"wsgi.input_terminated": True}
    assert raw(visitor, with_ids(2_000_000), **more) == 413
    assert kept(lab) == []


@pytest.mark.parametrize(
    "upload_id",
    [
        "2026-99-99-" + "a" * 32,
        "9999-12-31-" + "a" * 32,
        "2020-01-01-" + "a" * 32,
        "../../devices/x",
        "2026-03-02-" + "a" * 31 + "/",
        "\u0662026-03-02-" + "a" * 32,
    ],
)
def test_a_piece_goes_only_to_an_upload_of_these_days(upload_id: str, lab: Lab, visitor: Visitor) -> None:
    upload(visitor, 404, csrf=token(visitor), upload=upload_id)
    assert kept(lab) == []


@pytest.mark.parametrize("piece", ["40", "999", "9" * 5000, "-1", "\u0664"])
def test_no_number_of_a_piece_breaks_the_page(piece: str, visitor: Visitor) -> None:
    response = visitor.open(
        "POST",
        "/send",
        data={"csrf": token(visitor), "piece": piece, "file": (io.BytesIO(b"user_id\na\n"), "a.csv")},
        headers=SAME_SITE,
    )
    assert response.status_code in (303, 404, 422)


def test_the_name_of_a_file_is_not_used(lab: Lab, visitor: Visitor) -> None:
    data = {"csrf": token(visitor), "file": (io.BytesIO(f"user_id\n{user(0)}".encode()), "../../../etc/passwd")}
    assert visitor.open("POST", "/send", data=data, headers=SAME_SITE).status_code == 303
    [name] = kept(lab)
    assert name.startswith(f"{KEPT}/")
    assert "passwd" not in name
