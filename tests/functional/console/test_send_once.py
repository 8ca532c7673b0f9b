"""Sending once from the console: upload, column, counts, preview, review, and confirmation by number."""

import io
import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from functions.domain.ids import ONE_OFF
from functions.domain.roles import Role
from functions.usecases.by_hand.kept_uploads import forget_old_uploads
from tests.factories import executions_of, user
from tests.functional.conftest import EARLIER, Lab
from tests.functional.console.visitor import SAME_SITE, Page, Visitor, path_of

MESSAGE = {"title": "Hi [[var:name|you]]", "body": "Doors open at seven.", "layerId": "1", "name": "Doors"}


def csv(*numbers: int, header: str = "Customer,name") -> bytes:
    return "\n".join([header, *(f"{user(number)},Name {number}" for number in numbers)]).encode()


def upload(visitor: Visitor, content: bytes, **fields: str) -> str:
    """Upload a file, and return the path of the list."""
    form = visitor.get("/send").form("/send")
    data = {"csrf": form.fields["csrf"][0], "file": (io.BytesIO(content), "list.csv"), **fields}
    response = visitor.open("POST", "/send", data=data, headers=SAME_SITE)
    assert response.status_code == 303, Page(response.text).text
    return path_of(response)


def refused(visitor: Visitor, content: bytes) -> str:
    form = visitor.get("/send").form("/send")
    data = {"csrf": form.fields["csrf"][0], "file": (io.BytesIO(content), "list.csv")}
    response = visitor.open("POST", "/send", data=data, headers=SAME_SITE)
    assert response.status_code == 422
    return Page(response.text).text


def reviewed(visitor: Visitor, path: str, status: int = 200, **changes: str) -> Page:
    return Page(visitor.send(path, f"{path}/review", {**MESSAGE, **changes}, status=status).text)


def test_a_list_is_uploaded_counted_and_sent_to_once(lab: Lab, visitor: Visitor) -> None:
    path = upload(visitor, csv(0, 1, 2, 2, 99) + b"\nnobody,Nobody")
    form = visitor.get(path).form(f"{path}/review")
    assert form.fields["id_column"] == ["Customer"]
    counts = visitor.get(f"{path}/counts?id_column=Customer").text
    assert "3 of 6 rows can be reached" in counts
    assert "Duplicates 1 Invalid IDs 1 Without a device 1" in counts
    assert "line 7 'nobody'" in counts.replace('"', "'")
    page = reviewed(visitor, path)
    assert "3 people of 6 rows" in page.text
    assert "Type 3 to confirm" in page.text
    fields = {name: values[0] for name, values in page.form(f"{path}/send").fields.items()}
    wrong = visitor.post(f"{path}/send", {**fields, "typed": "6"}, status=422)
    assert "is not the number of people. Nothing was sent." in Page(wrong.text).text
    assert executions_of(lab.ports, ONE_OFF) == []
    first = path_of(visitor.post(f"{path}/send", {**fields, "typed": "3"}, status=303))
    again = path_of(visitor.post(f"{path}/send", {**fields, "typed": " 3 "}, status=303))
    assert first == again
    assert len(executions_of(lab.ports, ONE_OFF)) == 1
    lab.run_to(EARLIER + timedelta(hours=1))
    assert sorted(each["title"] for each in lab.outbox(test=False)) == ["Hi Name 0", "Hi Name 1", "Hi Name 2"]


@pytest.mark.parametrize("typed", ["1200", "1,200", "1.200", "1 200", "1\u00a0200", "1\u202f200"])
def test_the_number_is_typed_with_any_separator(lab: Lab, visitor: Visitor, typed: str) -> None:
    lab.write_users({"a": range(1200)})
    page = reviewed(visitor, path := upload(visitor, csv(*range(1200))))
    assert "Type 1,200 to confirm" in page.text
    fields = {name: values[0] for name, values in page.form(f"{path}/send").fields.items()}
    visitor.post(f"{path}/send", {**fields, "typed": "1 201"}, status=422)
    visitor.post(f"{path}/send", {**fields, "typed": typed}, status=303)
    assert len(executions_of(lab.ports, ONE_OFF)) == 1


