"""All faults by their names."""

from chat.chaos.faults import clients, links, nodes, servers
from chat.chaos.faults.fault import Fault

NODE, REDIS, POSTGRES = frozenset({"node"}), frozenset({"redis"}), frozenset({"postgres"})
CLIENTS, NOTHING = frozenset({"clients"}), frozenset[str]()

FAULTS = {
    "kill-node": Fault("kill -9 of a node, started again later", nodes.kill_node, NODE, 2, 15),
    "kill-silenced-node": Fault("kill -9 of a node that commits unheard", nodes.kill_silenced_node, NODE, 2, 8),
    "stop-nodes": Fault("SIGTERM of every node in turn", nodes.stop_nodes, NODE, 15, 15),
    "freeze-node": Fault("SIGSTOP of a node", nodes.freeze_node, NODE, 5, 30),
    "kill-redis": Fault("Redis killed, back empty", servers.kill_redis, REDIS, 2, 20),
    "flush-redis": Fault("FLUSHALL", servers.flush_redis, REDIS, 1, 1),
    "freeze-redis": Fault("SIGSTOP of Redis", servers.freeze_redis, REDIS, 2, 15),
    "restart-postgres": Fault("PostgreSQL stopped, fast or immediate", servers.restart_postgres, POSTGRES, 1, 10),
    "freeze-postgres": Fault("SIGSTOP of PostgreSQL", servers.freeze_postgres, POSTGRES, 2, 8),
    "lose-answers": Fault("commits whose answer is lost", links.lose_answers, POSTGRES | NODE, 2, 6),
    "cut-redis-link": Fault("one node cut off from Redis", links.cut_redis_link, REDIS | NODE, 2, 20),
    "hang-redis-link": Fault("one node half cut off from Redis", links.hang_redis_link, REDIS | NODE, 2, 20),
    "cut-postgres-link": Fault("one node cut off from PostgreSQL", links.cut_postgres_link, POSTGRES | NODE, 2, 15),
    "hang-postgres-link": Fault(
        "one node half cut off from PostgreSQL", links.hang_postgres_link, POSTGRES | NODE, 2, 15
    ),
    "slow-links": Fault("one node's links take 50 ms longer", links.slow_links, POSTGRES | REDIS | NODE, 3, 15),
    "sleepy-readers": Fault("readers that stop reading", clients.sleepy_readers, CLIENTS, 3, 12),
    "half-open": Fault("an access network that swallows everything", clients.half_open, CLIENTS, 5, 25),
    "cut-clients": Fault("every client cut at once", clients.cut_clients, CLIENTS, 1, 1),
    "same-post": Fault("the same post fifty times over all nodes", clients.same_post, NOTHING, 1, 1),
}
