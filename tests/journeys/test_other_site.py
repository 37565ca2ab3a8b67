"""A page of another site uses Tandem with a cookie of its own. The same page of a third site can do nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from playwright.async_api import Browser

from tests.accounts.visitor import PASSWORD
from tests.promises.conftest import StartNode

# Each step returns what came of it; a step that the browser forbids returns "refused".
PAGE = """
<!doctype html><title>Shop</title><script>
async function call(method, path, body, headers) {
  const type = body && !(body instanceof Blob) ? { 'Content-Type': 'application/json' } : {};
  const answer = await fetch(SERVER + path, {
    method, credentials: 'include', headers: { ...type, ...headers },
    body: body && !(body instanceof Blob) ? JSON.stringify(body) : body,
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null, headers: answer.headers };
}
async function attempt(step) { try { return await step(); } catch (error) { return 'refused'; } }
const frame = (url, names) => new Promise((found, fail) => {
  const stream = new EventSource(SERVER + url, { withCredentials: true });
  stream.onerror = () => { stream.close(); fail('closed'); };
  names.forEach((name) => stream.addEventListener(name, (event) => { stream.close(); found(JSON.parse(event.data)); }));
});
const greeting = (url) => new Promise((found, fail) => {
  const socket = new WebSocket(SERVER.replace('http', 'ws') + url);
  socket.onerror = () => fail('closed');
  socket.onmessage = (event) => { socket.close(); found(JSON.parse(event.data).type); };
});
async function run(name, password) {
  const told = {};
  told.signUp = await attempt(async () => (await call('POST', '/api/accounts', { name, password })).status);
  told.open = await attempt(async () => {
    const made = await call('POST', '/api/chat/conversations', { kind: 'channel', name: 'orders' });
    window.room = made.body.id;
    return made.status;
  });
  told.stream = await attempt(async () => {
    const { body: { cursor } } = await call('GET', '/api/chat/conversations');
    const coming = frame('/api/chat/stream?after=' + cursor, ['message']);
    const path = `/api/chat/conversations/${window.room}/messages`;
    told.post = (await call('POST', path, { body: 'order 4711', client_id: 'o1' })).status;
    return (await coming).body;
  });
  told.upload = await attempt(async () => {
    const size = { 'Tus-Resumable': '1.0.0', 'Upload-Length': '5', 'Upload-Metadata': 'filename aGkudHh0' };
    const made = await call('POST', '/api/files', undefined, size);
    const offset = { 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0' };
    const type = { 'Content-Type': 'application/offset+octet-stream' };
    const path = new URL(made.headers.get('Location'), SERVER).pathname;
    const sent = await call('PATCH', path, new Blob(['hello']), { ...offset, ...type });
    return [made.status, sent.status, sent.headers.get('Upload-Offset')];
  });
  told.problem = await attempt(async () => (await call('GET', '/api/chat/conversations/4711')).body.code);
  told.presence = await attempt(() => greeting('/api/presence/socket'));
  return told;
}
</script>
"""


@asynccontextmanager
async def site(server: str) -> AsyncIterator[str]:
    """Serve the page of another site, which uses this server. Yield its origin."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE.replace("SERVER", repr(server)), content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def visit(browser: Browser, origin: str, name: str) -> dict[str, Any]:
    """Open the page in a browser of its own; return what its steps told."""
    context = await browser.new_context()
    try:
        page = await context.new_page()
        await page.goto(origin)
        return dict(await asyncio.wait_for(page.evaluate("([n, p]) => run(n, p)", [name, PASSWORD]), 30))
    finally:
        await context.close()


async def test_pages_of_an_allowed_site_and_of_another(browser: Browser, start_node: StartNode) -> None:
    """Sign up, open a channel, stream, post, upload, read a problem document, and presence: all or nothing."""
    node = await start_node("a1")  # for its port
    node.kill()
    async with site(node.url) as shop, site(node.url) as stranger:
        node.settings |= {"ALLOWED_ORIGINS": shop, "COOKIE_SECURE": "true", "COOKIE_SAMESITE": "none"}
        await node.start_and_wait()
        assert await visit(browser, shop, "sam") == {
            "signUp": 201,
            "open": 201,
            "post": 201,
            "stream": "order 4711",
            "upload": [201, 204, "5"],
            "problem": "not_found",
            "presence": "hello",
        }
        told = await visit(browser, stranger, "eve")
        assert told == dict.fromkeys(["signUp", "open", "stream", "upload", "problem", "presence"], "refused")
