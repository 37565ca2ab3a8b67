-- clock: the beginning of every script about leases: the registry's time, in milliseconds.
-- KEYS[1]: the hash of all leases. <KEYS[1]>:clock has [the server's time, the registry's time, the longest step] as of
-- the last renewal; every node renews at each beat.
-- Registry time passes as the server's does, but it never goes back, and no renewal moves it by more than a step. A
-- clock that is set forward, a server that hung, and a failover to a host with another clock therefore expire no lease
-- before its node has had time to renew it; a clock that is set back delays an expiry by no more than a beat.
-- `steady` is the time by which leases are written; `now` is the time for readers, who see that no node has renewed.
local server, now, steady, clock = 0, 0, 0, KEYS[1] .. ':clock'
do
    local time, last = redis.call('TIME'), redis.call('GET', clock)
    server = time[1] * 1000 + math.floor(time[2] / 1000)
    last = last and cjson.decode(last) or {server, server, 0}
    now = last[2] + math.max(0, server - last[1])
    steady = math.min(now, last[2] + last[3])
end
