"""Splitting an audience into parts."""

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.audience.split import count_users, split
from functions.domain.ids import user_digest

HEADER = b"user_id,name\n"
AUDIENCES = st.lists(
    st.tuples(st.integers(0, 30).map(lambda number: f"u{number}"), st.sampled_from(["", "Ann", '"a\n""b"'])),
    max_size=40,
)


@given(rows=AUDIENCES, parts=st.integers(1, 12))
def test_parts_are_disjoint_complete_in_order_and_of_one_size_give_or_take_a_user(
    rows: list[tuple[str, str]], parts: int
) -> None:
    rows.sort(key=lambda row: user_digest(row[0]))
    records = [f"{user},{name}\n".encode() for user, name in rows]
    lines = b"".join([HEADER, *records]).splitlines(keepends=True)
    users = count_users(lines)
    assert users == len({user for user, _ in rows})
    written: list[list[bytes]] = [[] for _ in range(parts)]
    for part, record in split(lines, users=users, parts=parts):
        written[part].append(record)
    assert all(part[0] == HEADER for part in written)
    assert [record for part in written for record in part[1:]] == records, (
        "each record once, in the order of the file"
    )
    found = [{record.split(b",")[0] for record in part[1:]} for part in written]
    assert sum(map(len, found)) == users, "no user is in two parts"
    assert max(map(len, found)) - min(map(len, found)) <= 1
