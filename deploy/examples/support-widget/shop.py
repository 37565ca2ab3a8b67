"""A shop with a support widget: its visitors write to Ana, who answers in Tandem. It needs Python alone."""

import hmac
import json
import os
import subprocess
import time
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

PORT, TANDEM = int(os.environ.get("SHOP_PORT", "8090")), os.environ.get("TANDEM_SERVER", "http://127.0.0.1:8080")
SECRET = os.environ.setdefault("JWT_SECRET", os.urandom(32).hex())  # known to the shop and to Tandem alone
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8" /><title>Shop</title>
<script type="module" src="{tandem}/tandem-chat.js"></script><main><h1>Tomatoes, 3.20 a kilo</h1>
<tandem-chat server="{tandem}" conversation="{id}" style="width: 22rem; height: 28rem"></tandem-chat></main>
<script>document.querySelector('tandem-chat').token = async () => (await fetch('/token')).text();</script>"""


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        visitor = self.headers.get("Cookie", "").partition("visitor=")[2] or f"visitor-{os.urandom(8).hex()}"
        claims = {"sub": visitor, "preferred_username": visitor, "name": "Visitor", "exp": time.time() + 600}
        parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256"}, claims)]
        seal = urlsafe_b64encode(hmac.digest(SECRET.encode(), b".".join(parts), "sha256")).rstrip(b"=")
        token = b".".join([*parts, seal])
        headers = {"Authorization": f"Bearer {token.decode()}", "Content-Type": "application/json"}
        ana = json.load(urlopen(Request(f"{TANDEM}/api/users?q=ana", headers=headers)))["users"][0]
        chat = json.dumps({"kind": "direct", "members": [ana["id"]]}).encode()  # the same one each time
        chat = json.load(urlopen(Request(f"{TANDEM}/api/chat/conversations", chat, headers)))
        self.send_response(200)
        self.send_header("Set-Cookie", f"visitor={visitor}; HttpOnly; SameSite=Lax")
        self.end_headers()
        self.wfile.write(token if self.path == "/token" else PAGE.format(tandem=TANDEM, id=chat["id"]).encode())


if "TANDEM_SERVER" not in os.environ:
    subprocess.Popen(["deploy/run", "--demo"], env=os.environ | {"ALLOWED_ORIGINS": f"http://localhost:{PORT}"})
print(f"http://localhost:{PORT} is the shop, once Tandem is ready", flush=True)
ThreadingHTTPServer(("127.0.0.1", PORT), Shop).serve_forever()
