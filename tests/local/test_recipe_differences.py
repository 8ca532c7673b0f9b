"""A recipe in a file, compared with the stored one."""

from local.runtime.recipe_differences import cleared, differences, saved_form
from tests.factories import recipe


def test_what_people_set_in_the_running_system_stays_where_the_file_lacks_it() -> None:
    file = saved_form(recipe())
    stored = {
        **file,
        "owner": "ana@kicks.example",
        "schedule": {**file["schedule"], "skip": ["2026-03-09T18:30:00Z"]},
    }
    assert differences(stored, file) == []
    assert cleared(stored, file) == stored
    own = {**file, "owner": "ben@kicks.example"}
    assert [each.field for each in differences(stored, own)] == ["owner"]
    assert cleared(stored, own)["owner"] == "ben@kicks.example"
