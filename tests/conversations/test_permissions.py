"""The permissions to change a conversation, and to add and remove its members. No database is needed."""

from dataclasses import replace

import pytest

from chat.conversations.drafts import ConversationPatch
from chat.conversations.permissions import (
    Access,
    authorize_addition,
    authorize_change,
    authorize_patch,
    authorize_removal,
    authorize_role_change,
    authorize_setting,
)
from chat.model.conversation import Conversation
from chat.model.errors import Archived, Blocked, Direct, NotMember
from chat.shared.errors import ApiError, Forbidden, NotFound


def access(role: str | None, subject: str | None = None, **fields: object) -> Access:
    """Return the access of an actor with this role to a private channel with these fields."""
    conversation = Conversation(1, "channel", "kitchen", "", private=True, archived=False, last_seq=0)
    return Access(replace(conversation, **fields), role, subject)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("role", "fields", "error"),
    [
        ("owner", {}, None),
        ("admin", {}, None),
        ("member", {}, Forbidden),
        (None, {}, NotFound),
        (None, {"private": False}, NotMember),
        ("member", {"kind": "direct"}, Direct),
    ],
)
def test_owners_and_admins_change_settings(
    role: str | None, fields: dict[str, object], error: type[ApiError] | None
) -> None:
    """Members may not; others learn nothing of a private channel; direct messages have no settings."""
    for check in (authorize_change, authorize_setting, lambda one: authorize_patch(one, ConversationPatch(topic="x"))):
        if error is None:
            check(access(role, **fields))
            continue
        with pytest.raises(error):
            check(access(role, **fields))


def test_all_members_are_set_in_an_open_conversation_only() -> None:
    """Not in one that is archived, nor in one that is blocked."""
    for fields, error in (({"archived": True}, Archived), ({"blocked": True}, Blocked)):
        with pytest.raises(error):
            authorize_setting(access("owner", **fields))


def test_only_an_owner_makes_a_channel_public_or_private() -> None:
    """An admin may send the value that it has already. A group is always private."""
    opened = ConversationPatch(private=False)
    authorize_patch(access("owner"), opened)
    authorize_patch(access("admin"), ConversationPatch(private=True))
    with pytest.raises(Forbidden, match="Only an owner can make a channel public or private"):
        authorize_patch(access("admin"), opened)
    with pytest.raises(Forbidden, match="A group is always private"):
        authorize_patch(access("owner", kind="group"), opened)


def test_an_archived_conversation_is_only_restored() -> None:
    """Any other change waits until it is."""
    authorize_patch(access("owner", archived=True), ConversationPatch(archived=False))
    with pytest.raises(Archived):
        authorize_patch(access("owner", archived=True), ConversationPatch(topic="soup"))


def test_nobody_removes_or_makes_someone_above_them() -> None:
    """An admin removes members and admins; members only leave."""
    authorize_removal(access("admin", "member"))
    authorize_removal(access("admin", "admin"))
    for role, subject in (("admin", "owner"), ("member", "member")):
        with pytest.raises(Forbidden):
            authorize_removal(access(role, subject))
    with pytest.raises(Forbidden):
        authorize_addition(access("admin"), "owner")
    assert authorize_addition(access("member"), "member") == "member"
    with pytest.raises(NotMember):
        authorize_addition(access(None, private=False), "member")


def test_a_private_channel_is_not_found_by_others() -> None:
    """A user who is no member of a private channel is told that it does not exist. Anyone can join a public channel."""
    for is_self in (False, True):
        with pytest.raises(NotFound):
            authorize_role_change(replace(access(None), is_self=is_self), "member")
    assert authorize_role_change(replace(access(None, private=False), is_self=True), "member") == "member"
    with pytest.raises(NotMember):
        authorize_role_change(access(None, private=False), "member")
