-- hold: store all devices that a user has on one holder. Idempotent.
-- ARGV: 4 the holder, 5 its devices [[session, streams, sockets, active, ms until gone or 0], …], 6 the choice that
-- PostgreSQL has, '' if the caller has not read it, 7 the holder name of this node before it lost its lease, or '',
-- 8 the time, in ms by this server's clock, until which the write counts: the end of the holder's lease.
-- Reads the user; changes h:<holder>, seen, and choice if this one is newer; deletes h:<before>; stores and publishes
-- as settle does. A write that the network delivered too late changes nothing, because its holder may be reaped
-- already; it returns this server's time.
if now >= tonumber(ARGV[8]) then return now end
local field, devices = 'h:' .. ARGV[4], cjson.decode(ARGV[5])
local active = false
for _, row in ipairs(read(field) or {}) do active = active or (row[4] == 1 and row[5] == 0) end
for _, row in ipairs(devices) do
    active = active or (row[4] == 1 and row[5] == 0)
    if row[5] > 0 then row[5] = now + row[5] end
end
if ARGV[7] ~= '' then redis.call('HDEL', key, 'h:' .. ARGV[7]) end
if active then redis.call('HSET', key, 'seen', string.format('%.0f', now)) end
if #devices > 0 then redis.call('HSET', key, field, cjson.encode(devices)) else redis.call('HDEL', key, field) end
if ARGV[6] ~= '' then
    local known = read('choice')
    if not known or known[1] < cjson.decode(ARGV[6])[1] then redis.call('HSET', key, 'choice', ARGV[6]) end
end
return (settle())
