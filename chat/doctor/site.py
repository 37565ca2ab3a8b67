"""The doctor asks through the public URL what nobody needs a login for: health, HTTP version, hosts, metrics."""

import orjson

from chat.doctor.finding import Finding, advise, judge
from chat.doctor.wire import Answer, Site

NGINX, HAPROXY = "nginx's server block", "haproxy.cfg"


def check_site(site: Site) -> list[Finding]:
    """All of it; one finding where nobody answers."""
    try:
        with site.ask("/health/ready") as wire:
            answer = wire.read_head()
            wire.read_until(b"}", 2)
    except OSError as error:
        remedy = "Check the URL, the firewall and that the proxy runs; `curl -i URL/health/ready` shows the same."
        return [Finding("public URL", "bad", f"{site.url} does not answer: {error}", remedy)]
    ready = check_hidden(site) if answer.status == 404 else check_ready(answer)
    return [ready, check_versions(site, answer), check_host(site), check_metrics(site)]


def check_hidden(site: Site) -> Finding:
    """Judge an address that does not show its health: a node must refuse a call without a login."""
    with site.ask("/api/operations/echo", Authorization="") as wire:
        status = wire.read_head().status
    remedy = "What answers there is no Tandem node: see where the proxy sends requests, and its log."
    found = "a node answers; its health is not on this address" if status == 401 else f"HTTP {status} from the API"
    return judge("readiness", status == 401, found, remedy)


def check_ready(answer: Answer) -> Finding:
    """Does a node answer, and is it well?"""
    try:
        said = str(orjson.loads(unchunk(answer)).get("status", ""))
    except (orjson.JSONDecodeError, AttributeError):
        said = ""
    remedy = {
        "degraded": "Redis cannot be reached from that node: see what is said of Redis, and the node's log.",
        "": "What answers there is no Tandem node that is ready: send /health/… to the nodes, and see a node's log.",
    }.get(said, "See the node's log.")
    return judge("readiness", answer.status == 200 and said == "ready", f"HTTP {answer.status} {said}".strip(), remedy)


def unchunk(answer: Answer) -> bytes:
    """The body of a short answer."""
    return answer.body[answer.body.find(b"{") : answer.body.rfind(b"}") + 1]


def check_versions(site: Site, answer: Answer) -> Finding:
    """HTTP/2 for browsers, HTTP/1.1 at least: under 1.0 a stream is not chunked, and many proxies gather it."""
    if answer.version == "HTTP/1.0":
        return Finding("HTTP version", "bad", "HTTP/1.0", f"Put `proxy_http_version 1.1;` into {NGINX}.")
    better = site.speaks_http2()
    return advise(
        "HTTP version",
        better,
        "HTTP/2" if better else "HTTP/1.1: a browser opens six connections to it, and each tab's stream is one",
        f"Serve TLS with `http2 on;` in {NGINX}, or `alpn h2,http/1.1` on the bind line of {HAPROXY}.",
    )


def check_host(site: Site) -> Finding:
    """Check that changes from our own pages are let in: the node compares their Origin with the Host and the scheme."""
    with site.ask("/api/presence/ticket", "POST", Origin=site.origin, Authorization="") as wire:
        status = wire.read_head().status
    remedy = (
        f"Pass on Host and X-Forwarded-Proto as {NGINX} does, from an address in TRUSTED_PROXIES;"
        " or name the page in ALLOWED_ORIGINS."
    )
    fine = status == 401
    return judge("Origin", fine, "our own pages are let in" if fine else f"our own pages get {status}", remedy)


def check_metrics(site: Site) -> Finding:
    """Whether they show outside."""
    with site.ask("/metrics", X_Forwarded_For="203.0.113.9", Authorization="") as wire:
        status = wire.read_head().status
    remedy = f"Refuse /metrics in {NGINX} or {HAPROXY}, or leave METRICS_PUBLIC off."
    return advise("metrics", status in (403, 404), f"HTTP {status} to who is far", remedy)
