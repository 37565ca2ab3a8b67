"""Mentions: which users are mentioned, and which only seem to be."""

from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.presence.presence_client import open_presence
from tests.verbs import begins, counts, pages, sees, tries


async def test_a_name_mentions_its_member(ana: Person, ben: Person, chloe: Person) -> None:
    """The name counts in any case; users who are not mentioned have one unread message and no mention."""
    room = await begins(ana, "channel", "room", ben, chloe)
    reader = await chloe.listens()
    said = await ana.says(room, "what do you think, @BEN?")
    assert said["mentions"] == [ben.id]
    assert await counts(ben, room) == (1, 1)
    assert await counts(chloe, room) == (1, 0)
    assert await counts(ana, room) == (0, 0)
    await reader.hears("what do you think, @BEN?")
    assert reader.messages() == [said]
    assert (await pages(ben, room))["messages"] == [said]
    assert (await sees(ben))["conversations"][0]["last_message"] == said


async def test_no_one_else_is_mentioned(ana: Person, ben: Person, mallory: Person) -> None:
    """Strangers, the author, unknown names and quoted ones are not mentioned."""
    room = await begins(ana, "channel", "room", ben)
    said = await ana.says(room, "@mallory @ana @nobody `@ben` ben@example.org\n```\n@ben\n```")
    assert "mentions" not in said
    assert "mentions_all" not in said
    assert await counts(ben, room) == (1, 0)
    assert (await tries(mallory, "GET", f"/api/chat/conversations/{room}"))[0] == 200


async def test_an_old_name_with_a_full_stop_takes_no_mention_of_another(cast: Cast, ana: Person) -> None:
    """`@bo.` at the end of a sentence is bo, though an old account is named `bo.`; such an account is mentioned only by
    exactly its name, and only if no member has the name without its end."""
    dotted, plain, other = await cast.enters("bo.", "bo", "al.")
    room = await begins(ana, "channel", "room", dotted, plain, other)
    for body in ("please ask @bo.", "@bo...", "@bo, hello", "_@bo_", "@bo.\nhello", "(@bo.)"):
        assert (await ana.says(room, body))["mentions"] == [plain.id]
    assert (await ana.says(room, "@al. @bo-"))["mentions"] == [other.id, plain.id]
    assert "mentions" not in await ana.says(room, "@al @al..")
    assert await counts(dotted, room) == (8, 0)


async def test_quoted_and_escaped_names_mention_no_one(ana: Person, ben: Person, chloe: Person) -> None:
    """A name in a quote was called by its author before; the answer below the quote counts. So says a backslash."""
    room = await begins(ana, "channel", "room", ben, chloe)
    assert "mentions" not in await ana.says(room, "> @ben wrote this\n> and @channel\n\\@ben")
    assert (await ana.says(room, "> ask @ben\n@chloe does it"))["mentions"] == [chloe.id]
    assert [await counts(who, room) for who in (ben, chloe)] == [(2, 0), (2, 1)]


async def test_channel_mentions_everyone(ana: Person, ben: Person, chloe: Person) -> None:
    """`@channel` counts once for each member, also if mentioned by name, and never for the author."""
    room = await begins(ana, "channel", "room", ben, chloe)
    said = await ana.says(room, "@channel and @ben: lunch")
    assert (said["mentions"], said["mentions_all"]) == ([ben.id], "channel")
    assert [await counts(who, room) for who in (ana, ben, chloe)] == [(0, 0), (1, 1), (1, 1)]


async def test_here_mentions_online_members(ana: Person, ben: Person, chloe: Person) -> None:
    """Ben has an open socket; chloe has none, and is not mentioned."""
    room = await begins(ana, "channel", "room", ben, chloe)
    async with open_presence(ben) as watcher:
        await watcher.watches(ben)
        await watcher.sees(ben, "online")
        said = await ana.says(room, "@here coffee?")
        batch = [{"conversation": room, "body": "@here cake?", "client_id": "b"}]
        _, results = await ana.call("POST", "/api/chat/messages", {"messages": batch})
    assert said["mentions"] == results["results"][0]["message"]["mentions"] == [ben.id]
    assert "mentions_all" not in said
    assert [await counts(who, room) for who in (ana, ben, chloe)] == [(0, 0), (2, 2), (2, 0)]


async def test_in_a_large_conversation_here_is_everyone(
    database_url: str, redis_url: str, ana: Person, ben: Person, node: Node
) -> None:
    """With more members than HERE_MOST, `@here` mentions everyone."""
    room = await begins(ana, "channel", "room", ben)
    async with running_node(database_url, redis_url, node="b2", here_most=1) as other:
        ana.at = other.url
        assert (await ana.says(room, "@here"))["mentions_all"] == "here"
        ana.at = node.url
    assert await counts(ben, room) == (1, 1)


async def test_here_in_an_import_mentions_no_one(cast: Cast, ben: Person) -> None:
    """An import with `@here` mentions no one, because presence at that time is unknown; names still count."""
    (admin,) = await cast.enters("admin", role="admin")
    room = await begins(admin, "channel", "room", ben)
    old = {"conversation": room, "created_at": "2020-01-01T00:00:00Z"}
    messages = [old | {"body": body, "client_id": body[1:]} for body in ("@here", "@ben")]
    _, said = await admin.call("POST", "/api/chat/messages", {"messages": messages})
    assert [one["message"].get("mentions") for one in said["results"]] == [None, [ben.id]]
    assert await counts(ben, room) == (2, 1)
