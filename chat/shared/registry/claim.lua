-- claim: let one live node reap a dead one. If it dies too, another may claim the work when the claim has expired.
-- KEYS[1]: the hash of all leases. ARGV: 1 the dead holder, 2 the reaping holder, 3 the duration of the claim in ms.
-- Changes the dead holder's lease. Returns 0 without the claim; with it, 1 if the node died, 2 if it left in order, 3,
-- once, if it died and what it wrote last may still arrive: it must be reaped again when the lease would have ended.
local record = redis.call('HGET', KEYS[1], ARGV[1])
record = record and cjson.decode(record)
if not record or record['until'] > now then return 0 end
if record.reaper and record.reaper ~= ARGV[2] and record.claimed > now then return 0 end
local early = (record.late or 0) > now
if early and record.reaper then return 0 end
record.reaper, record.claimed = ARGV[2], now + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(record))
return record.leaving and 2 or early and 3 or 1
