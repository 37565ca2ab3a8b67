"""The script of the demo holds together."""

from chat.demo.fill import TALK
from chat.demo.script import PEOPLE, Scene, read_scenes


def test_headings_and_lines() -> None:
    """A heading begins a conversation, the first of its people begins it; bars break lines."""
    text = "# for us\n== channel tea > Hot: ana, ben\nana: One?|Or two?\n\n== direct: ben, ana\nben: Two: please"
    assert read_scenes(text) == [
        Scene("channel", "tea", "Hot", ["ana", "ben"], [("ana", "One?\nOr two?")]),
        Scene("direct", None, "", ["ben", "ana"], [("ben", "Two: please")]),
    ]


def test_everybody_speaks_where_they_are() -> None:
    """Nobody talks in a conversation without being in it, and nobody is a stranger."""
    for scene in read_scenes(TALK.read_text()):
        assert set(scene.people) <= set(PEOPLE)
        assert {who for who, _ in scene.lines} <= set(scene.people)
        assert all(what for _, what in scene.lines)
