"""HAProxy's configuration for the nodes of one machine. Pure: text from names, ports and descriptors.

The files in deploy/ are the same for nodes on several machines; what is said there about each line holds here.
"""

from collections.abc import Mapping, Sequence

COMPRESSED = "Request bodies cannot be compressed. Send the body without Content-Encoding."
REFUSALS = {
    502: ("bad_gateway", "The node that was asked ended before it had answered; try again."),
    503: ("no_node", "No node takes requests right now; try again after Retry-After."),
    504: ("gateway_timeout", "The node that was asked did not answer in time; try again."),
}

TEMPLATE = """\
global
    stats socket fd@{control} level admin
    hard-stop-after 2s
    tune.bufsize 32768

defaults
    mode http
    timeout connect 2s
    timeout client {quiet}s
    timeout server {quiet}s
    timeout tunnel {quiet}s
    timeout http-request 10s
    timeout http-keep-alive 75s
    timeout check 3s
    timeout queue 2s
    option http-no-delay
    option redispatch 1
    retries 3
    # 503 is also what a node says that is about to stop, or has enough to do: another one may take it.
    retry-on conn-failure empty-response 503
{refusals}

frontend people
    bind fd@{public} tcp-ut 30s
    option forwardfor
    http-request del-header Forwarded
    acl encoded req.fhdr(content-encoding) -m found
    acl identity req.fhdr(content-encoding) -i identity
    http-request return status 415 {compressed} if encoded !identity
    default_backend nodes

backend nodes
    balance leastconn
    # What was sent once may have been done: only what asks, and changes nothing, is asked of another node.
    http-request disable-l7-retry unless METH_GET or { method HEAD }
    option httpchk
    http-check send meth GET uri /health/ready
    http-check expect status 200
    # Two looks, a tenth of a second apart, are enough to see that a node takes nobody any more.
    default-server check inter 500ms fastinter 100ms downinter 250ms fall 2 rise 1
{servers}
"""


def write_configuration(
    ports: Mapping[str, int], health: Mapping[str, int], used: Sequence[str], control: int, public: int, quiet: int
) -> str:
    """`ports`: of all nodes that there may ever be, by name; `health`: where each is checked, if elsewhere; `used`:
    those there are. `control` and `public` are descriptors of listening sockets; after `quiet` seconds without a byte
    a connection is dead."""
    servers = [
        f"    server {name} 127.0.0.1:{port} port {health.get(name, port)}{'' if name in used else ' disabled'}"
        for name, port in ports.items()
    ]
    compressed = write_problem(415, "compressed", COMPRESSED)
    lines = {
        "compressed": compressed,
        "refusals": "\n".join(map(write_refusal, REFUSALS)),
        "servers": "\n".join(servers),
    }
    return fill(TEMPLATE, lines | {"control": str(control), "public": str(public), "quiet": str(quiet)})


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put the values in; braces that HAProxy means stay."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def write_refusal(status: int) -> str:
    """Return what HAProxy answers when no node can."""
    return f"    http-error status {status} {write_problem(status, *REFUSALS[status], 'hdr Retry-After 1 ')}"


def write_problem(status: int, code: str, detail: str, headers: str = "") -> str:
    """Return a problem document, as nodes give them, in HAProxy's words."""
    document = f'{{"type":"about:blank","title":"{code}","status":{status},"code":"{code}","detail":"{detail}"}}'
    return f"content-type application/problem+json {headers}string '{document}'"
