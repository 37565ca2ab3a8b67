-- overview: read all leases and counters at one moment. KEYS[1]: the hash of all leases. ARGV: 1 the key of the
-- counters. Changes nothing. Returns {the server's time, leases, counters}.
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
return {now, redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', ARGV[1])}
