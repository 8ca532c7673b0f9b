"""Templates and links against everything a person or a row may put into them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import BadTemplate
from functions.domain.push.links import Link, LinkPolicy
from functions.domain.push.template import Template, Variable

ONE_HOST = LinkPolicy(allowed=("https://a.example",))


def test_a_text_is_read_into_its_parts() -> None:
    assert Template.parse("a[[var:b]]c[[var:d|e f]][[var:g|]]").parts == (
        "a",
        Variable(column="b", fallback=None),
        "c",
        Variable(column="d", fallback="e f"),
        Variable(column="g", fallback=""),
    )
    assert Template.parse("").render({}) == ""


def test_a_column_is_listed_once_in_the_order_of_use() -> None:
    assert Template.parse("[[var:b]] [[var:a]] [[var:b|x]]").columns == ("b", "a")


@given(
    st.lists(st.text(st.characters(exclude_characters="[]"), max_size=8) | st.sampled_from(["[[var:x]]", "[", "]"]))
)
def test_a_template_of_single_brackets_and_variables_renders_to_what_it_shows(parts: list[str]) -> None:
    text = "".join(parts)
    with suppress(BadTemplate):
        assert Template.parse(text).render({"x": "value"}) == text.replace("[[var:x]]", "value")


@given(st.text(alphabet="[]var:|x y\x00\ud800", max_size=40))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with suppress(BadTemplate):
        read = Template.parse(text)
        assert isinstance(read.render(dict.fromkeys(read.columns, "value")), str)


def test_a_value_is_never_read_as_a_template() -> None:
    row = {"x": "[[var:y]]", "y": "secret"}
    assert Template.parse("[[var:x]]").render(row) == "[[var:y]]"


@pytest.mark.parametrize(
    "text",
    [
        *("[[x]]", "[[ var:x ]]", "[[var: x]]", "[[var:x ]]", "[[var:1x]]", "[[var:x-y]]", "[[var:ü]]", "[[VAR:x]]"),
        *("[[var:x]", "[[var:x|a]b]]", "[[var:x|a[b]]", "]]", "[[]]", "[[var:]]", "[[var:x|", "[[var:x.__class__]]"),
    ],
)
def test_a_malformed_variable_is_shown_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(BadTemplate, match=r"malformed variable near .* write \[\[var:column\]\]"):
        Template.parse(f"Hello {text} there")


def test_hundreds_of_thousands_of_brackets_are_read_at_once() -> None:
    for text in ("[[var:a" * 200_000, "[[var:" + "a" * 1_000_000, "[[var:a|" + "b" * 1_000_000, "[" * 1_000_001):
        with pytest.raises(BadTemplate):
            Template.parse(text)


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    with pytest.raises(
        BadTemplate, match=r"\[\[var:zzz\]\] names no column of audience 'a'; its columns are user_id, n"
    ):
        Template.parse("[[var:zzz]]").require(["user_id", "n"], "a")
    Template.parse("[[var:n|x]]").require(["user_id", "n"], "a")


@pytest.mark.parametrize(
    "link",
    [
        *("", "https", "https:", "https:/a.example", "a.example", " https://a.example", "https\t://a.example"),
        *(
            "http://a.example",
            "https://b.example",
            "https://a.example.b.example",
            "https://b.example/https://a.example",
        ),
        *("https://a.example@b.example", "https://a.example:80@b.example/", "https://a.example\\.b.example"),
        *(
            "https:///a.example",
            "https://",
            "https://[::1",
            "https://[a.example]/",
            "https://a\u2100example/",
            "https://xa.example",
        ),
        *(
            "https://a.example[[var:x]]",
            "https://a.example:[[var:x]]",
            "[[var:x|https://b.example]]",
            "https://[[var:x]]/",
        ),
        *("https://[[var:x]].a.example/", "http[[var:x]]://a.example/", "javascript://a.example/%0aalert(1)"),
    ],
)
def test_a_link_that_does_not_surely_lead_to_the_one_host_is_refused(link: str) -> None:
    with pytest.raises(BadTemplate):
        ONE_HOST.check(Link.parse(link))


@pytest.mark.parametrize(
    "link",
    [
        *("https://a.example", "https://a.example/", "HTTPS://A.EXAMPLE/x", "https://a.example:8443/x"),
        *("https://a.example/[[var:x]]", "https://a.example?q=[[var:x]]", "https://a.example#[[var:x]]"),
    ],
)
def test_a_link_that_leads_to_the_one_host_is_allowed(link: str) -> None:
    ONE_HOST.check(Link.parse(link))


@given(st.text(max_size=30))
def test_no_link_does_worse_than_be_refused(rest: str) -> None:
    with suppress(BadTemplate):
        ONE_HOST.check(Link.parse(f"https://{rest}"))


def test_a_backslash_hides_a_host_wherever_links_may_lead() -> None:
    with pytest.raises(BadTemplate, match="hides its host"):
        LinkPolicy().check(Link.parse("https://a.example\\b.example/"))


def test_a_refusal_names_the_links_that_are_allowed() -> None:
    with pytest.raises(BadTemplate, match=r"^ftp://b\.example is not among the allowed links: https://a\.example$"):
        ONE_HOST.check(Link.parse("ftp://b.example/x"))
