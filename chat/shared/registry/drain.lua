-- drain: order a node to drain (refuse new connections and close its own), or to resume.
-- KEYS[1]: the hash of all leases. ARGV: 1 the node's name, 2 '1' to drain, '0' to resume.
-- Changes the node's lease, which the node reads at its next beat. Also stores the order for a day, in case the node
-- hangs and its lease is reaped before that. Returns how many live leases were written: 0 or 1.
local fields, written = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #fields, 2 do
    local record = cjson.decode(fields[i + 1])
    if record.name == ARGV[1] and record['until'] > now and not record.leaving then
        record.drain = ARGV[2] == '1' or nil
        redis.call('HSET', KEYS[1], fields[i], cjson.encode(record))
        redis.call('SET', KEYS[1] .. ':order:' .. fields[i], ARGV[2], 'EX', 86400)
        written = written + 1
    end
end
return written
