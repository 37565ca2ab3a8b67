"""The composition root of a node. This module opens all parts in order and closes them in reverse."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import cache, partial
from typing import Any

import orjson
from aiohttp import web

from chat import routes
from chat.accounts.accounts import Accounts
from chat.accounts.joining import TeamReader
from chat.accounts.jwt import JsonWebTokens
from chat.accounts.login_endpoints import ACCOUNTS, CHALLENGES, FACTORS, OIDC_ACCOUNTS, SESSIONS, TOKENS
from chat.accounts.mail import ADDRESSES, EmailAddresses
from chat.accounts.oidc import OidcProvider
from chat.accounts.oidc_endpoints import OIDC, PICTURES
from chat.accounts.passkeys import Challenges
from chat.accounts.pictures import RemotePictures
from chat.accounts.second_factors import SecondFactors
from chat.accounts.sessions import Sessions
from chat.accounts.sign_on import OidcAccounts
from chat.conversations.endpoints import READ_MARKS, READ_PRESENCES
from chat.conversations.read_marks import ReadMarks
from chat.cross_origin import add_cors_headers
from chat.delivery import EVIDENCE
from chat.erasure import Cleanup, run_erasures
from chat.files.endpoints import UPLOADS, add_tus_version
from chat.files.uploads import FileCleanup, open_uploads
from chat.integrations.deliveries import HookSender
from chat.integrations.emails import Emails
from chat.integrations.endpoints import DELIVERIES
from chat.integrations.push import PUSH, Push
from chat.log.append import LOG, Announcer, Log
from chat.log.maintenance import Retention, keep_ending_stuck
from chat.log.subscriptions import Subscriptions
from chat.messages.endpoints import APPENDS, HERE, POSTS, REMINDERS
from chat.messages.finishing import StreamUpkeep
from chat.messages.mentions import HereResolver
from chat.messages.posting import PostWriter
from chat.messages.previews import LinkPreviews
from chat.messages.queues import QueueIntake, publication_kind
from chat.messages.reminders import ReminderDelivery
from chat.messages.scheduled import SCHEDULED, ScheduledDelivery
from chat.messages.socket_commands import COMMANDS as SOCKET_COMMANDS
from chat.messages.socket_commands import answer_command, joins, read_command
from chat.messages.streaming import AppendWriter
from chat.middleware import ANSWERS, add_headers, add_request_id, answer_problems, charge_anonymous, trace
from chat.node_metrics import (
    Metrics,
    Part,
    WalArchive,
    collect_admission,
    collect_files,
    collect_intake,
    collect_subscriptions,
    list_parts,
)
from chat.operations.canary import Canary
from chat.operations.draining import Isolation, NodeDrain, Readiness, Rebalancing
from chat.operations.endpoints import DESCRIPTIONS, METRICS, READINESS
from chat.operations.node_report import DeliveryReport, LoopLag, MemoryTrimmer, NodeReport
from chat.route_limits import charge_routes, scope_routes
from chat.search.indexer import Indexer
from chat.shared.audit import SecurityEvents
from chat.shared.bus import make_bus
from chat.shared.identity import Identities
from chat.shared.postgres import Pool, open_pool
from chat.shared.rate_limits import Rates
from chat.shared.redis import open_redis
from chat.shared.registry.registry import Registry
from chat.shared.route import PARAMETERS, name_parameters
from chat.shared.settings import Settings
from chat.shared.tasks import Tasks
from chat.shared.web import ADMISSION, CHARGES, EVENTS, IDENTITIES, POOL, RATES, REGISTRY, SCOPES, SETTINGS, Admission
from chat.stream.connections import Streams
from chat.stream.endpoints import STREAMS
from chat.stream.websocket import COMMANDS, Commands
from chat.team import NotificationCounts, count_team, greet, greet_new_users
from chat.transfer.endpoints import AT_ONCE, IMPORTS, TURNS
from chat.transfer.jobs import ImportJobs
from chat.transfer.supervisor import ImportSupervisor
from presence.dashboard import describe_evidence
from presence.endpoints import PRESENCE, SOCKETS
from presence.protocol import SIGNALS
from presence.sockets import Sockets
from presence.visibility import find_here

TASKS = web.AppKey("tasks", Tasks)
NODE_URL = web.AppKey("reach", str)  # where peer nodes reach this node; "" if unknown
DRAINING = web.AppKey("draining", NodeDrain)
INTAKE = web.AppKey("intake", QueueIntake)
MESSAGES = [*routes.ACCOUNTS, *routes.FILES, *routes.IMPORTS, *routes.CHAT]
ROUTES = {
    "all": [*routes.HEALTH, *routes.OPERATIONS, *MESSAGES, *PRESENCE, *routes.SITE],
    "messages": [*routes.HEALTH, *routes.OPERATIONS, *MESSAGES, *routes.SITE],
    "presence": [*routes.HEALTH, *routes.OPERATIONS, *PRESENCE],
}


def make_app(settings: Settings) -> web.Application:
    """Return a node's app, not started yet: `web.AppRunner` or a test server starts it."""
    app = web.Application(
        middlewares=[trace, answer_problems, charge_anonymous], client_max_size=settings.max_batch_bytes
    )
    app[SETTINGS], app[NODE_URL] = settings, settings.node_url
    app[ANSWERS] = Counter()
    app.on_response_prepare.extend([add_headers, add_request_id, add_tus_version])
    if settings.allowed_origins:
        app.on_response_prepare.append(add_cors_headers)
    app.cleanup_ctx.append(open_parts)
    apart = routes.HEALTH if settings.operations_port else []
    app.add_routes(route for route in ROUTES[settings.role] if route not in apart)
    app[CHARGES], app[PARAMETERS] = charge_routes(app.router), name_parameters(ROUTES[settings.role])
    app[SCOPES], app[COMMANDS] = scope_routes(app.router), Commands(read_command, answer_command, joins)
    described: Callable[[str], bytes] = partial(describe, settings.role)
    app[DESCRIPTIONS] = described
    return app


