"""Deep links: a value stays in its place, and a link leads only where the deployment allows."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import BadTemplate
from functions.domain.push.links import ImageAddress, Link, LinkPolicy, check_form

ONE_HOST = LinkPolicy(allowed=("https://a.example", "myapp"))


def may_open(text: str, row: dict[str, str], policy: LinkPolicy = ONE_HOST) -> bool:
    link = Link.parse(text)
    rendered, judge = link.render(row), policy.judge(link)
    assert rendered is not None
    return judge is None or judge(rendered)


def test_a_value_in_a_query_changes_no_other_parameter() -> None:
    link = Link.parse("https://a.example/find?q=[[var:shoe]]&page=1").render({"shoe": "Air Max 90 & Co #1+=%"})
    assert link == "https://a.example/find?q=Air%20Max%2090%20%26%20Co%20%231%2B%3D%25&page=1"


@given(value=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_whatever_a_value_is_the_link_has_it_back_and_nothing_else_changes(value: str) -> None:
    text = "https://a.example/shoes/[[var:x]]/now?a=1&q=[[var:x]]&b=2#at-[[var:x]]"
    rendered = Link.parse(text).render({"x": value})
    assert rendered is not None
    check_form(rendered)
    parts = urlsplit(rendered)
    assert (parts.scheme, parts.netloc) == ("https", "a.example")
    assert [unquote(part) for part in parts.path.split("/")] == ["", "shoes", value, "now"]
    assert parse_qsl(parts.query) == [("a", "1"), ("q", value), ("b", "2")]
    assert unquote(parts.fragment) == f"at-{value}"


def test_text_that_is_encoded_already_stays_and_a_fallback_is_encoded_like_a_value() -> None:
    link = Link.parse("https://a.example/a%20b/gr\u00f6\u00dfe?q=[[var:x|new & old]]")
    assert link.render({"x": ""}) == "https://a.example/a%20b/gr\u00f6\u00dfe?q=new%20%26%20old"
    assert link.render({"x": "5%"}) == "https://a.example/a%20b/gr\u00f6\u00dfe?q=5%25"
    assert Link.parse("myapp://shoes/[[var:x]]").render({"x": ""}) is None


def test_broken_text_in_a_value_breaks_no_link() -> None:
    assert Link.parse("https://a.example/[[var:x]]").render({"x": "a\ud800"}) == "https://a.example/a%3F"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("https://a.example/shoes/[[var:x]]", {"x": ".."}),
        ("https://a.example/shoes/[[var:x]]/edit", {"x": "."}),
        ("https://a.example/shoes/[[var:x|..]]", {"x": ""}),
        ("https://a.example/shoes/.[[var:x]]", {"x": "."}),
        ("https://a.example/shoes/%2E[[var:x]]?q=1", {"x": "."}),
        ("https://a.example/shoes/[[var:x]][[var:y]]#top", {"x": ".", "y": "."}),
        ("https://a.example/a/../b/[[var:x]]", {"x": ".."}),
        ("myapp://shoes/[[var:x]]", {"x": ".."}),
    ],
)
def test_a_value_never_becomes_a_dot_segment(text: str, row: dict[str, str]) -> None:
    assert not may_open(text, row)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("https://a.example/shoes/[[var:x]]", "../admin"),
        ("https://a.example/shoes/[[var:x]]", "..."),
        ("https://a.example/shoes/[[var:x]]", ".htaccess"),
        ("https://a.example/shoes/[[var:x]]", "%2e%2e"),
        ("https://a.example/find?q=[[var:x]]", ".."),
        ("https://a.example/find?next=/[[var:x]]", ".."),
        ("https://a.example/shoes#[[var:x]]", ".."),
        ("https://a.example/v.[[var:x]]", "."),
        ("https://a.example/a/../b/[[var:x]]", "c"),
    ],
)
def test_dots_that_lead_nowhere_else_are_a_value_like_any_other(text: str, value: str) -> None:
    assert may_open(text, {"x": value})


def test_a_link_with_a_slash_in_a_value_stays_in_its_segment() -> None:
    assert Link.parse("https://a.example/s/[[var:x]]").render({"x": "../admin"}) == "https://a.example/s/..%2Fadmin"


@pytest.mark.parametrize(
    "link", ["https://a.example/x?y=1#z", "HTTPS://A.EXAMPLE", "https://a.example:8443/%20", "myapp://shoes/1"]
)
def test_one_variable_may_be_the_whole_link_and_is_sent_as_it_is(link: str) -> None:
    whole = Link.parse("[[var:link]]")
    ONE_HOST.check(whole)
    assert whole.render({"link": link}) == link
    assert may_open("[[var:link]]", {"link": link})


@pytest.mark.parametrize(
    "link",
    [
        *("https://b.example/", "http://a.example/", "javascript:alert(1)", "a.example", "//a.example", "https://"),
        *("https://a.example@b.example/", "https://a.example\\@b.example/", "https://a.example/a b"),
        *("https://a.example/\n", " https://a.example", "https://a.example:99999/", "myapp://", "https:///a.example"),
        *("https://a.example/%zz", "https://a.example:0/"),
    ],
)
def test_a_row_whose_own_link_leads_elsewhere_is_not_sent_to(link: str) -> None:
    assert not may_open("[[var:link]]", {"link": link})
    assert not may_open("[[var:x|]][[var:link]]", {"x": "", "link": link})


def test_the_fallback_of_a_whole_link_is_held_to_the_list_when_it_is_saved() -> None:
    ONE_HOST.check(Link.parse("[[var:link|https://a.example/home]]"))
    with pytest.raises(BadTemplate, match="not among the allowed links"):
        ONE_HOST.check(Link.parse("[[var:link|https://b.example/home]]"))


@pytest.mark.parametrize(
    "text",
    [
        "https://[[var:x]]/",
        "https://a.example:[[var:x]]/",
        "https://[[var:x]]@a.example/",
        "[[var:x]]/y",
        "a[[var:x]]",
    ],
)
def test_no_variable_may_be_a_part_of_scheme_host_port_or_user(text: str) -> None:
    with pytest.raises(BadTemplate, match="before the first variable; or let one variable be the whole link"):
        LinkPolicy().check(Link.parse(text))


def test_a_stored_link_whose_host_is_a_variable_is_judged_row_by_row() -> None:
    assert may_open("https://[[var:host]]/x", {"host": "a.example"})
    assert not may_open("https://[[var:host]]/x", {"host": "b.example"})
    assert not may_open("https://[[var:host]]/x", {"host": "b.example/?a.example"})


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("https://", "names no host"),
        ("https:///shoes", "names no host"),
        ("https://?q=1", "names no host"),
        ("https://a.example%2Fb.example/", "names no host"),
        ("https://a.example\u3002b.example/", "names no host"),
        ("https://a.example:99999/", "cannot be read: Port out of range"),
        ("https://a.example:x/", "cannot be read: Port could not be cast"),
        ("https://a.example/a b", "holds a blank"),
        ("https://a.example/a\nb", "holds the invisible character U\\+000A"),
        ("https://a.example/\x00", "holds the invisible character U\\+0000"),
        ("https://a.example/\u200b", "holds the invisible character U\\+200B"),
        ("https://a.example/\u202egpj", "holds the invisible character U\\+202E"),
        ("https://a.example/a\\b", "write / or, inside a value, %5C"),
        ("myapp://", "leads nowhere"),
        ("https://.", "nothing before, or between, its dots"),
        ("https://k..example/", "nothing before, or between, its dots"),
        ("https://.k.example/", "nothing before, or between, its dots"),
        ("https://-k.example/", "'-k' begins or ends with '-'"),
        ("https://k-.example/", "'k-' begins or ends with '-'"),
        (f"https://{'k' * 64}.example/", "longer than 63 characters"),
        (f"https://{'ü' * 62}.example/", "longer than 63 characters"),
        (f"https://{'k.' * 127}example/", "longer than 253 characters"),
        ("https://256.1.1.1/", "256.1.1.1 is not an IP address"),
        ("https://[1::2::3]/", "not an IP address|not appear to be an IPv"),
        ("https://k.example:0/", "has the port 0; write one from 1 to 65535"),
        ("https://k.example/%zz", "holds '%zz', where two hexadecimal digits must follow '%'"),
        ("https://k.example/?q=5%", "holds '%', where two"),
        ("myapp://item/%4", "holds '%4', where two"),
    ],
)
def test_a_link_that_clients_read_differently_is_refused_with_the_cause(link: str, reason: str) -> None:
    with pytest.raises(BadTemplate, match=reason):
        check_form(link)


@pytest.mark.parametrize(
    "link",
    [
        *(
            "https://a.example",
            "https://m\u00fcller.example/gr\u00f6\u00dfe",
            "https://[::1]:8080/x",
            "http://127.0.0.1/",
        ),
        *("https://a.example/100%25?x=%20", "myapp://item:abc", "myapp:///settings", "https://a.example:443?x"),
        *(
            "https://a.example./x",
            "https://a_b--c.example",
            f"https://{'k' * 63}.example",
            "https://xn--mller-kva.example",
        ),
    ],
)
def test_a_link_that_everybody_reads_alike_is_allowed(link: str) -> None:
    check_form(link)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://img.example/a.png", False),
        ("https://img.example:8443/a.png", True),
        ("https://IMG.example:8443?a", True),
        ("https://img.example:443/a.png", False),
        ("https://other.example:8443/a.png", False),
        ("https://cdn.example:8443/a.png", False),
        ("https://img.example:8443@b.example/a.png", False),
        ("https://b.example/img.example:8443", False),
    ],
)
def test_a_host_with_a_port_allows_this_port_only(address: str, allowed: bool) -> None:
    policy = LinkPolicy(images=("https://img.example:8443", "https://cdn.example"))
    assert policy.allows_image(address) is allowed


@pytest.mark.parametrize("images", [("https",), ("https://img.example",), ("https://img.example:443",)])
def test_an_image_comes_from_port_443_unless_its_host_is_listed_with_another(images: tuple[str, ...]) -> None:
    policy = LinkPolicy(images=images)
    for usual in ("https://img.example/a.png", "https://img.example:443/a.png"):
        policy.check(ImageAddress.parse(usual))
        assert policy.allows_image(usual)
    other = "https://img.example:8443/a.png"
    assert not policy.allows_image(other)
    assert LinkPolicy(images=(*images, "https://img.example:8443")).allows_image(other)
    if images != ("https://img.example:443",):
        with pytest.raises(BadTemplate, match=r"add https://img\.example:8443 to ALLOWED_IMAGES, or to .*\[images\]"):
            policy.check(ImageAddress.parse(other))


def test_a_link_leads_to_any_port_of_a_listed_host_and_to_one_that_is_listed_with_it() -> None:
    assert may_open("https://a.example:8443/[[var:x]]", {"x": "1"})
    usual = LinkPolicy(allowed=("https://a.example:443",))
    for link, leads in (
        ("https://a.example/", True),
        ("https://a.example:443", True),
        ("https://a.example:8443", False),
    ):
        assert may_open("[[var:link]]", {"link": link}, usual) is leads
