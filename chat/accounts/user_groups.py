"""User groups: named sets of users, such as `@design`, that messages mention like a user.

Admins make and change groups, everyone reads them. A group never has the name of a user, or a name that looks like it,
and no user gets the name of a group: the trigger of `users` and `require_free` take turns under one lock.

A mention reaches those members of the group who are members of the conversation: `chat/messages/mentions.py`.
"""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import orjson
from aiohttp import web
from pydantic import AfterValidator, Field

from chat.accounts.models import Form
from chat.accounts.validation import GroupName
from chat.log.append import LOG, Change, Log
from chat.log.entry import Unplaced
from chat.model.types import UserId, check_distinct
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Invalid, NotFound
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load
from chat.shared.web import POOL, actor_of, answer_json, check_admin, path_id, read_model, require_identity

queries = load(__file__)
GROUPS_MOST = 200
MEMBERS_MOST = 1_000


class GroupNameTaken(ApiError):
    """A user or a group has this name, or one that looks like it. Choose another one."""

    status, code = 409, "name_taken"


class TooManyGroups(ApiError):
    """There are too many groups. Delete one first."""

    status, code = 409, "too_many_groups"


Users = Annotated[list[UserId], Field(max_length=MEMBERS_MOST), AfterValidator(check_distinct)]


class NewGroup(Form):
    """A group to make: its name, which messages mention, and the ids of its members."""

    name: GroupName
    users: Users = Field(default_factory=list)


class GroupRename(Form):
    """The new name of a group."""

    name: GroupName


class GroupMembers(Form):
    """The ids of all members that a group shall have."""

    users: Users


class UserGroup(NamedTuple):
    """A group with the number of its members. `mine`: the reader is one of them."""

    id: int
    name: str
    size: int
    mine: bool


async def create_group(log: Log, actor: Actor, form: NewGroup) -> dict[str, Any]:
    """Make a group. Raise `GroupNameTaken`, `TooManyGroups`, or `Invalid` for users that do not exist."""
    async with log.change() as change:
        await require_free(change, form.name)
        count = await (await change.connection.execute(queries.count_groups)).fetchone()
        if count is None or count[0] >= GROUPS_MOST:
            raise TooManyGroups
        row = await (await change.connection.execute(queries.insert_group, {"name": form.name})).fetchone()
        if row is None:
            raise GroupNameTaken
        await store_members(change, row[0], form.users)
        await record(change.connection, actor, "group.create", group=row[0], name=form.name, members=len(form.users))
        return await publish_group(change, row[0])


async def rename_group(log: Log, actor: Actor, group_id: int, name: str) -> dict[str, Any]:
    """Rename a group. Raise `NotFound` or `GroupNameTaken`."""
    async with log.change() as change:
        await require_free(change, name)
        old = await lock_group(change, group_id)
        renamed = {"group": group_id, "name": name}
        if await (await change.connection.execute(queries.rename_group, renamed)).fetchone() is None:
            raise GroupNameTaken
        if old != name:
            await record(change.connection, actor, "group.rename", group=group_id, name=name, old=old)
        return await publish_group(change, group_id)


async def set_members(log: Log, actor: Actor, group_id: int, users: Sequence[int]) -> dict[str, Any]:
    """Give a group exactly these members. Raise `NotFound`, or `Invalid` for users that do not exist."""
    async with log.change() as change:
        name = await lock_group(change, group_id)
        await store_members(change, group_id, users)
        await record(change.connection, actor, "group.members", group=group_id, name=name, members=len(users))
        return await publish_group(change, group_id)


async def delete_group(log: Log, actor: Actor, group_id: int) -> None:
    """Delete a group. Messages that mentioned it stay as they are. Raise `NotFound`."""
    async with log.change() as change:
        name = await lock_group(change, group_id)
        await change.connection.execute(queries.delete_group, [group_id])
        await record(change.connection, actor, "group.delete", group=group_id, name=name)
        await change.record(changed_group(group_id, None))


async def require_free(change: Change, name: str) -> None:
    """Raise `GroupNameTaken` if a user has this name, or one that looks like it. No user gets it meanwhile."""
    await change.connection.execute(queries.lock_names)
    if await (await change.connection.execute(queries.find_user_alike, [name])).fetchone():
        raise GroupNameTaken