def make_operations_app(app: web.Application) -> web.Application:
    """Return an app with only health and metrics, for their own port. `app` must have started."""
    own = web.Application(middlewares=[trace, answer_problems, charge_anonymous])
    shared: list[web.AppKey[Any]] = [SETTINGS, ANSWERS, PARAMETERS, RATES, STREAMS, READINESS, REGISTRY, METRICS]
    for key in shared:
        own[key] = app[key]
    own.on_response_prepare.extend([add_headers, add_request_id])
    own.add_routes(routes.HEALTH)
    own[CHARGES] = charge_routes(own.router)
    return own


@cache
def describe(role: str, what: str) -> bytes:
    """Return the API of a node of this role for machines: `openapi`, `asyncapi`, or the `types` of both."""
    from chat.api_schema.asyncapi import describe_channels  # imported late: a node starts 0.2 s sooner
    from chat.api_schema.openapi import REF, declare_types, describe_api

    sent = SIGNALS.json_schema(ref_template=REF), SOCKET_COMMANDS.json_schema(ref_template=REF)
    channels = describe_channels(*sent)
    if what == "types":
        return declare_types(describe_api(ROUTES[role]), channels).encode()
    return orjson.dumps(channels if what == "asyncapi" else describe_api(ROUTES[role]))


def open_feeds(app: web.Application, pool: Pool, journal: Log) -> tuple[QueueIntake | None, Subscriptions | None]:
    """Return the consumer of POSTS_FROM, and the readers of the log: hooks, notifications, previews and POSTS_TO.

    Presence nodes neither post nor publish.
    """
    settings = app[SETTINGS]
    if settings.role == "presence":
        return None, None
    parts = app[POSTS], app[HERE]
    intake = QueueIntake(settings.posts_from, settings.node, pool, *parts) if settings.posts_from else None
    hooks = app[DELIVERIES] = HookSender(pool, journal, *parts, app[RATES].post, settings.hosts_allowed)
    kinds = [hooks.kind, app[PUSH].kind, *([publication_kind(settings.posts_to)] if settings.posts_to else [])]
    if settings.link_previews:
        kinds.append(LinkPreviews(settings, journal, pool, app[RATES].preview).kind)
    subscriptions = Subscriptions(pool, settings.node, kinds)
    hooks.wake = subscriptions.wake
    if intake:
        app[INTAKE] = intake
    return intake, subscriptions


