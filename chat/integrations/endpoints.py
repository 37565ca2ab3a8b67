"""Handlers of the hooks of a conversation, incoming and outgoing, of the addresses at which programs post, and of slash
commands."""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from functools import partial

from aiohttp import web

from chat.accounts.endpoints import viewer_of
from chat.integrations.commands import COMMANDS, CommandCall, CommandForm, list_commands, run_command
from chat.integrations.deliveries import HookSender
from chat.integrations.incoming import (
    HookChange,
    HookForm,
    IncomingHook,
    Manager,
    create_hook,
    enable_hook,
    find_hook,
    find_managed_hook,
    list_hooks,
    note_delivery,
    remove_hook,
)
from chat.integrations.outgoing import (
    CommandTaken,
    OutgoingChange,
    OutgoingForm,
    change_outgoing,
    create_outgoing,
    list_deliveries,
    list_every,
    list_outgoing,
    parse_place,
    remove_outgoing,
    require_outgoing,
)
from chat.integrations.payloads import to_drafts
from chat.log.append import LOG
from chat.messages.drafts import MESSAGE_BYTES, Post
from chat.messages.endpoints import HERE, POSTS, REMINDERS, submit_post
from chat.model.types import LARGEST_ID
from chat.shared.errors import ApiError
from chat.shared.membership import require_member
from chat.shared.web import (
    POOL,
    RATES,
    REGISTRY,
    SETTINGS,
    answer_json,
    charge_caller,
    check_address,
    check_admin,
    parse_count,
    path_id,
    public_origin,
    read_body,
    read_model,
    require_identity,
)

# Headers in which senders repeat the same id when they deliver again.
DELIVERY_IDS = ("webhook-id", "Idempotency-Key", "X-GitHub-Delivery", "X-Gitlab-Event-UUID", "Request-ID")
PAYLOAD_BYTES = 512 * 1024
POST_BYTES = 16 * 1024  # of a payload that cost as much as a post, because reading them takes as long
TEST = "This is a test of the hook."
DELIVERIES: web.AppKey[HookSender] = web.AppKey("deliveries")


async def require_manager(request: web.Request) -> tuple[Manager, int]:
    """Return the caller, who may be an admin of the server, and the conversation."""
    member = await require_identity(request)
    return Manager(member.user_id, member.role == "admin"), path_id(request, "conversation")


async def get_every_hook(request: web.Request) -> web.Response:
    """List hooks of every kind. Admins only; with `?conversation=`, also owners and admins of that conversation."""
    member, after = await require_identity(request), parse_place(request.query.get("after", ""))
    place = parse_count(request, "conversation", default=0, most=LARGEST_ID) or None
    if place is None:
        check_admin(member)
    else:
        await Manager(member.user_id, member.role == "admin").require(request.app[POOL], place)
    return answer_json(await list_every(request.app[POOL], place, after))


# Incoming hooks: `…/incoming-hooks`.


async def get_hooks(request: web.Request) -> web.Response:
    """List the incoming hooks of a conversation. Owners and admins only."""
    return answer_json({"hooks": await list_hooks(request.app[POOL], *await require_manager(request))})


