"""The checker of streamed messages can fail: a good history passes, and each fault in one is found under its name."""

from dataclasses import dataclass, replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chat.tools.chaos.authors import PIECES
from chat.tools.chaos.checker import ENDLESS, INVENTED, TORN, check
from chat.tools.chaos.history import PostedMessage, PostReceipt, ReceivedText, RunHistory, TextChange, WrittenText

PLACE = (1, 1)
few = settings(max_examples=40)
LATE, COMPACTED = "late", "compacted"


@dataclass(frozen=True)
class Story:
    """One streamed message: what its author wrote, and the entries that each reader got."""

    written: WrittenText
    entries: dict[str, list[TextChange]]

    def history(self) -> RunHistory:
        """Return the history of this story."""
        history, message = RunHistory(), PostedMessage(*PLACE, 7, "a", "")
        history.send(message.key, "")
        history.acknowledge(message.key, message, made=True)
        history.written[PLACE] = self.written
        for reader, entries in self.entries.items():
            history.stay(reader, PLACE[0])
            history.receive(reader, PostReceipt(1, message))
            for entry in entries:
                history.change(reader, entry)
        return history

    def found(self) -> set[str]:
        """Return the kinds of all findings."""
        return {finding.kind for finding in check(self.history())}

    def with_entries(self, entries: list[TextChange]) -> "Story":
        """Return the story in which Ben got these entries instead."""
        return replace(self, entries=self.entries | {"ben": entries})


@st.composite
def stories(draw: st.DrawFn, ended: bool = True) -> Story:
    """Return a message that Ben reads as it grows, another reader with repeats, and a third after its end."""
    pieces = draw(st.lists(st.sampled_from(PIECES), min_size=2, max_size=12))
    text, growing, overlapping = "", list[TextChange](), list[TextChange]()
    for n, piece in enumerate(pieces, 2):
        back = draw(st.integers(0, len(text)))
        growing.append(TextChange(n * 3, *PLACE, len(text), piece))
        overlapping.append(TextChange(n * 3, *PLACE, len(text) - back, text[len(text) - back :] + piece))
        text += piece
    state = draw(st.sampled_from(["complete", "cancelled", "failed"]))
    acknowledged = draw(st.sampled_from([len(text), len(text) - len(pieces[-1])])) if state == "failed" else len(text)
    written = WrittenText(text, acknowledged, "" if state == "failed" else state, 1.0 if state == "failed" else 0.0)
    end = TextChange(1000, *PLACE, state=state, length=len(text))
    whole = TextChange(900, *PLACE, 0, text)
    known = draw(st.integers(0, len(growing)))
    entries = {"ben": growing, LATE: overlapping, COMPACTED: [*growing[:known], whole], "chloe": [whole]}
    return Story(written, {name: [*some, end] if ended else some for name, some in entries.items()})


@few
@given(stories())
def test_a_good_story_has_no_findings(story: Story) -> None:
    """Overlaps, and the whole text instead of its pieces, change nothing for a reader."""
    history = story.history()
    assert check(history) == []
    assert {history.texts[reader][PLACE].text for reader in story.entries} == {story.written.text}


@few
@given(stories(), st.integers(0, 20))
def test_a_missing_piece_is_found(story: Story, chance: int) -> None:
    """In the middle the next one does not fit; at the end the length of the text is wrong."""
    entries = list(story.entries["ben"])
    del entries[chance % (len(entries) - 1)]
    assert TORN in story.with_entries(entries).found()


@few
@given(stories(), st.integers(0, 20))
def test_a_piece_that_was_stored_twice_is_found(story: Story, chance: int) -> None:
    """The server has doubled it: what follows is at offsets that fit, and the text is not the author's."""
    entries = list(story.entries["ben"])
    n = chance % (len(entries) - 1)
    double = len(entries[n].text)
    assume(entries[n].text * 2 != entries[n].text + story.written.text[entries[n].at + double :][:double])
    later = [replace(one, at=one.at + double) for one in entries[n + 1 : -1]]
    again = replace(entries[n], position=entries[n].position + 1, at=entries[n].at + double)
    end = replace(entries[-1], length=entries[-1].length + double)
    assert TORN in story.with_entries([*entries[: n + 1], again, *later, end]).found()


@few
@given(stories())
def test_text_that_is_lost_at_the_end_is_found(story: Story) -> None:
    """The server forgot the last piece, and says so consistently to a reader: its author was told otherwise."""
    entries, lost = story.entries["ben"], len(story.entries["ben"][-2].text)
    assume(story.written.acknowledged == len(story.written.text))
    shorter = [*entries[:-2], replace(entries[-1], length=entries[-1].length - lost)]
    assert TORN in story.with_entries(shorter).found()


@few
@given(stories(), st.integers(0, 20))
def test_repeated_and_swapped_entries_are_found(story: Story, chance: int) -> None:
    """Each entry comes once and in order, though a repeat would change no text."""
    entries = list(story.entries["ben"])
    n = chance % (len(entries) - 1)
    assert TORN in story.with_entries([*entries[: n + 1], *entries[n:]]).found()
    entries[n], entries[n + 1] = entries[n + 1], entries[n]
    assert TORN in story.with_entries(entries).found()


@few
@given(stories())
def test_another_character_is_found(story: Story) -> None:
    """One character is another one, or another end than the author's is announced."""
    *entries, last, end = story.entries["ben"]
    other = replace(last, text=last.text[:-1] + "#")
    assert TORN in story.with_entries([*entries, other, end]).found()
    ended_otherwise = story.with_entries([*entries, last, replace(end, state="broken")])
    assert (TORN in ended_otherwise.found()) == bool(story.written.state)


@few
@given(stories(ended=False))
def test_a_message_that_never_ends_is_found(story: Story) -> None:
    """The author may have ended it, or died."""
    assert story.found() == {ENDLESS}


@few
@given(stories())
def test_text_that_nobody_wrote_is_found(story: Story) -> None:
    """An append to a message that was not streamed."""
    history = story.history()
    history.change("ben", TextChange(2000, 1, 2, 0, "hello"))
    assert INVENTED in {finding.kind for finding in check(history)}


@few
@given(stories())
def test_the_stored_text_is_the_one_that_readers_have(story: Story) -> None:
    """The database is read at the end, like one more reader."""
    history = story.history()
    history.texts["the database"][PLACE] = ReceivedText(story.written.text)
    assert check(history) == []
    history.texts["the database"][PLACE] = ReceivedText(story.written.text[:-1])
    assert TORN in {finding.kind for finding in check(history)}
