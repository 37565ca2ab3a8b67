-- lease: acquire or renew a node's lease, and report expired leases.
-- KEYS[1]: the hash of all leases, field <holder>: {name, until, …}. ARGV: 1 the holder, 2 its record without `until`,
-- 3 the lease in ms, 4 'take' for the first time, 'renew' after that, 5 a holder that is known to be dead, or '', 6 the
-- holder under which the node had a lease before, or '', 7 the longest step of the clock in ms, 8 the node's echo
-- channel.
-- Moves the clock. Reads all leases; ends the lease of the known dead holder. Writes the caller's lease, unless another
-- live holder has its name or, when renewing, its own is gone. An order to drain (drain.lua) stays in a renewed lease,
-- and is copied to a new one. Publishes to the echo channel: the node's subscribed connections follow this server.
-- Returns {'held' | 'lost' | 'taken', detail, the server's time, expired holders…}. detail: the other node's record if
-- 'taken'; 'drain' or '' if 'held'.
now = steady
redis.call('SET', clock, cjson.encode({server, now, tonumber(ARGV[7])}))
local record = cjson.decode(ARGV[2])
local dead, own, taken = {}, nil, nil
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
    local other = cjson.decode(fields[i + 1])
    if fields[i] == ARGV[1] then
        own = other
    elseif other.heard > now then
        -- Written by another clock: by a node of an older version, or before the clock's key was lost.
        other['until'], other.heard = now + other['until'] - other.heard, now
        redis.call('HSET', KEYS[1], fields[i], cjson.encode(other))
    elseif other['until'] <= now then
        dead[#dead + 1] = fields[i]
    elseif fields[i] == ARGV[5] then
        -- It ends now for all nodes: otherwise it could not be reaped, and would block the next renewal. What the node
        -- sent before it died counts until its lease would have ended (hold.lua), so it is reaped once more then.
        other.late, other['until'] = other['until'], now
        redis.call('HSET', KEYS[1], fields[i], cjson.encode(other))
        dead[#dead + 1] = fields[i]
    elseif other.name == record.name and not other.leaving then
        taken = fields[i + 1]
    end
end
if taken then return {'taken', taken, server} end
if ARGV[4] == 'renew' and (not own or own.reaper) then return {'lost', '', server, unpack(dead)} end
record['until'] = now + tonumber(ARGV[3])
record.heard = now
if ARGV[4] == 'renew' then
    record.drain = own.drain
else
    local ordered = redis.call('GET', KEYS[1] .. ':order:' .. ARGV[6])
    if ordered then record.drain = ordered == '1' or nil end
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(record))
redis.call('PUBLISH', ARGV[8], '')
return {'held', record.drain and 'drain' or '', server, unpack(dead)}
