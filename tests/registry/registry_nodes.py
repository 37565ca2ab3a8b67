"""The registry of one node with its background tasks, without the rest of the node."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from chat.shared.postgres import open_pool
from chat.shared.redis import open_redis
from chat.shared.registry.registry import Registry
from chat.shared.registry.reporting import Evidence
from chat.shared.settings import read_settings
from chat.shared.tasks import Tasks
from tests.waiting import LIMIT, eventually

QUICK = {"presence_linger": 0.4, "node_lease": 0.5}


class RegistryNode:
    """A registry that can be killed."""

    def __init__(self, registry: Registry, tasks: Tasks) -> None:
        self.registry, self.tasks = registry, tasks

    async def dies(self) -> None:
        """Stop at once, as after kill -9, without telling anyone."""
        await self.tasks.stop()

    async def status(self, user_id: int) -> str:
        """Return what others see of this user."""
        return str((await self.registry.read_views([(user_id, 0, 0)]))[user_id][0][1])

    async def shows(self, user_id: int, status: str, limit: float = LIMIT) -> None:
        """Wait until others see this."""

        async def is_so() -> bool:
            return await self.status(user_id) == status

        await eventually(is_so, limit)

    async def evidence(self, user_id: int) -> Evidence:
        """Return the user's evidence in the registry."""
        return await self.registry.read_evidence(user_id)


@asynccontextmanager
async def open_registry_node(
    database_url: str, redis_url: str, name: str = "a1", **settings: object
) -> AsyncIterator[RegistryNode]:
    """Open a registry with short times; at the end it leaves, silently if it was killed before."""
    given = read_settings(database_url=database_url, redis_url=redis_url, node=name, **QUICK | settings)
    async with open_redis(redis_url) as redis, open_pool(database_url, size=2) as pool:
        tasks = Tasks()
        registry = Registry(given, pool, redis)
        try:
            await registry.begin()
            for task, work in registry.works().items():
                tasks.start(task, work())
            yield RegistryNode(registry, tasks)
        finally:
            await tasks.stop()


async def enrol(database_url: str, *names: str) -> list[int]:
    """Create accounts; return their ids."""
    ids = []
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for name in names:
            statement = "insert into users (name, display_name, password_hash) values (%s, %s, '') returning id"
            row = await (await connection.execute(statement, [name, name])).fetchone()
            assert row is not None
            ids.append(row[0])
    return ids
