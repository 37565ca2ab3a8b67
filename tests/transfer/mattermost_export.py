"""A Mattermost bulk export as its server writes it."""

from typing import Any

Json = dict[str, Any]
MAY = 1714550400000


def post(user: str, message: str, at: int, **more: Any) -> Json:
    """Return the common fields of posts and replies; `at`: minutes after the start."""
    return {"user": user, "message": message, "create_at": MAY + at * 60_000, **more}


def user(name: str, *channels: str, **more: Any) -> Json:
    """Return a user in these channels of the team."""
    memberships = [
        {"name": one, "roles": "channel_user channel_admin" if name == "ana" else "channel_user"} for one in channels
    ]
    return {
        "username": name,
        "email": f"{name}@example.org",
        "teams": [{"name": "farm", "channels": memberships}],
        **more,
    }


def mattermost_lines() -> list[Json]:
    """Return a team, two channels, three users, a thread with reactions, a direct conversation, a group."""
    channel = {"team": "farm", "name": "garden", "display_name": "The Garden", "type": "O", "header": "what grows"}
    place = {"team": "farm", "channel": "garden"}
    return [
        {"type": "version", "version": 1},
        {"type": "team", "team": {"name": "farm", "display_name": "Farm", "type": "O"}},
        {"type": "channel", "channel": channel},
        {"type": "channel", "channel": channel | {"name": "secret", "display_name": "Secret", "type": "P"}},
        {"type": "user", "user": user("ana", "garden", "secret", nickname="Ana D.")},
        {"type": "user", "user": user("ben", "garden", first_name="Ben", last_name="Okafor", position="gardener")},
        {"type": "user", "user": user("very.long.name.of.someone.who.has.one", "garden")},
        {"type": "post", "post": place | first_post()},
        {"type": "post", "post": place | post("ben", "edited", 6, edit_at=MAY + 7 * 60_000)},
        {"type": "post", "post": place | post("ben", "", 8, attachments=[{"path": "data/1/plan.pdf"}])},
        {"type": "post", "post": place | post("ana", "ana joined the channel.", 0, type="system_join_channel")},
        {"type": "direct_channel", "direct_channel": {"members": ["ana", "ben"]}},
        {"type": "direct_post", "direct_post": {"channel_members": ["ben", "ana"]} | post("ben", "only you", 9)},
        {"type": "direct_post", "direct_post": {"channel_members": GROUP} | post("ben", "we three", 10)},
        {"type": "emoji", "emoji": {"name": "custom", "image": "custom.png"}},
    ]


def first_post() -> Json:
    """Return a post with a thread whose replies are out of order."""
    replies = [
        post("ben", "second reply", 4),
        post("very.long.name.of.someone.who.has.one", "first *reply*", 3, reactions=[reaction("ana", "tada", 5)]),
    ]
    first = post("ana", "hi @ben and @very.long.name.of.someone.who.has.one, `:tada:` :tada:", 1, replies=replies)
    return first | {"reactions": [reaction("ben", "+1", 2), reaction("ben", "custom", 2)], "is_pinned": True}


GROUP = ["ana", "ben", "very.long.name.of.someone.who.has.one"]


def reaction(who: str, name: str, at: int) -> Json:
    """Return a user's reaction."""
    return {"user": who, "emoji_name": name, "create_at": MAY + at * 60_000}
