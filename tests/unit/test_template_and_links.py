"""Templates say what is wrong at save time, and never run anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import BadTemplate
from functions.domain.push.links import Link, LinkPolicy
from functions.domain.push.template import Template


def test_a_variable_becomes_the_column() -> None:
    template = Template.parse("Hi [[var:firstName]], [[var:count]] pairs")
    assert template.render({"firstName": "Zoë", "count": "3"}) == "Hi Zoë, 3 pairs"
    assert template.columns == ("firstName", "count")


def test_an_empty_value_takes_the_fallback_or_skips_the_row() -> None:
    assert Template.parse("Hi [[var:name|you]]").render({"name": ""}) == "Hi you"
    assert Template.parse("Hi [[var:name|]]").render({"name": ""}) == "Hi "
    assert Template.parse("Hi [[var:name]]").render({"name": ""}) is None


@pytest.mark.parametrize(
    "text", ["[[vra:x]]", "[[var:x", "var:x]]", "[[var:]]", "[[var:a b]]", "[[var:x.y]]", "[[var:x|[[var:y]]]]", "[["]
)
def test_a_malformed_variable_is_an_error(text: str) -> None:
    with pytest.raises(BadTemplate, match=r"write \[\[var:column\]\]"):
        Template.parse(text)


def test_a_column_that_is_not_there_is_named_with_its_neighbour() -> None:
    with pytest.raises(BadTemplate, match=r"names no column of audience 'a'; did you mean 'firstName'\?"):
        Template.parse("[[var:firstname]]").require(["user_id", "firstName"], "a")


@given(value=st.text(min_size=1))
def test_a_value_is_text_whatever_it_looks_like(value: str) -> None:
    assert Template.parse("<[[var:x]]>").render({"x": value}) == f"<{value}>"


@pytest.mark.parametrize(
    "link", ["https://a.example/[[var:x]]", "https://a.example", "HTTPS://a.example?q=[[var:x]]"]
)
def test_any_https_link_is_allowed_by_default(link: str) -> None:
    LinkPolicy().check(Link.parse(link))


@pytest.mark.parametrize(
    "link",
    [
        "http://a.example",
        "javascript:alert(1)",
        "[[var:link]]/x",
        "https://[[var:host]]/x",
        "https://a.example[[var:more]]",
        "https://good.example@evil.example/",
        "https://good.example\\@evil.example/",
        "//a.example/x",
    ],
)
def test_a_link_that_leads_elsewhere_or_could_is_refused(link: str) -> None:
    with pytest.raises(BadTemplate):
        LinkPolicy().check(Link.parse(link))


def test_a_deployment_may_allow_one_host_and_its_own_scheme() -> None:
    policy = LinkPolicy(allowed=("myapp", "https://a.example"))
    policy.check(Link.parse("myapp://shoes/[[var:x]]"))
    policy.check(Link.parse("https://a.example/x"))
    with pytest.raises(BadTemplate, match="is not among the allowed links: myapp, https:"):
        policy.check(Link.parse("https://b.example/x"))
