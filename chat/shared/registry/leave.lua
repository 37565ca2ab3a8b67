-- leave: release a lease on shutdown. Users have the linger to reconnect elsewhere before their entries are reaped.
-- KEYS[1]: the hash of all leases. ARGV: 1 the holder, 2 the linger in ms. Changes the holder's lease, if it has one.
local record = redis.call('HGET', KEYS[1], ARGV[1])
if not record then return 0 end
record = cjson.decode(record)
record.leaving = true
record['until'] = steady + tonumber(ARGV[2])
return redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(record))
