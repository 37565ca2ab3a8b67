"""`…/messages/{seq}/replies`, `…/messages/{seq}/follow` and `/api/chat/threads`."""

from aiohttp import web

from chat.conversations.drafts import ReadMark
from chat.log.append import LOG
from chat.messages.endpoints import parse_window
from chat.messages.threads.follow import follow_thread, mark_thread, unfollow_thread
from chat.messages.threads.reading import list_threads, read_replies
from chat.shared.endpoints import POOL, answer_json, path_id, read_model, require_changer, require_identity


async def get_replies(request: web.Request) -> web.Response:
    """A page of a thread; without a direction the newest."""
    member = await require_identity(request)
    window = parse_window(request)
    page = await read_replies(request.app[POOL], member.user_id, *path_root(request), window)
    return answer_json(page.encode())


async def put_follow(request: web.Request) -> web.Response:
    """Tell me of its replies."""
    member = await require_changer(request)
    await follow_thread(request.app[LOG], member.user_id, *path_root(request))
    return web.Response(status=204)


async def delete_follow(request: web.Request) -> web.Response:
    """Tell me no more."""
    member = await require_changer(request)
    await unfollow_thread(request.app[LOG], member.user_id, *path_root(request))
    return web.Response(status=204)


async def put_thread_mark(request: web.Request) -> web.Response:
    """I have read it up to here."""
    member = await require_changer(request)
    read = await read_model(request, ReadMark)
    await mark_thread(request.app[LOG], member.user_id, *path_root(request), read.seq)
    return web.Response(status=204)


async def get_threads(request: web.Request) -> web.Response:
    """What I follow, and the cursor at which a stream continues it."""
    member = await require_identity(request)
    threads, cursor = await list_threads(request.app[POOL], member.user_id)
    return answer_json({"threads": [thread.to_json() for thread in threads], "cursor": str(cursor)})


def path_root(request: web.Request) -> tuple[int, int]:
    """The conversation, and the message that the thread began with."""
    return path_id(request, "conversation"), path_id(request, "seq")
