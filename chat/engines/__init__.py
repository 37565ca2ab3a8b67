"""PostgreSQL and Valkey as children of this process: real servers from wheels, for `tandem up` and the tests.

Both are used alike: `with PostgresEngine(folder) as postgres: postgres.url`. How they run when this process
is root stands in deploy/decisions/.
"""

from chat.engines.engine import Engine
from chat.engines.postgres import PostgresEngine
from chat.engines.trouble import EngineTrouble, FolderTaken
from chat.engines.valkey import ValkeyEngine

__all__ = ["Engine", "EngineTrouble", "FolderTaken", "PostgresEngine", "ValkeyEngine"]
