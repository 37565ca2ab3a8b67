-- drain: the node of this name is to take nothing new and let go of what it has; or to come back.
-- KEYS[1]: the hash of all leases. ARGV: 1 the name, 2 '1' to drain, '0' to come back. Changes its lease, which the node
-- reads at its next beat; and keeps the order beside it for a day, in case the node hangs and its lease is reaped before
-- that. Returns how many leases, of those alive, were written: 0 or 1.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fields, told = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #fields, 2 do
    local record = cjson.decode(fields[i + 1])
    if record.name == ARGV[1] and record['until'] > now and not record.leaving then
        record.drain = ARGV[2] == '1' or nil
        redis.call('HSET', KEYS[1], fields[i], cjson.encode(record))
        redis.call('SET', KEYS[1] .. ':order:' .. fields[i], ARGV[2], 'EX', 86400)
        told = told + 1
    end
end
return told
