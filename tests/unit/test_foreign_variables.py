"""Variables of other products are found, and ordinary push texts pass."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.push.foreign_variables import foreign_variables, way_to_write
from functions.domain.push.links import Link
from functions.domain.push.template import Template

FOREIGN = (
    *("{{firstName}}", "{{ x }}", "{{{x}}}", "{{${first_name}}}", "{{ ${first_name} | default: 'you' }}", "{{}}"),
    *("{{user['first name']}}", "{{custom_attribute.${city}}}", "{% if x %}", "{%- endif %}", "*|FNAME|*"),
    *("*|FNAME:Friend|*", "[var:x]", "[VAR:first name]", "${x}", "#{name}", "@{name}", "{$name}", "{!Contact.Name}"),
    *("{x}", "{first_name|there}", "{name, fallback=you}", "<<x>>", "<%= x %>", "%x%", "%%x%%", "%recipient.x%"),
    *("%(name)s", "%1$s", "{first name}", "{first-name}", "%FIRST NAME%", "{prénom}", "%prénom%", "{0}", "{{{{"),
    *("{ name }", "{{name}", "{{first name}", "%date%", "%account%", "##name##", "##FIRST NAME##"),
    *("[first_name]", "[FIRST_NAME]", "{restocked today}"),
    *("[FIRST NAME]", "[FNAME]", "[Your Name]", "[name]", "\uff5b\uff5bname\uff5d\uff5d", "\uff5b{name\uff5d}"),
    *("\uff3b\uff3bvar:username\uff3d\uff3d", "\uff3bvar:x\uff3d", "\uff3b\uff3bvar\uff1ax\uff3d\uff3d"),
)
REAL_TEXTS = (
    "50% off everything until Sunday",
    "Save 20% on shoes, 30% on bags, 50% on coats",
    "20%-30% off, up to -70%!",
    "100%cotton, 100%you",
    "5%bis10% Rabatt auf alles",
    "{50% off} today only",
    "\U0001f389 {up to 50% off} \U0001f389",
    "Only $9.99 ($12 before) \U0001f525",
    "A$AP drops at 18:00 // be there",
    "$AAPL is up 3%",
    "#sneakerhead? #drop #1 is live",
    "You + me = <3",
    ":-{ We miss you :-}",
    "50 % de réduction | -20 % avec le code ÉTÉ",
    "<- swipe -> now >> go >>",
    "** NEW ** Air Max 90 *limited*",
    "|| LAST CHANCE ||",
    "[NEW] Size 42 is back [2 left]",
    "[Flash Sale] 24h only",
    "Buy 1 / get 1 (50%)",
    "«Bonjour» à tous",
    "(◕‿◕)*:・゚✧ it's here",
    "Le 1er à -50%, le 2e à -30%",
    "%-tastic deals",
    "Win 100% of your stake back*",
    "Mail us: help@kicks.example & win",
    "Code {SAVE 20}: 20% off",
    "{ } and {} say nothing",
    "[new] Air Max, [LAST CHANCE], [SALE]: [re]named [yesterday]",
    "50% off and 20% more, 10 % off and 5 % more",
    "#1 #2 ## Sale ## ### drop ###",
    "\uff3bNEW\uff3d \uff5bToday\uff5d \u6700\u592750\uff05\u30aa\u30d5 \uff0320\uff05",
    "70%\u00a0Rabatt. Nur heute.",
    "全品50%オフ",
)
FINE_LINKS = (
    "https://a.example/%C3%BC/Air%20Max%20?utm=a%20b%",
    "https://a.example/shoes/90?size=42&c=100%25%20cotton%25",
    "myapp://shoes/%7Bid%7D",
)


MORE_BRACKETS = [each * 30_000 for each in ("{a ", "%a ", "##a", "[a_", "[a", "a_", "{{a ", "://%aa")]


@pytest.mark.parametrize("written", FOREIGN)
def test_a_variable_of_another_product_is_found_wherever_it_stands(written: str) -> None:
    for text in (written, f"Hi {written}, welcome", f"Save 50% today, {written}!", f"[[var:name]] {written}"):
        assert foreign_variables(Template.parse(text)) == [written]
    assert foreign_variables(Template.parse("Hi [[var:name|%name%]]")) == ["%name%"]


@pytest.mark.parametrize("text", [*REAL_TEXTS, *FINE_LINKS])
def test_an_ordinary_text_passes(text: str) -> None:
    assert foreign_variables(Template.parse(text)) == []


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("{{first_name}}", "firstName"),
        ("{{ customer.firstName | default: 'you' }}", "firstName"),
        ("{{${first_name}}}", "firstName"),
        ("[var:shoe]", "shoe"),
        ("*|SHOE|*", "shoe"),
        ("%recipient.shoe%", "shoe"),
        ("{$shoe}", "shoe"),
        ("{first name}", "firstName"),
        ("%FIRST NAME%", "firstName"),
        ("[FIRST_NAME]", "firstName"),
        ("\uff5b\uff5b\uff53\uff48\uff4f\uff45\uff5d\uff5d", "shoe"),
    ],
)
def test_the_way_out_names_the_column_of_the_audience(written: str, column: str) -> None:
    told = way_to_write(written, ["user_id", "firstName", "shoe"])
    assert f"looks like a variable of another product; write [[var:{column}]], or" in told


def test_a_column_of_the_audience_in_single_brackets_is_a_variable() -> None:
    text = Template.parse("[Shoe] is here, [new] in [size 42]")
    assert foreign_variables(text, ["user_id", "shoe"]) == ["[Shoe]"]
    assert foreign_variables(text, ["user_id"]) == []


def test_a_letter_written_in_two_characters_is_a_letter_of_a_name() -> None:
    assert foreign_variables(Template.parse("Salut {pre\u0301nom}")) == ["{pr\u00e9nom}"]


def test_percent_signs_of_a_link_are_none_of_a_variable() -> None:
    assert foreign_variables(Link.parse("https://a.example/[[var:x]]/%DEal%DE?q=%ABc%AB")) == []


def test_where_no_column_fits_the_columns_are_listed() -> None:
    assert "with a column of the audience, or set literalText" in way_to_write("*|FNAME|*", [])
    told = way_to_write("*|FNAME|*", ["user_id", "shoe", "First Name"])
    assert "write [[var:column]] with a column of the audience: user_id, shoe, or" in told


@given(st.sampled_from(FOREIGN), st.lists(st.sampled_from(["user_id", "firstName", "First Name", "x", "name"])))
def test_what_is_suggested_is_accepted(written: str, columns: list[str]) -> None:
    found = re.search(r"write (\[\[var:\w+\]\]), or", way_to_write(written, columns))
    if found:
        Template.parse(found[1]).require(columns, "a")


@pytest.mark.long
@pytest.mark.slow
def test_a_hundred_thousand_brackets_are_looked_through_at_once() -> None:
    for text in (
        "{{" * 50_000,
        "%a" * 50_000,
        "*|" * 50_000,
        "<%" * 50_000,
        "{a|" * 50_000,
        "%a." * 30_000,
        *MORE_BRACKETS,
    ):
        for opening in ("", "[", "{", "%", "##"):
            if "[[" not in opening + text:
                foreign_variables(Template.parse(opening + text))
