"""What is suggested instead of a wrong name is accepted."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import BadInput, BadTemplate
from functions.domain.push.template import Template
from functions.domain.recipe.field_paths import field_paths
from local.runtime.recipe_files import set_value


def hint(text: str, *columns: str) -> str:
    with pytest.raises(BadTemplate) as error:
        Template.parse(text).require(columns, "file")
    return str(error.value).partition("; ")[2]


@pytest.mark.parametrize("written", ["First_Name", "firstName", "FIRST_NAME", "first_name"])
def test_a_header_that_no_text_can_name_is_to_be_renamed_to_what_was_written(written: str) -> None:
    told = hint(f"Hi [[var:{written}]]", "user_id", "First Name")
    assert told.startswith(f"rename the column 'First Name' to {written} where the audience is made")
    Template.parse(f"Hi [[var:{written}]]").require(["user_id", written], "file")


def test_a_name_of_other_case_is_found_before_one_that_looks_alike() -> None:
    assert hint("[[var:FIRST_NAME]]", "first_names", "firstName") == "did you mean 'firstName'?"


def test_a_header_that_looks_alike_is_renamed_to_a_name_that_a_text_can_use() -> None:
    assert hint("[[var:First_Nam]]", "First Name").startswith("rename the column 'First Name' to First_Name")
    assert hint("[[var:Gr_e]]", "Gr\u00f6\u00dfe").startswith("rename the column 'Gr\u00f6\u00dfe' to Gr_e")


def test_columns_that_no_text_can_name_are_not_listed_as_a_choice() -> None:
    assert hint("[[var:zzz]]", "user_id", "Shoe Size", "n") == "its columns are user_id, n"


def test_a_malformed_variable_says_what_a_name_may_be() -> None:
    with pytest.raises(BadTemplate, match="letters a to z, digits and '_': rename a column such as 'First Name'"):
        Template.parse("Hi [[var:First Name]]")


@given(
    written=st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
    columns=st.lists(
        st.text(min_size=1, max_size=9) | st.sampled_from(["First Name", "first-name", "Name"]), min_size=1
    ),
)
def test_a_suggested_name_always_works(written: str, columns: list[str]) -> None:
    if written in columns:
        return
    told = hint(f"[[var:{written}]]", *columns)
    if meant := re.fullmatch(r"did you mean '(.*)'\?", told):
        Template.parse(f"[[var:{meant[1]}]]").require(columns, "file")
    elif renamed := re.match(r"rename the column .* to (\w+) where", told):
        Template.parse(f"[[var:{renamed[1]}]]").require([*columns, renamed[1]], "file")


@pytest.mark.parametrize("path", ["setting", "settings.safeguard", "schedul", "audienceCriteria.customScripts"])
def test_a_suggested_field_takes_a_value(path: str) -> None:
    with pytest.raises(BadInput) as error:
        set_value({}, f"{path}=5")
    found = re.search(r"did you mean (\S+)\?", str(error.value))
    if found:
        assert not any(other.startswith(f"{found[1]}.") for other in field_paths())
