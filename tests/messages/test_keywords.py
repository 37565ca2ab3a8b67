"""Keywords: words of a user's choice notify like a mention, and only that user knows."""

import pytest

from chat.accounts.validation import split_words
from tests.cast import Cast, Person
from tests.verbs import CONVERSATIONS, Json, begins, blocks, counts, deletes, edits, marks_read, opens
from tests.waiting import eventually


async def chooses(person: Person, *keywords: str) -> list[str]:
    """Set the user's keywords; return them as stored."""
    status, me = await person.call("PATCH", "/api/users/me", {"keywords": list(keywords)})
    assert status == 200, me
    return list(me.get("keywords", []))


async def sees_mentions(person: Person) -> list[tuple[str, bool]]:
    """Return the texts on the Activity page of mentions, with whether they are unread."""
    _, page = await person.call("GET", "/api/chat/activity?kind=mentions")
    return [(item["message"]["body"], item["unread"]) for item in page["items"]]


async def has_mentions(person: Person, room: int, number: int) -> bool:
    """Return whether the conversation has this number of unread mentions."""
    return (await counts(person, room))[1] == number


async def test_a_keyword_counts_as_a_mention(ana: Person, ben: Person) -> None:
    """In any case, as a whole word, alone or as a phrase; also on the Activity page and on the user's other devices."""
    assert await chooses(ben, "Soup", "on  call", "SOUP", "東京") == ["SOUP", "on call", "東京"]
    room = await begins(ana, "channel", "kitchen", ben)
    phone, hers = await ben.listens(), await ana.listens()
    for text in ("The soup's ready", "soups, on, the call", "Who is ON-CALL?", "今日は東京へ", "on\n\ncall @ben soup"):
        await ana.says(room, text)
    await eventually(lambda: has_mentions(ben, room, 4))
    assert [body for body, _ in await sees_mentions(ben)] == [
        "on\n\ncall @ben soup",
        "今日は東京へ",
        "Who is ON-CALL?",
        "The soup's ready",
    ]
    await ana.says(room, "end")
    await eventually(lambda: "end" in phone.bodies() and "end" in hers.bodies())
    await eventually(lambda: len(phone.named("keyword")) == 3)
    assert [one.json() for one in phone.named("keyword")][-1]["mentions"] == 4
    assert hers.named("keyword") == []
    assert (await opens(ana, room))["mentions"] == 0
    await marks_read(ben, room, 5)
    assert await counts(ben, room) == (1, 0)


async def test_whom_a_keyword_does_not_call(cast: Cast, ana: Person, ben: Person) -> None:
    """Not the author, not users who are no members or joined later, and not across a block."""
    chloe, dora, emil = await cast.enters("chloe", "dora", "emil")
    for one in (ana, ben, chloe, dora, emil):
        await chooses(one, "soup")
    room = await begins(ana, "channel", "kitchen", ben, dora)
    await blocks(dora, ana)
    await ana.says(room, "soup")
    await eventually(lambda: has_mentions(ben, room, 1))
    assert (await emil.call("PUT", f"{CONVERSATIONS}/{room}/members/me", {}))[0] in (200, 201)
    for one, number in ((ana, 0), (dora, 0), (emil, 0)):
        assert await has_mentions(one, room, number), one.name
    assert await sees_mentions(chloe) == []


async def test_deleted_and_edited_messages(ana: Person, ben: Person) -> None:
    """A deletion takes the mention away on all devices; an edit, as with mentions, adds none."""
    await chooses(ben, "soup")
    room = await begins(ana, "channel", "kitchen", ben)
    phone = await ben.listens()
    first, second = [await ana.says(room, text) for text in ("soup", "@ben bread")]
    await eventually(lambda: has_mentions(ben, room, 2))
    await edits(ana, room, second["seq"], "soup")
    assert await has_mentions(ben, room, 1)
    await deletes(ana, room, first["seq"])
    assert await has_mentions(ben, room, 0)
    await eventually(lambda: len(phone.named("keyword")) == 2)
    told: list[Json] = [one.json() for one in phone.named("keyword")]
    assert told[-1] == {"conversation": room, "mentions": 0}
    await chooses(ben)
    await ana.says(room, "soup again")
    await chooses(ben, "bread")
    await ana.says(room, "bread")
    await eventually(lambda: has_mentions(ben, room, 1))


@pytest.mark.parametrize("keywords", [["x" * 41], ["…"], ["\u200b"], ["a"] * 21, [7], "soup"])
async def test_what_is_no_keyword(ben: Person, keywords: object) -> None:
    """At most 20 keywords of 40 characters, each with a letter or a number."""
    assert (await ben.call("PATCH", "/api/users/me", {"keywords": keywords}))[0] == 422


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ana's on-call", ["ana", "s", "on", "call"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("snake_case", ["snake", "case"]),
    ],
)
def test_the_words_of_a_text(text: str, words: list[str]) -> None:
    """Letters and numbers, case-folded."""
    assert split_words(text) == words