async def open_parts(app: web.Application) -> AsyncIterator[None]:
    """Open PostgreSQL, Redis, the log and the streams, then start the background tasks."""
    settings = app[SETTINGS]
    async with open_redis(settings.redis_url) as redis, open_pool(settings.database_url, wait=10) as pool:
        await pool.wait(timeout=10)
        tasks = app[TASKS] = Tasks()
        identities = app[IDENTITIES] = Identities(pool, settings.session_idle_days, settings.admin_mfa == "required")
        registry = app[REGISTRY] = Registry(settings, pool, redis)
        bus = make_bus(settings.bus_url, settings.redis_url, redis, registry.echo)
        streams = app[STREAMS] = Streams(settings, pool, bus, identities, registry)
        announcer = Announcer(bus, streams.tail.on_commit)
        journal = app[LOG] = Log(pool, announcer.announce, settings.node)
        posts = app[POSTS] = PostWriter(journal, settings.append_queue, settings.append_patience)
        appends = app[APPENDS] = AppendWriter(
            journal,
            settings.append_interval,
            settings.max_streamed_chars,
            settings.append_queue,
            settings.append_patience,
        )
        upkeep = StreamUpkeep(pool, journal, settings.streaming_idle)
        read_marks = app[READ_MARKS] = ReadMarks(journal, settings.append_queue, settings.receipts_most)
        here = app[HERE] = HereResolver(pool, settings.here_most, partial(find_here, registry))
        scheduled = app[SCHEDULED] = ScheduledDelivery(pool, posts, journal, here)
        retention = Retention(pool, settings.log_partition_entries, settings.log_retention_days)
        days, limit = (settings.session_days, settings.session_idle_days), settings.sessions_per_person
        sessions = app[SESSIONS] = Sessions(pool, journal, *days, limit)
        app[FACTORS], app[CHALLENGES] = SecondFactors(pool, journal), Challenges(pool)
        team = TeamReader(pool, settings.signup)
        accounts = app[ACCOUNTS] = Accounts(pool, journal, sessions, team, settings.directory)
        accounts.greet = greet
        rates = app[RATES] = Rates(settings, redis)
        reminders = app[REMINDERS] = ReminderDelivery(pool, posts, app[HERE], rates.post, settings.default_language)
        events = app[EVENTS] = SecurityEvents(pool)
        sockets = app[SOCKETS] = Sockets(
            settings, pool, registry, rates, streams.intervals.of, streams.hub.conversations
        )
        app[READ_PRESENCES] = sockets.lookup.try_read
        # A revocation arrives by Redis and by the log, and has the same effect. Presence nodes follow the log too.
        registry.on_revoked += [identities.forget, streams.connections.revoke]
        delivery, lag, archive = DeliveryReport(pool), LoopLag(), WalArchive(pool)
        streams.hub.followers += [sockets.follower, delivery, upkeep]
        streams.tail.on_announcement = announcer.on_announcement
        push = app[PUSH] = Push(settings, journal, pool, registry)
        app[ADDRESSES], emails = EmailAddresses(settings, pool), Emails(settings, pool, registry)
        push.wake_mails = emails.wake
        count_team(app, pool, settings.mails_notifications)
        draining = app[DRAINING] = NodeDrain([streams.connections, sockets.roster], settings.drain_seconds, tasks.start)
        registry.on_ordered.append(draining.set_draining)
        isolation = Isolation(pool, registry, draining.set_draining)
        registry.reports.append(isolation.report)
        rebalancing = Rebalancing(registry, streams.connections, settings.rebalance_seconds, settings.rebalance_few)
        admission = app[ADMISSION] = Admission(
            settings.lag_most,
            settings.opening_most,
            lag.now,
            lambda: identities.waiting() + streams.replay.running + sockets.waiting(),
        )
        app[EVIDENCE] = lambda user_id: describe_evidence(pool, registry, user_id)
        uploads = app[UPLOADS] = open_uploads(pool, settings, rates.pixels)
        pictures = app[PICTURES] = RemotePictures(journal, settings.directory, uploads.pictures)
        if settings.has_tokens:
            tokens = app[TOKENS] = JsonWebTokens(pool, journal, settings, pictures)
            identities.admit = tokens.admit
        if settings.oidc_issuer:
            app[OIDC] = OidcProvider(settings)
            app[OIDC_ACCOUNTS] = OidcAccounts(pool, journal, sessions, settings.oidc_issuer)
        app[READINESS] = Readiness(pool)
        imports = app[IMPORTS] = ImportJobs(pool)
        app[POOL], app[TURNS] = pool, asyncio.Semaphore(AT_ONCE)
        queues = {
            "posts": posts.waiting,
            "appends": appends.waiting,
            "read marks": read_marks.waiting,
            "identities": identities.waiting,
            "sight": sockets.visibility.waiting,
            "registry": registry.writer.waiting,
            "security events": events.waiting,
        }
        canary = Canary(pool, registry, settings.node, app[NODE_URL], settings.canary_seconds)
        registry.reports.append(canary.report)
        parts = pool, journal, streams, registry, sockets, canary, queues, app[ANSWERS], appends, upkeep
        admitted = partial(collect_admission, streams.connections, admission, rebalancing)
        intake, subscriptions = open_feeds(app, pool, journal)
        streams.hub.followers += [subscriptions] if subscriptions else []
        more: list[Part] = [partial(collect_files, uploads), admitted, archive.collect]
        calls = app[DELIVERIES].outcomes if subscriptions else {}
        more.append(partial(collect_intake, intake))
        more.append(partial(collect_subscriptions, subscriptions, settings.posts_to, calls, streams.hub))
        more += [push.collect, emails.collect] if settings.role != "presence" else []
        app[METRICS] = Metrics(streams, registry, lag, [*list_parts(*parts), *more]).encode
        registry.reports.append(NodeReport(streams, announcer, registry.reaper, lag, delivery, queues).describe)
        cleanup = Cleanup(
            pool,
            audit=settings.audit_retention_days,
            events=settings.events_retention_days,
            expired=settings.expired_retention_days,
        )
        journal.on_missing_partition = retention.wake
        await retention.start()
        await streams.tail.start()
        await registry.begin()
        works: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "receive announcements": streams.tail.listen,
            "follow the log": streams.tail.follow,
            "publish announcements": announcer.run,
            "commit posts": posts.run,
            "time out late posts": posts.expire,
            "commit appends": appends.run,
            "time out late appends": appends.expire,
            "end stuck sessions": partial(keep_ending_stuck, pool),
            "move read marks": read_marks.run,
            "look up identities": identities.run,
            "record session use": identities.keep_touching,
            "look up memberships": streams.intervals.run,
            "read the log's head": streams.heads.run,
            "maintain log partitions": retention.run,
            "measure event loop lag": lag.run,
            "run the canary": canary.run,
            "rebalance streams": rebalancing.run,
            "detect isolation": isolation.run,
            "compare clocks": delivery.run,
            "check the WAL archive": archive.run,
            "trim memory": MemoryTrimmer(lambda: len(streams.connections) + len(sockets.roster)).run,
            "erase deleted accounts": partial(run_erasures, journal),
            "delete expired rows": cleanup.run,
            "write security events": events.run,
            "fetch pictures of new users": pictures.run,
            "index messages": Indexer(pool, busy=posts.busy).run,
            "record streams": streams.records.run,
            "send stream heartbeats": lambda: streams.connections.beat(streams.hub),
            **registry.works(),
            **sockets.works(),
        }
        if intake:
            works["consume the queue"] = intake.run
        if subscriptions:
            works["read subscriptions"] = subscriptions.run
        if settings.role != "presence":  # a presence node may have another folder
            works["send notifications"] = push.run
            sent = {"push": push.outcomes, "email": emails.outcomes}
            works["count notifications"] = NotificationCounts(pool, sent).run
            works |= {"send e-mails": emails.run} if settings.mails_notifications else {}
            works["clean up files"] = FileCleanup(pool, uploads.storage).run
            works["keep up streamed messages"] = upkeep.run
            works["deliver reminders"] = reminders.run
            works["post scheduled messages"] = scheduled.run
            works["add new users to the general channel"] = partial(greet_new_users, journal, pool)
            works["supervise imports"] = ImportSupervisor(pool, settings, imports.work).run
        for name, work in works.items():
            tasks.start(name, work())
        yield
        streams.connections.end_all("drain")
        sockets.roster.end_all("drain")
        await appends.finish()
        await tasks.stop()
        await bus.close()
        await streams.records.finish()
        await events.finish()
        await registry.leave()
        accounts.hasher.close()
