"""Handlers of incoming hooks: those of a conversation, and the addresses at which programs post."""

import hashlib
import secrets
from collections.abc import Mapping

from aiohttp import web

from chat.integrations.incoming import (
    HookForm,
    IncomingHook,
    create_hook,
    find_hook,
    find_managed_hook,
    list_hooks,
    note_delivery,
    remove_hook,
)
from chat.integrations.payloads import to_drafts
from chat.log.append import LOG
from chat.messages.drafts import Post
from chat.messages.endpoints import HERE, POSTS
from chat.shared.errors import ApiError
from chat.shared.web import (
    POOL,
    SETTINGS,
    answer_json,
    charge_caller,
    check_address,
    path_id,
    public_origin,
    read_body,
    read_model,
    require_identity,
)

# Headers in which senders repeat the same id when they deliver again.
DELIVERY_IDS = ("webhook-id", "Idempotency-Key", "X-GitHub-Delivery", "X-Gitlab-Event-UUID", "Request-ID")
PAYLOAD_BYTES = 512 * 1024
TEST = "This is a test of the hook."


async def get_hooks(request: web.Request) -> web.Response:
    """List the incoming hooks of a conversation. Owners and admins only."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    return answer_json({"hooks": await list_hooks(request.app[POOL], member.user_id, conversation_id)})


async def post_hook(request: web.Request) -> web.Response:
    """Make an incoming hook. Its `url` is shown once: all who have it may post. Owners and admins only."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    form, app = await read_model(request, HookForm), request.app
    hook, secret = await create_hook(app[LOG], app[SETTINGS], member.user_id, conversation_id, form)
    return answer_json({"hook": hook, "url": f"{public_origin(request) or ''}/hooks/{secret}"}, 201)


async def delete_hook(request: web.Request) -> web.Response:
    """Remove an incoming hook. Its address stops working at once."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    await remove_hook(request.app[LOG], member.user_id, conversation_id, path_id(request, "hook"))
    return web.Response(status=204)


async def post_hook_test(request: web.Request) -> web.Response:
    """Post a test message by an incoming hook, to see that it works. Owners and admins only."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    hook = await find_managed_hook(request.app[POOL], member.user_id, conversation_id, path_id(request, "hook"))
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
    given = next((value for name in DELIVERY_IDS if (value := request.headers.get(name))), None)
    delivery = hashlib.sha256(given.encode(errors="replace")).hexdigest()[:32] if given else secrets.token_hex(16)
    await deliver(request.app, hook, request.headers, body, delivery)
    return web.Response(text="ok")


async def deliver(app: web.Application, hook: IncomingHook, headers: Mapping[str, str], body: bytes, id_: str) -> None:
    """Post what a delivery says, and note its outcome with the hook. Raise `Invalid` and the errors of a post."""
    try:
        for draft in to_drafts(headers, body, id_, hook.name):
            here = await app[HERE].find(hook.conversation_id, hook.user_id, draft.body)
            await app[POSTS].submit(Post(hook.conversation_id, hook.user_id, draft, here=here))
    except ApiError as error:
        await note_delivery(app[POOL], hook, error.code)
        raise
    await note_delivery(app[POOL], hook)
