"""The payloads of incoming hooks as drafts: Tandem's own, Slack's, and those of well-known senders. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
from pydantic import ValidationError

from chat.messages.drafts import Draft
from chat.model.types import check_exact
from chat.shared.appearance import is_visible
from chat.shared.errors import Invalid
from chat.shared.web import name_errors
from chat.transfer.foreign import dicts_in
from chat.transfer.slack_blocks import MAX_DEPTH, BlockWriter, text_in, without_previews
from chat.transfer.slack_markup import MarkdownWriter, SlackText, link_to, literal, stacked
from chat.transfer.text import clean, find_emoji, one_line, parse, split_body

Fields = Mapping[str, Any]
MESSAGES_MOST = 5  # a longer payload is cut
LEVELS = 8  # of blocks within attachments
NAME_MOST = 64
CUT = "_… the rest of this message was too long._"
UNKNOWN = "expected `body`, or Slack's `text`, `blocks` or `attachments`, with something to read in it"


def to_drafts(headers: Fields, body: bytes, id_: str, name: str) -> list[Draft]:
    """Return the messages that a delivery becomes, rarely more than one. Raise `Invalid`.

    `headers`: a mapping without case, as requests have. `id_`: the delivery's id, from which a repeated delivery gets
    the same client ids. `name`: the hook's.
    """
    fields, raw = read_payload(headers, body)
    if "body" in fields:
        return [read_own(fields, raw, id_)]
    sent = read_sender(headers, fields)
    text = clean(from_slack(fields, name) if sent is None else sent)
    if not is_visible(text):
        raise Invalid(errors=[{"field": "body", "detail": UNKNOWN}])
    bodies = split_body(text)
    if len(bodies) > MESSAGES_MOST:
        bodies[MESSAGES_MOST - 1 :] = [CUT]
    ids = [id_, *(f"{id_}.{number}" for number in range(2, len(bodies) + 1))]
    return [Draft(body=part, client_id=own) for part, own in zip(bodies, ids, strict=True)]


def read_own(fields: dict[str, Any], raw: bytes, id_: str) -> Draft:
    """Return the message in Tandem's own payload. Raise `Invalid`."""
    try:
        draft = Draft.model_validate({"client_id": id_} | fields)
        if draft.data is not None:
            check_exact(raw)
    except ValidationError as wrong:
        raise Invalid(errors=name_errors(wrong)) from None
    except ValueError as wrong:
        raise Invalid(errors=[{"field": "data", "detail": str(wrong)}]) from None
    if draft.streaming:
        raise Invalid(errors=[{"field": "streaming", "detail": "a hook cannot append to a message"}])
    return draft


def read_payload(headers: Fields, body: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the object in the body, and its JSON: the body itself, or a form's field `payload`. Raise `Invalid`."""
    kind = str(headers.get("Content-Type", "")).partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        body = read_form(body)
    try:
        fields = parse(body)
    except (orjson.JSONDecodeError, ValueError):
        raise Invalid("The body is not JSON, nor a form with JSON in its field `payload`.") from None
    if not isinstance(fields, dict):
        raise Invalid("The body must be a JSON object.")
    return fields, body


def read_form(body: bytes) -> bytes:
    """Return the field `payload` of a form; nothing if there is none."""
    try:
        form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:
        return b""
    return "".join(form.get("payload", ())[:1]).encode("utf-8", "replace")


# Slack's payload.


def from_slack(fields: Fields, name: str) -> str:
    """Return a payload of Slack's incoming webhooks as Markdown. `name`: the hook's, which is not repeated."""
    made = SlackText()
    writer = MarkdownWriter(lambda user_id: user_id, lambda channel_id, shown: shown or channel_id)
    blocks = BlockWriter(writer, made, MAX_DEPTH - LEVELS)
    text = text_in(fields, "text")
    shown = literal(text) if fields.get("mrkdwn") is False else writer.convert(text, made)
    told = blocks.blocks(fields.get("blocks")) or shown
    attachments = map(blocks.attachment, without_previews(fields.get("attachments"), text))
    said = stacked([told, *attachments])
    return stacked([sender_line(fields, name), said]) if said else ""


def sender_line(fields: Fields, name: str) -> str:
    """Return a line with the name and emoji that the payload wants to be shown with, if they are not the hook's."""
    wanted = one_line(clean(text_in(fields, "username")), NAME_MOST)
    emoji = find_emoji(text_in(fields, "icon_emoji").strip(":")) or ""
    shown = f"**{literal(wanted)}**" if wanted and wanted != name else ""
    return " ".join(filter(None, [emoji, shown])) if shown else ""


# Well-known senders: the webhooks of Alertmanager, Grafana, GitHub, GitLab, Sentry and Uptime Kuma as Markdown.
#
# Each is recognized by fields and headers of its public documentation. Texts of others are put in as they are, on one
# line; addresses become links only if they are of the web.

LINE_MOST, PARTS_MOST = 300, 20


def read_sender(headers: Fields, fields: Fields) -> str | None:
    """Return what a known sender says; None for an unknown one. `headers`: a mapping without case."""
    for fits, read in SENDERS:
        if fits(headers, fields):
            return read(headers, fields)
    return None


def line(fields: object, *names: str) -> str:
    """Return the first of these fields that is text, on one line, without markup of its own."""
    return literal(one_line(text_in(fields, *names), LINE_MOST))


def part(fields: object, name: str) -> Fields:
    """Return an object in a field; an empty one if there is none."""
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, dict) else {}