def test_the_page_of_such_a_send_has_its_name_real_values_and_no_tests(lab: Lab, visitor: Visitor) -> None:
    path = upload(visitor, csv(0, 1))
    fields = {name: values[0] for name, values in reviewed(visitor, path).form(f"{path}/send").fields.items()}
    execution = path_of(visitor.post(f"{path}/send", {**fields, "typed": "2"}, status=303))
    lab.run_to(EARLIER + timedelta(seconds=30))
    text = visitor.get(execution).text
    assert re.search("Hi Name [01]", text)
    assert "Doors" in text
    assert not re.search("Test sending|Cancellation window|Tests", text)
    assert "Doors" in visitor.get("/executions").text


def test_pasted_ids_are_a_list_too(visitor: Visitor) -> None:
    response = visitor.send("/send", "/send", {"ids": f"{user(0)}, {user(1)}\n{user(2)};"})
    path = path_of(response)
    assert "3 of 3 rows can be reached" in visitor.get(f"{path}/counts?id_column=user_id").text
    assert "Type 3 to confirm" in reviewed(visitor, path, title="Hi").text


def test_the_preview_has_the_values_of_the_chosen_row(visitor: Visitor) -> None:
    path = upload(visitor, csv(0, 1, 2))
    page = visitor.get(path)
    token = next(values["hx-vals"] for _, values in page.elements if values.get("id") == "preview")
    fields = {**MESSAGE, "csrf": token.split('"')[3], "row": "1", "id_column": "Customer", "layerId": ""}
    assert "Hi Name 1" in visitor.post(f"{path}/preview", fields, status=200).text
    wrong = Page(visitor.post(f"{path}/preview", {**fields, "body": "[[var:nmae]]"}, status=200).text).text
    assert "did you mean 'name'?" in wrong


def test_errors_stand_at_their_fields_and_nothing_is_lost(visitor: Visitor) -> None:
    path = upload(visitor, csv(0))
    page = reviewed(visitor, path, 422, layerId="", body="[[var:nmae]]", title="Hi {{first}}")
    assert "Not ready. Fix" in page.text
    assert page.form(f"{path}/review").fields["title"] == ["Hi {{first}}"]
    assert {"title-error", "layerId-error"} <= {values.get("id") for _, values in page.elements}
    back = Page(visitor.post(path, {**_token(visitor, path), **MESSAGE, "id_column": "Customer"}, status=200).text)
    assert back.form(f"{path}/review").fields["body"] == [MESSAGE["body"]]


def _token(visitor: Visitor, path: str) -> dict[str, str]:
    return {"csrf": reviewed(visitor, path).form(path).fields["csrf"][0]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04", "spreadsheet"),
        (f"{user(0)}\n{user(1)}\n".encode(), "starts with a user ID"),
        (b"user_id\n\xff\n", "is not UTF-8"),
    ],
)
def test_files_that_are_no_lists_are_refused_with_the_way_out(content: bytes, words: str, visitor: Visitor) -> None:
    assert words in refused(visitor, content)


def test_neither_and_both_are_refused(visitor: Visitor) -> None:
    assert "give one of them" in Page(visitor.send("/send", "/send", {"ids": " "}, status=422).text).text
    page = visitor.get("/send").form("/send")
    data = {"csrf": page.fields["csrf"][0], "file": (io.BytesIO(csv(0)), "a.csv"), "ids": user(1)}
    response = visitor.open("POST", "/send", data=data, headers=SAME_SITE)
    assert response.status_code == 422
    assert user(1) in response.text


def test_a_large_file_comes_in_pieces(visitor: Visitor) -> None:
    content, upload_id = csv(0, 1, 2, 3), ""
    for number, start in enumerate(range(0, len(content), 50)):
        form = {
            "csrf": visitor.get("/send").form("/send").fields["csrf"][0],
            "upload": upload_id,
            "piece": str(number),
        }
        form["more"] = "yes" if start + 50 < len(content) else ""
        data = {**form, "file": (io.BytesIO(content[start : start + 50]), "piece.csv")}
        response = visitor.open("POST", "/send", data=data, headers=SAME_SITE)
        upload_id = upload_id or response.text
    assert "4 of 4 rows can be reached" in visitor.get(f"{path_of(response)}/counts?id_column=Customer").text


