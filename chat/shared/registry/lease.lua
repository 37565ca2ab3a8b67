-- lease: a node says that it lives, and hears who does not.
-- KEYS[1]: the hash of all leases, field <holder>: {name, until, …}. ARGV: 1 the holder, 2 its record without `until`,
-- 3 the lease in ms, 4 'take' for the first time, 'renew' after that, 5 a holder that is known to be dead, or '', 6 the
-- holder under which the node had a lease before, or ''.
-- Reads all leases; ends that of the known dead; writes the holder's, unless another living holder has its name or,
-- renewing, its own is gone. An order to drain, which others write into a lease (drain.lua), stays in it; and who takes
-- a new one hears what was ordered of the one before.
-- Returns {'held' | 'lost' | 'taken', the record in the way; where held 'drain' if so ordered, else ''; the server's
-- now, dead holders…}.
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
        -- over now, for everybody: else it could not be reaped, and would be in the way of the next renewal
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