async def post_hook(request: web.Request) -> web.Response:
    """Make an incoming hook. Its `url` is shown once: all who have it may post. Owners and admins only."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    form, app = await read_model(request, HookForm), request.app
    hook, secret = await create_hook(app[LOG], app[SETTINGS], member.user_id, conversation_id, form)
    return answer_json({"hook": hook, "url": f"{public_origin(request) or ''}/hooks/{secret}"}, 201)


async def patch_hook(request: web.Request) -> web.Response:
    """Turn an incoming hook off, or on again. While it is off, it refuses what is posted at its address."""
    manager, conversation_id = await require_manager(request)
    wanted = await read_model(request, HookChange)
    await enable_hook(request.app[LOG], manager, conversation_id, path_id(request, "hook"), wanted.enabled)
    return web.Response(status=204)


async def delete_hook(request: web.Request) -> web.Response:
    """Remove an incoming hook. Its address stops working at once."""
    await remove_hook(request.app[LOG], *await require_manager(request), path_id(request, "hook"))
    return web.Response(status=204)


async def post_hook_test(request: web.Request) -> web.Response:
    """Post a test message by an incoming hook, to see that it works. Owners and admins only."""
    manager, conversation_id = await require_manager(request)
    hook = await find_managed_hook(request.app[POOL], manager, conversation_id, path_id(request, "hook"))
    await deliver(request.app, hook, {}, b'{"body": "%b"}' % TEST.encode(), secrets.token_hex(16))
    return web.Response(status=204)


async def post_delivery(request: web.Request) -> web.Response:
    """Post by an incoming hook. The secret in the address is the only credential. Answers `ok`, as Slack does.

    Understands Slack's payload, Tandem's own (`body`), and those of Alertmanager, Grafana, GitHub, GitLab, Sentry and
    Uptime Kuma.
    """
    check_address(request)
    hook = await find_hook(request.app[POOL], request.match_info["secret"])
    charge_caller(request, hook.user_id)
    body = await read_body(request, PAYLOAD_BYTES)
    request.app[RATES].post.acquire(hook.user_id, len(body) // POST_BYTES)
    given = next((value for name in DELIVERY_IDS if (value := request.headers.get(name))), None)
    delivery = hashlib.sha256(given.encode(errors="replace")).hexdigest()[:32] if given else secrets.token_hex(16)
    await deliver(request.app, hook, request.headers, body, delivery)
    return web.Response(text="ok")


async def deliver(app: web.Application, hook: IncomingHook, headers: Mapping[str, str], body: bytes, id_: str) -> None:
    """Post what a delivery says, and note its outcome with the hook. Raise `Invalid` and the errors of a post."""
    try:
        parts = headers, body, id_, hook.name
        for draft in to_drafts(*parts) if len(body) < POST_BYTES else await asyncio.to_thread(to_drafts, *parts):
            here = await app[HERE].find(hook.conversation_id, hook.user_id, draft.body)
            await app[POSTS].submit(Post(hook.conversation_id, hook.user_id, draft, here=here))
    except ApiError as error:
        await note_delivery(app[POOL], hook, error.code)
        raise
    await note_delivery(app[POOL], hook)


# Outgoing hooks: `…/hooks`.


async def get_outgoing_hooks(request: web.Request) -> web.Response:
    """List the outgoing hooks of a conversation. Owners and admins only."""
    return answer_json({"hooks": await list_outgoing(request.app[POOL], *await require_manager(request))})


async def post_outgoing_hook(request: web.Request) -> web.Response:
    """Make an outgoing hook, for events or for a slash command. Its `secret`, which signs the requests, is shown once.

    Owners and admins only.
    """
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    form, app = await read_model(request, OutgoingForm), request.app
    await Manager(member.user_id).require(app[POOL], conversation_id)
    if form.command in COMMANDS:
        raise CommandTaken
    hook, secret = await create_outgoing(app[LOG], app[SETTINGS], member.user_id, conversation_id, form)
    app[DELIVERIES].wake()
    return answer_json({"hook": hook, "secret": secret}, 201)


async def patch_outgoing_hook(request: web.Request) -> web.Response:
    """Change an outgoing hook, turn it off, or turn it on again: it continues where it stopped."""
    place = await require_hook(request)
    wanted, app = await read_model(request, OutgoingChange), request.app
    await change_outgoing(app[LOG], app[SETTINGS].hosts_allowed, *place, wanted)
    app[DELIVERIES].wake()
    return web.Response(status=204)


async def delete_outgoing_hook(request: web.Request) -> web.Response:
    """Remove an outgoing hook. It receives nothing more, its bot leaves, its messages stay."""
    await remove_outgoing(request.app[LOG], *await require_hook(request))
    return web.Response(status=204)


async def post_outgoing_test(request: web.Request) -> web.Response:
    """Deliver a test event to an outgoing hook, also to a disabled one. Return what its receiver answered."""
    *_, hook_id = await require_hook(request)
    return answer_json({"delivery": await request.app[DELIVERIES].test(hook_id)})


async def get_deliveries(request: web.Request) -> web.Response:
    """List the last 50 deliveries of an outgoing hook, the newest first, with what was answered."""
    *_, hook_id = await require_hook(request)
    return answer_json({"deliveries": await list_deliveries(request.app[POOL], hook_id)})


async def post_redelivery(request: web.Request) -> web.Response:
    """Deliver the event of an earlier delivery again, with the same `webhook-id`. Return the new delivery."""
    *_, hook_id = await require_hook(request)
    return answer_json({"delivery": await request.app[DELIVERIES].redeliver(hook_id, path_id(request, "delivery"))})


async def require_hook(request: web.Request) -> tuple[Manager, int, int]:
    """Return the caller, the conversation and the outgoing hook. Raise `NotFound`, `Forbidden`."""
    manager, conversation_id = await require_manager(request)
    hook_id = path_id(request, "hook")
    await require_outgoing(request.app[POOL], manager, conversation_id, hook_id)
    return manager, conversation_id, hook_id


# Slash commands.


async def get_commands(request: web.Request) -> web.Response:
    """List the slash commands of a conversation, built in or of programs, with hints for completion."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    await require_member(request.app[POOL], member.user_id, conversation_id)
    return answer_json({"commands": await list_commands(request.app[POOL], conversation_id)})


async def post_command(request: web.Request) -> web.Response:
    """Run a slash command. `text` is for the caller alone; `message` is what the command has posted, if anything."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    form, app = await read_model(request, CommandForm, MESSAGE_BYTES), request.app
    await require_member(app[POOL], member.user_id, conversation_id)
    parts = app[LOG], app[POOL], app[SETTINGS], app[REGISTRY], app[RATES], app[DELIVERIES]
    post = partial(submit_post, app, member, conversation_id)
    call = CommandCall(*parts, post, member.user_id, viewer_of(request.app, member), conversation_id, form)
    answer = await run_command(call)
    app[REMINDERS].wake()
    if answer.message:
        return answer_json(b'{"text":"","message":%b}' % answer.message, 201)
    return answer_json({"text": answer.text})