def linked(fields: object, url: str, *names: str) -> str:
    """Return text as a link to the address in the field `url`."""
    shown, address = line(fields, *names), text_in(fields, url)
    return link_to(address, shown or address) if address.startswith(("https://", "http://")) else shown


def listed(lines: Iterable[str]) -> list[str]:
    """Return the lines as a list, of which the rest is counted."""
    found = [one for one in lines if one]
    more = len(found) - PARTS_MOST
    return [f"- {one}" for one in found[:PARTS_MOST]] + ([f"- … and {more} more"] if more > 0 else [])


def number(value: object) -> str:
    """Return a number as text; nothing for anything else."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


# Alertmanager, and Grafana's alerts, which have the same fields and some more.


def is_alerts(_headers: Fields, fields: Fields) -> bool:
    return isinstance(fields.get("alerts"), list) and isinstance(fields.get("status"), str)


def read_alerts(_headers: Fields, fields: Fields) -> str:
    alerts = [*dicts_in(fields["alerts"])]
    firing = sum(one.get("status") == "firing" for one in alerts)
    name = line(part(fields, "groupLabels"), "alertname") or line(part(fields, "commonLabels"), "alertname")
    status = line(fields, "status").upper()
    sign = "\N{FIRE}" if firing else "\N{WHITE HEAVY CHECK MARK}"
    title = line(fields, "title") or f"[{status}{f':{firing}' if firing else ''}] {name or 'alerts'}"
    return "\n".join([f"{sign} **{title}**", *listed(map(read_alert, alerts))])


def read_alert(alert: Fields) -> str:
    notes, labels = part(alert, "annotations"), part(alert, "labels")
    summary, name = line(notes, "summary", "message", "title"), line(labels, "alertname")
    detail = line(notes, "description")
    text = summary or detail or name
    text += f": {detail}" if detail and summary and detail != summary else ""
    shown = {key: line(labels, key) for key in sorted(labels) if key != "alertname"}
    named = ", ".join(f"{literal(one_line(key, 60))}={value}" for key, value in shown.items() if value)
    urls = ("panelURL", "dashboardURL", "generatorURL")
    source = next((link_to(url, "source") for key in urls if (url := text_in(alert, key)).startswith("http")), "")
    state = "resolved: " if alert.get("status") == "resolved" else ""
    return " · ".join(filter(None, [state + text, named, source]))


# GitHub.


def is_github(headers: Fields, fields: Fields) -> bool:
    return "x-github-event" in headers and isinstance(fields.get("repository") or fields.get("zen"), dict | str)


def read_github(headers: Fields, fields: Fields) -> str:
    event, action = str(headers["x-github-event"]), line(fields, "action").replace("_", " ")
    repository = linked(part(fields, "repository"), "html_url", "full_name")
    sender = line(part(fields, "sender"), "login")
    if event == "ping":
        return f"**GitHub** will post here{f' for {repository}' if repository else ''}. {line(fields, 'zen')}"
    if event == "push":
        return read_push(fields, repository, line(part(fields, "pusher"), "name") or sender, "url")
    subjects = ("comment", "review", "issue", "pull_request", "release", "workflow_run", "check_run", "discussion")
    kinds = [name for name in subjects if part(fields, name)]
    about = next((part(fields, name) for name in ("pull_request", "issue", "discussion") if name in kinds), {})
    subject = about or (part(fields, kinds[0]) if kinds else {})
    title = linked(subject, "html_url", "title", "name", "tag_name", "display_title")
    numbered = f"#{number(subject.get('number'))} " if number(subject.get("number")) else ""
    said = part(fields, "comment") or part(fields, "review")
    state = line(subject, "conclusion") if kinds[:1] in (["workflow_run"], ["check_run"]) else ""
    what = f"{literal(one_line(event, 60)).replace('_', ' ')} {action}".strip()
    head = f"{repository}: {what} {f'({state}) ' if state else ''}by **{sender or 'someone'}**"
    text = line(said, "body")
    return "\n".join(filter(None, [head, f"{numbered}{title}".strip(), f"> {text}" if text else ""]))


def read_push(fields: Fields, repository: str, author: str, url: str) -> str:
    """Return a push of GitHub or GitLab with its commits."""
    branch = line(fields, "ref").removeprefix("refs/heads/").removeprefix("refs/tags/")
    commits = [*dicts_in(fields.get("commits"))]
    count = f"{len(commits)} commit{'' if len(commits) == 1 else 's'}"
    lines = (f"{commit_link(one, url)} {first_line(one)}" for one in commits)
    return "\n".join([f"{repository}: **{author or 'someone'}** pushed {count} to `{branch or '?'}`", *listed(lines)])


def commit_link(commit: Fields, url: str) -> str:
    short, address = line(commit, "id")[:8], text_in(commit, url)
    return link_to(address, short) if address.startswith("http") else short


def first_line(commit: Fields) -> str:
    return literal(one_line(text_in(commit, "message").partition("\n")[0], LINE_MOST))


# GitLab.


def is_gitlab(headers: Fields, fields: Fields) -> bool:
    return "x-gitlab-event" in headers and isinstance(fields.get("object_kind"), str)


def read_gitlab(_headers: Fields, fields: Fields) -> str:
    kind, attributes = line(fields, "object_kind"), part(fields, "object_attributes")
    project = linked(part(fields, "project"), "web_url", "path_with_namespace", "name")
    author = line(part(fields, "user"), "username", "name") or line(fields, "user_username", "user_name")
    if kind in ("push", "tag_push"):
        return read_push(fields, project, author, "url")
    about = part(fields, "merge_request") or part(fields, "issue") or attributes
    title = linked(about, "url", "title", "name", "ref")
    state = line(attributes, "action", "status", "state")
    text = line(attributes, "note")
    head = f"{project}: {kind.replace('_', ' ')} {state}".strip() + f" by **{author or 'someone'}**"
    return "\n".join(filter(None, [head, title, f"> {text}" if text else ""]))


# Sentry, in its own form and in that of the older plugin.


def is_sentry(headers: Fields, fields: Fields) -> bool:
    old = isinstance(fields.get("project_name"), str) and isinstance(fields.get("event"), dict)
    return old or ("sentry-hook-resource" in headers and isinstance(fields.get("data"), dict))


def read_sentry(headers: Fields, fields: Fields) -> str:
    data, action = part(fields, "data"), line(fields, "action")
    kinds = ("issue", "event", "error", "metric_alert", "issue_alert", "comment")
    subject = next((found for name in kinds if (found := part(data, name))), part(fields, "event"))
    what = line({"resource": str(headers.get("sentry-hook-resource", "event"))}, "resource").replace("_", " ")
    address = next((url for name in ("web_url", "permalink", "url") if (url := text_in(subject, name))), "")
    address = address or text_in(data, "web_url") or text_in(fields, "url")
    title = line(subject, "title", "message") or line(data, "description_title") or line(fields, "message")
    project = line(fields, "project_name") or line(part(subject, "project"), "name", "slug")
    shown = link_to(address, title or address) if address.startswith("http") else title
    head = " ".join(filter(None, ["**Sentry**", project, what, action]))
    return "\n".join(filter(None, [head, shown, line(subject, "culprit"), line(data, "description_text")]))


# Uptime Kuma.


def is_uptime_kuma(_headers: Fields, fields: Fields) -> bool:
    return isinstance(fields.get("msg"), str) and {"heartbeat", "monitor"} <= set(fields)


def read_uptime_kuma(_headers: Fields, fields: Fields) -> str:
    monitor = part(fields, "monitor")
    url = text_in(monitor, "url")
    return " · ".join(filter(None, [line(fields, "msg"), url if url.startswith(("https://", "http://")) else ""]))


SENDERS: tuple[tuple[Callable[[Fields, Fields], bool], Callable[[Fields, Fields], str]], ...] = (
    (is_github, read_github),
    (is_gitlab, read_gitlab),
    (is_sentry, read_sentry),
    (is_alerts, read_alerts),
    (is_uptime_kuma, read_uptime_kuma),
)
