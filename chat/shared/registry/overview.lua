-- overview: read all leases and counters at one moment. KEYS[1]: the hash of all leases. ARGV: 1 the key of the
-- counters. Changes nothing. Returns {the server's time, the registry's time, leases, counters}.
local function text(moment) return string.format('%.0f', moment) end
return {text(server), text(now), redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', ARGV[1])}