async def lock_group(change: Change, group_id: int) -> str:
    """Lock a group and return its name; raise `NotFound`."""
    row = await (await change.connection.execute(queries.lock_group, [group_id])).fetchone()
    if row is None:
        raise NotFound
    return str(row[0])


async def store_members(change: Change, group_id: int, users: Sequence[int]) -> None:
    """Store the members of a locked group. Members whose accounts are disabled can stay, others cannot be added."""
    run, wanted = change.connection.execute, {"group": group_id, "users": list(users)}
    rows = await (await run(queries.list_known, [wanted["users"]])).fetchall()
    members = await list_members(change.connection, group_id)
    if set(users) - {row[0] for row in rows} - set(members):
        raise Invalid(errors=[{"field": "users", "detail": "must be users who can log in"}])
    await run(queries.remove_members, wanted)
    await run(queries.add_members, wanted)


async def publish_group(change: Change, group_id: int) -> dict[str, Any]:
    """Tell every client what the group is now; return it with its members."""
    group = await describe_group(change.connection, group_id)
    await change.record(changed_group(group_id, group))
    return group


def changed_group(group_id: int, group: dict[str, Any] | None) -> Unplaced:
    """Build the entry that tells every client a group with its members, or that it was deleted."""
    return Unplaced("usergroup", data=orjson.dumps({"id": group_id, "group": group}))


async def describe_group(connection: Connection, group_id: int) -> dict[str, Any]:
    """Return a group with its members; raise `NotFound`."""
    row = await (await connection.execute(queries.read_group, [group_id])).fetchone()
    if row is None:
        raise NotFound
    members = await list_members(connection, group_id)
    return {"id": group_id, "name": row[0], "size": len(members), "members": members}


async def list_members(connection: Connection, group_id: int) -> list[int]:
    """Return the ids of a group's members."""
    return [row[0] for row in await (await connection.execute(queries.list_members, [group_id])).fetchall()]


async def list_groups(pool: Pool, user_id: int) -> list[UserGroup]:
    """Return all groups by name, as this user sees them."""
    async with pool.connection() as connection:
        rows = await connection.execute(queries.list_groups, {"user": user_id, "most": GROUPS_MOST})
        return [UserGroup(*row) for row in await rows.fetchall()]


# The handlers.


async def get_user_groups(request: web.Request) -> web.Response:
    """List the user groups by name, each with the number of its members, and whether the caller is one of them."""
    member = await require_identity(request)
    groups = await list_groups(request.app[POOL], member.user_id)
    return answer_json({"groups": [group._asdict() for group in groups]})


async def get_user_group(request: web.Request) -> web.Response:
    """Return a user group with the ids of its members."""
    await require_identity(request)
    async with request.app[POOL].connection() as connection:
        return answer_json({"group": await describe_group(connection, path_id(request, "group"))})


async def post_user_group(request: web.Request) -> web.Response:
    """Make a user group. Admins only. Its name is one that no user has."""
    member = check_admin(await require_identity(request))
    form = await read_model(request, NewGroup)
    return answer_json({"group": await create_group(request.app[LOG], actor_of(request, member), form)}, 201)


async def patch_user_group(request: web.Request) -> web.Response:
    """Rename a user group. Admins only."""
    member = check_admin(await require_identity(request))
    form, group_id = await read_model(request, GroupRename), path_id(request, "group")
    return answer_json({"group": await rename_group(request.app[LOG], actor_of(request, member), group_id, form.name)})


async def put_user_group_members(request: web.Request) -> web.Response:
    """Replace the members of a user group. Admins only."""
    member = check_admin(await require_identity(request))
    form, group_id = await read_model(request, GroupMembers), path_id(request, "group")
    return answer_json({"group": await set_members(request.app[LOG], actor_of(request, member), group_id, form.users)})


async def delete_user_group(request: web.Request) -> web.Response:
    """Delete a user group. Admins only. Messages that mentioned it stay as they are."""
    member = check_admin(await require_identity(request))
    await delete_group(request.app[LOG], actor_of(request, member), path_id(request, "group"))
    return web.Response(status=204)
