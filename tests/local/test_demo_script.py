"""The script of the demo is consistent."""

from datetime import UTC, datetime

import pytest

from chat.local.demo import DRAWN, SCRIPT, USERS, Beginning, ScriptLine, ScriptScene, read_beginning, read_scenes

SUNDAY = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
WEDNESDAY = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)


def test_headings_times_and_lines() -> None:
    """A heading starts a conversation, a time starts a talk; indented lines continue the message above."""
    text = (
        "# for us\n== channel tea > Hot: ana, ben\n-- 2 days ago, 09:05\nana: One?\n    Or: two?\n        indented\n"
        "ben: No\n\n== private x: ben\n== direct: ben, ana\n-- 5 minutes ago\nben: Two: please\n"
    )
    before = Beginning(2, 9, 5, 0)
    tea = [ScriptLine("ana", "One?\nOr: two?\n    indented", before, 0), ScriptLine("ben", "No", before, 53)]
    assert read_scenes(text) == [
        ScriptScene("channel", False, "tea", "Hot", ["ana", "ben"], tea),
        ScriptScene("channel", True, "x", "", ["ben"]),
        ScriptScene(
            "direct", False, None, "", ["ben", "ana"], [ScriptLine("ben", "Two: please", Beginning(0, 0, 0, 5), 0)]
        ),
    ]


def test_lines_carry_files() -> None:
    """Names of files stand before the text."""
    scenes = read_scenes("== direct: ana\n-- 5 minutes ago\nana: {a.png}{b-2.csv} Look {here}\nana: plain\n")
    assert [(line.text, line.files) for line in scenes[0].lines] == [
        ("Look {here}", ("a.png", "b-2.csv")),
        ("plain", ()),
    ]


def test_days_ago_are_working_days() -> None:
    """On a Sunday the day before is Friday; on a Wednesday three days ago is Friday too."""
    assert Beginning(1, 9, 5, 0).moment(SUNDAY) == datetime(2026, 11, 20, 9, 5, 7, tzinfo=UTC)
    assert Beginning(3, 17, 0, 0).moment(WEDNESDAY) == datetime(2026, 11, 20, 17, 0, 7, tzinfo=UTC)
    assert Beginning(0, 0, 0, 15).moment(WEDNESDAY) == datetime(2026, 11, 25, 14, 45, tzinfo=UTC)


def test_an_invalid_time_in_the_script_is_refused() -> None:
    """An invalid time is found here, and not in a demo."""
    with pytest.raises(ValueError, match="yesterday"):
        read_beginning("yesterday")


def test_every_author_is_a_member() -> None:
    """Every author is a member of the conversation."""
    scenes = read_scenes(SCRIPT.read_text("utf-8"))
    for scene in scenes:
        assert set(scene.members) <= set(USERS)
        assert {line.author for line in scene.lines} <= set(scene.members)
        assert all(line.text for line in scene.lines)
        assert {name for line in scene.lines for name in line.files} <= set(DRAWN)
    assert sum(len(scene.lines) for scene in scenes) > 300


@pytest.mark.parametrize("now", [SUNDAY, WEDNESDAY])
def test_times_rise(now: datetime) -> None:
    """In each conversation times rise from line to line, and none is in the future."""
    for scene in read_scenes(SCRIPT.read_text("utf-8")):
        moments = [line.moment(now) for line in scene.lines]
        assert moments == sorted(moments)
        assert all(moment < now for moment in moments)
