-- lease: acquire or renew a node's lease, and report expired leases.
-- KEYS[1]: the hash of all leases, field <holder>: {name, until, …}. ARGV: 1 the holder, 2 its record without `until`,
-- 3 the lease in ms, 4 'take' for the first time, 'renew' after that, 5 a holder that is known to be dead, or '', 6 the
-- holder under which the node had a lease before, or ''.
-- Reads all leases; ends the lease of the known dead holder. Writes the caller's lease, unless another live holder has
-- its name or, when renewing, its own is gone. An order to drain (drain.lua) stays in a renewed lease, and is copied to
-- a new one.
-- Returns {'held' | 'lost' | 'taken', detail, the server's time, expired holders…}. detail: the other node's record if
-- 'taken'; 'drain' or '' if 'held'.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local record = cjson.decode(ARGV[2])
local dead, own, taken = {}, nil, nil
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
    local other = cjson.decode(fields[i + 1])
    if fields[i] == ARGV[1] then
        own = other
    elseif other['until'] <= now then
        dead[#dead + 1] = fields[i]
    elseif fields[i] == ARGV[5] then
        -- It ends now for all nodes: otherwise it could not be reaped, and would block the next renewal.
        other['until'] = now
        redis.call('HSET', KEYS[1], fields[i], cjson.encode(other))
        dead[#dead + 1] = fields[i]
    elseif other.name == record.name and not other.leaving then
        taken = fields[i + 1]
    end
end
local now_text = string.format('%.0f', now)
if taken then return {'taken', taken, now_text} end
if ARGV[4] == 'renew' and (not own or own.reaper) then return {'lost', '', now_text, unpack(dead)} end
record['until'] = now + tonumber(ARGV[3])
record.heard = now
if ARGV[4] == 'renew' then
    record.drain = own.drain
else
    local ordered = redis.call('GET', KEYS[1] .. ':order:' .. ARGV[6])
    if ordered then record.drain = ordered == '1' or nil end
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(record))
return {'held', record.drain and 'drain' or '', now_text, unpack(dead)}