def test_nobody_else_can_use_a_list_and_it_is_forgotten_after_a_day(lab: Lab, visitor: Visitor) -> None:
    path = upload(visitor, csv(0))
    visitor.become(Role.ADMIN, "eve@kicks.example")
    assert "no longer there" in visitor.get(path, 404).text
    visitor.get("/send/2026-03-01-..%2F..%2Fdevices", 404)
    visitor.become(Role.ADMIN)
    visitor.get(path)
    lab.run_to(EARLIER + timedelta(days=2))
    forget_old_uploads(lab.ports)
    visitor.get(path, 404)


def test_a_list_is_sent_one_message_only(visitor: Visitor) -> None:
    path = upload(visitor, csv(0, 1))
    fields = {name: values[0] for name, values in reviewed(visitor, path).form(f"{path}/send").fields.items()}
    visitor.post(f"{path}/send", {**fields, "typed": "2"}, status=303)
    other = visitor.post(f"{path}/send", {**fields, "typed": "2", "body": "Another"}, status=422)
    assert "already sent another message" in Page(other.text).text


def test_only_operators_send(visitor: Visitor) -> None:
    visitor.become(Role.VIEWER)
    assert "You can't do this" in visitor.get("/send", 403).text
    assert quote("/send") not in {values.get("href") for _, values in visitor.get("/executions").elements}


def test_only_the_upload_reads_files(visitor: Visitor) -> None:
    data = {"csrf": "x", "file": (io.BytesIO(b"x"), "a.csv")}
    assert visitor.open("POST", "/cadence", data=data, headers=SAME_SITE).status_code == 415


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (f"user_id;name\n{user(0)};Ada\n{user(1)};Bo\n", "user_id"),
        (f'\ufeffuser_id,name\r\n{user(0)},"Ada, ""A"""\r\n\r\n{user(1)},Żółć\r\n\r\n', "user_id"),
        (f"sep=;\nCustomer;name\n{user(0)};Ada\n{user(1)};Bo\n", "Customer"),
        (f"User_ID\tname\n{user(0)}\tAda\n{user(1)}\tBo", "user_id"),
        (f"user_id\n{user(0)}\n{user(1)}\n", "user_id"),
    ],
)
def test_files_as_spreadsheets_write_them_are_read(content: str, column: str, visitor: Visitor) -> None:
    path = upload(visitor, content.encode())
    assert visitor.get(path).form(f"{path}/review").fields["id_column"] == [column]
    assert "2 of 2 rows can be reached" in visitor.get(f"{path}/counts?id_column={column}").text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"user_id,name,name\n{user(0)},a,b\n", "the column 'name' is there 2 times"),
        (f"user_id,,name\n{user(0)},a,b\n", "column 2 has no name in the first line"),
        (f'user_id,name\n{user(0)},"Ada\n', "line 2"),
    ],
)
def test_a_header_or_a_row_that_cannot_be_read_names_its_place(content: str, words: str, visitor: Visitor) -> None:
    assert words in refused(visitor, content.encode()).replace('"', "'")


def test_rows_that_do_not_fit_the_header_are_named_when_they_are_counted(visitor: Visitor) -> None:
    path = upload(visitor, f"user_id,name\n{user(0)},Ada\n{user(1)}\n".encode())
    assert "line 3" in visitor.get(f"{path}/counts?id_column=user_id").text


def test_a_list_that_cannot_be_counted_says_why_and_no_number(lab: Lab, visitor: Visitor) -> None:
    path = upload(visitor, csv(0, 1))
    lab.write_table("devices", ("nothing",), [])
    text = visitor.get(f"{path}/counts?id_column=Customer").text
    assert "can't be counted now" in text
    assert "can be reached" not in text
