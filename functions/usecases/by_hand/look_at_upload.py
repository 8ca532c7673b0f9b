"""What a file of recipients holds: its columns, its first rows, which column has the user ids, and invalid ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from functions.domain.audience.uploaded_csv import Source, UploadedCsv, bad_file
from functions.domain.documents import shown
from functions.domain.ids import UserIdFormat, is_user_id
from functions.usecases.by_hand.sort_upload import USER_ID

FIRST_ROWS = 5
MOST_LINES = 10
"""How many lines with invalid ids are named."""
_GUESSES = (USER_ID, "userid", "user id", "uid", "user", "customer_id", "member_id", "external_id", "id")


@dataclass(frozen=True, kw_only=True)
class UploadLook:
    """The columns of a file, its first rows, and the column that seems to have the user ids; empty if none does."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, str]]
    id_column: str

    def with_ids_in(self, column: str) -> "UploadLook":
        """Return the same with the name that this column has when the file is sent to: `user_id`."""
        columns = [USER_ID if name == column else name for name in self.columns]
        rows = [{USER_ID if name == column else name: text for name, text in row.items()} for row in self.rows]
        return UploadLook(columns=columns, rows=rows, id_column=USER_ID)


@dataclass(kw_only=True)
class InvalidIds:
    """How many rows were seen, how many of them have invalid user ids, and the first of those by line."""

    form: UserIdFormat
    rows: int = 0
    invalid: int = 0
    first: dict[int, str] = field(default_factory=dict)

    def see(self, line: int, user_id: str) -> None:
        """Count a row."""
        self.rows += 1
        if is_user_id(user_id, self.form):
            return
        self.invalid += 1
        if len(self.first) < MOST_LINES:
            self.first[line] = shown(user_id)


def look_at_upload(source: Source, form: UserIdFormat) -> UploadLook:
    """Read the header and the first rows. BadFields of `file` if it is not a CSV with column names."""
    upload = UploadedCsv(source, required={}, optional=(USER_ID,))
    if any(is_user_id(name, UserIdFormat.UUID) for name in upload.columns):
        raise bad_file(f"starts with a user ID: its first line must name the columns, such as {USER_ID}")
    found = [row.fields for row in islice(upload.rows(), FIRST_ROWS)]
    rows = [dict(zip(upload.columns, fields, strict=False)) for fields in found]
    return UploadLook(columns=upload.columns, rows=rows, id_column=_guess(upload.columns, rows, form))


def _guess(columns: Sequence[str], rows: Sequence[Mapping[str, str]], form: UserIdFormat) -> str:
    by_case = {name.casefold(): name for name in columns}
    named = next((by_case[name] for name in _GUESSES if name in by_case), "")
    if named or form is UserIdFormat.ANY:
        return named or (columns[0] if len(columns) == 1 else "")
    fitting = (name for name in columns if rows and all(is_user_id(row.get(name, ""), form) for row in rows))
    return next(fitting, "")
