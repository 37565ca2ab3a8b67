"""All faults by their names."""

from chat.chaos.faults.clients import cut_clients, half_open, same_post, sleepy_readers
from chat.chaos.faults.fault import Fault
from chat.chaos.faults.links import (
    cut_postgres_link,
    cut_redis_link,
    hang_postgres_link,
    hang_redis_link,
    lose_answers,
    slow_links,
)
from chat.chaos.faults.nodes import freeze_node, kill_node, kill_silenced_node, stop_nodes
from chat.chaos.faults.servers import flush_redis, freeze_postgres, freeze_redis, kill_redis, restart_postgres

NODE, REDIS, POSTGRES = frozenset({"node"}), frozenset({"redis"}), frozenset({"postgres"})
CLIENTS, NOTHING = frozenset({"clients"}), frozenset[str]()

FAULTS = {
    "kill-node": Fault("kill -9 of a node, started again later", kill_node, NODE, 2, 15),
    "kill-silenced-node": Fault("kill -9 of a node that commits unheard", kill_silenced_node, NODE, 2, 8),
    "stop-nodes": Fault("SIGTERM of every node in turn", stop_nodes, NODE, 15, 15),
    "freeze-node": Fault("SIGSTOP of a node", freeze_node, NODE, 5, 30),
    "kill-redis": Fault("Redis killed, back empty", kill_redis, REDIS, 2, 20),
    "flush-redis": Fault("FLUSHALL", flush_redis, REDIS, 1, 1),
    "freeze-redis": Fault("SIGSTOP of Redis", freeze_redis, REDIS, 2, 15),
    "restart-postgres": Fault("PostgreSQL stopped, fast or immediate", restart_postgres, POSTGRES, 1, 10),
    "freeze-postgres": Fault("SIGSTOP of PostgreSQL", freeze_postgres, POSTGRES, 2, 8),
    "lose-answers": Fault("commits whose answer is lost", lose_answers, POSTGRES | NODE, 2, 6),
    "cut-redis-link": Fault("one node cut off from Redis", cut_redis_link, REDIS | NODE, 2, 20),
    "hang-redis-link": Fault("one node half cut off from Redis", hang_redis_link, REDIS | NODE, 2, 20),
    "cut-postgres-link": Fault("one node cut off from PostgreSQL", cut_postgres_link, POSTGRES | NODE, 2, 15),
    "hang-postgres-link": Fault("one node half cut off from PostgreSQL", hang_postgres_link, POSTGRES | NODE, 2, 15),
    "slow-links": Fault("one node's links take 50 ms longer", slow_links, POSTGRES | REDIS | NODE, 3, 15),
    "sleepy-readers": Fault("readers that stop reading", sleepy_readers, CLIENTS, 3, 12),
    "half-open": Fault("an access network that swallows everything", half_open, CLIENTS, 5, 25),
    "cut-clients": Fault("every client cut at once", cut_clients, CLIENTS, 1, 1),
    "same-post": Fault("the same post fifty times over all nodes", same_post, NOTHING, 1, 1),
}
