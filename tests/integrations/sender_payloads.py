"""What well-known programs post to a webhook: the fields that their public documentation names, with values of ours."""

from typing import Any, NamedTuple


class Sent(NamedTuple):
    """One delivery: headers and fields, and the message that it must become."""

    headers: dict[str, str]
    fields: dict[str, Any]
    body: str


ALERT = {
    "status": "firing",
    "labels": {"alertname": "NodeDown", "severity": "critical", "node": "b2"},
    "annotations": {"summary": "Node b2 is down", "description": "No lease for 15 s"},
    "startsAt": "2026-11-30T09:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "https://prometheus.example/graph?g0.expr=up",
    "fingerprint": "c5f6b4f1",
}
ALERTMANAGER = {
    "version": "4",
    "groupKey": '{}:{alertname="NodeDown"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "tandem",
    "groupLabels": {"alertname": "NodeDown"},
    "commonLabels": {"alertname": "NodeDown"},
    "commonAnnotations": {},
    "externalURL": "https://alertmanager.example",
    "alerts": [ALERT, ALERT | {"status": "resolved", "generatorURL": "javascript:alert(1)"}],
}
GRAFANA = ALERTMANAGER | {
    "title": "[RESOLVED] Disk (ops)",
    "state": "ok",
    "message": "…",
    "orgId": 1,
    "status": "resolved",
    "alerts": [
        {
            "status": "resolved",
            "labels": {"alertname": "Disk"},
            "annotations": {"summary": "Disk is full"},
            "panelURL": "https://grafana.example/d/1?viewPanel=2",
            "valueString": "[ var='A' value=1 ]",
        }
    ],
}
REPOSITORY = {"full_name": "farm/shop", "html_url": "https://github.example/farm/shop"}
PUSH = {
    "ref": "refs/heads/main",
    "repository": REPOSITORY,
    "pusher": {"name": "ana", "email": "ana@example.com"},
    "sender": {"login": "ana"},
    "commits": [
        {"id": "d6cd1e2bd19e03a8", "message": "Sell *eggs*\n\nand milk", "url": "https://github.example/c/d6cd1e2b"},
        {"id": "0bb12", "message": "Fix", "url": "javascript:alert(1)"},
    ],
}
PULL_REQUEST = {
    "action": "opened",
    "number": 7,
    "pull_request": {"number": 7, "title": "Sell eggs", "html_url": "https://github.example/farm/shop/pull/7"},
    "repository": REPOSITORY,
    "sender": {"login": "ben"},
}
ISSUE_COMMENT = {
    "action": "created",
    "issue": {"number": 3, "title": "No eggs", "html_url": "https://github.example/farm/shop/issues/3"},
    "comment": {"body": "I know.\nI ate them.", "html_url": "https://github.example/farm/shop/issues/3#1"},
    "repository": REPOSITORY,
    "sender": {"login": "chloe"},
}
WORKFLOW = {
    "action": "completed",
    "workflow_run": {"name": "CI", "conclusion": "failure", "html_url": "https://github.example/farm/shop/runs/9"},
    "repository": REPOSITORY,
    "sender": {"login": "ana"},
}
MERGE_REQUEST = {
    "object_kind": "merge_request",
    "event_type": "merge_request",
    "user": {"name": "Ana", "username": "ana"},
    "project": {"path_with_namespace": "farm/shop", "web_url": "https://gitlab.example/farm/shop"},
    "object_attributes": {"title": "Sell eggs", "url": "https://gitlab.example/farm/shop/mr/1", "action": "open"},
}
GITLAB_PUSH = {
    "object_kind": "push",
    "ref": "refs/heads/main",
    "user_username": "ana",
    "project": {"path_with_namespace": "farm/shop", "web_url": "https://gitlab.example/farm/shop"},
    "commits": [{"id": "b6568db1bc1dcd7f", "message": "Fix", "url": "https://gitlab.example/c/b6568db1"}],
}
SENTRY = {
    "action": "created",
    "installation": {"uuid": "7a485448"},
    "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
    "data": {
        "issue": {
            "title": "ValueError: no eggs",
            "culprit": "shop.sell",
            "web_url": "https://sentry.example/issues/1/",
            "project": {"name": "Shop", "slug": "shop"},
        }
    },
}
KUMA = {
    "heartbeat": {"monitorID": 1, "status": 0, "msg": "timeout"},
    "monitor": {"id": 1, "name": "Shop", "url": "https://shop.example"},
    "msg": "[Shop] [\N{LARGE RED CIRCLE} Down] timeout",
}
REPO = "[farm/shop](<https://github.example/farm/shop>)"
PROJECT = "[farm/shop](<https://gitlab.example/farm/shop>)"
SENDERS = {
    "Alertmanager": Sent(
        {},
        ALERTMANAGER,
        "\N{FIRE} **[FIRING:1] NodeDown**\n"
        "- Node b2 is down: No lease for 15 s · node=b2, severity=critical · "
        "[source](<https://prometheus.example/graph?g0.expr=up>)\n"
        "- resolved: Node b2 is down: No lease for 15 s · node=b2, severity=critical",
    ),
    "Grafana": Sent(
        {},
        GRAFANA,
        "\N{WHITE HEAVY CHECK MARK} **[RESOLVED] Disk (ops)**\n"
        "- resolved: Disk is full · [source](<https://grafana.example/d/1?viewPanel=2>)",
    ),
    "GitHub push": Sent(
        {"X-GitHub-Event": "push"},
        PUSH,
        f"{REPO}: **ana** pushed 2 commits to `main`\n"
        "- [d6cd1e2b](<https://github.example/c/d6cd1e2b>) Sell \\*eggs\\*\n- 0bb12 Fix",
    ),
    "GitHub pull request": Sent(
        {"X-GitHub-Event": "pull_request"},
        PULL_REQUEST,
        f"{REPO}: pull request opened by **ben**\n#7 [Sell eggs](<https://github.example/farm/shop/pull/7>)",
    ),
    "GitHub comment": Sent(
        {"X-GitHub-Event": "issue_comment"},
        ISSUE_COMMENT,
        f"{REPO}: issue comment created by **chloe**\n#3 [No eggs](<https://github.example/farm/shop/issues/3>)\n"
        "> I know. I ate them.",
    ),
    "GitHub workflow": Sent(
        {"X-GitHub-Event": "workflow_run"},
        WORKFLOW,
        f"{REPO}: workflow run completed (failure) by **ana**\n[CI](<https://github.example/farm/shop/runs/9>)",
    ),
    "GitHub ping": Sent({"X-GitHub-Event": "ping"}, {"zen": "Calm."}, "**GitHub** will post here. Calm."),
    "GitLab merge request": Sent(
        {"X-Gitlab-Event": "Merge Request Hook"},
        MERGE_REQUEST,
        f"{PROJECT}: merge request open by **ana**\n[Sell eggs](<https://gitlab.example/farm/shop/mr/1>)",
    ),
    "GitLab push": Sent(
        {"X-Gitlab-Event": "Push Hook"},
        GITLAB_PUSH,
        f"{PROJECT}: **ana** pushed 1 commit to `main`\n- [b6568db1](<https://gitlab.example/c/b6568db1>) Fix",
    ),
    "Sentry": Sent(
        {"Sentry-Hook-Resource": "issue"},
        SENTRY,
        "**Sentry** Shop issue created\n[ValueError: no eggs](<https://sentry.example/issues/1/>)\nshop.sell",
    ),
    "Uptime Kuma": Sent({}, KUMA, "[Shop] [\N{LARGE RED CIRCLE} Down] timeout · https://shop.example"),
    "Slack": Sent(
        {},
        {
            "text": "Deploy *done* <https://shop.example|shop>",
            "username": "Deployer",
            "icon_emoji": ":rocket:",
            "attachments": [{"title": "v7", "title_link": "https://shop.example/7", "text": "all _green_"}],
        },
        "\N{ROCKET} **Deployer**\nDeploy **done** [shop](<https://shop.example>)\n"
        "> [v7](<https://shop.example/7>)\n> all _green_",
    ),
    "Tandem": Sent({}, {"body": "plain **words**"}, "plain **words**"),
}
