-- person: what every script about one person begins with.
-- KEYS[1]: the person's hash. ARGV: 1 the channel on which his news are published, 2 and 3 the versions of what others
-- and he himself see that the caller knows of, 0 if none.
-- Fields: h:<holder> the devices that a node holds, [[session, streams, sockets, active, gone], …]; choice, as in
-- choice.py; seen, when he was last active; shown and own, what others and he himself were told, version first; parts,
-- how many holders there are when there are several: each of them counts him as one part of so many.
-- Moments are milliseconds of this server's clock, so that no node's clock matters.
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local KEPT = 30 * 24 * 3600 * 1000

local function read(name)
    local data = redis.call('HGET', key, name)
    return data and cjson.decode(data)
end

-- How many devices count, one a session; whether one is active; the next moment at which a linger ends; the holders,
-- and how many parts they have last been told of.
local function merge_devices()
    local devices, count, active, due, holders, parts = {}, 0, false, 0, {}, 1
    local fields = redis.call('HGETALL', key)
    for i = 1, #fields, 2 do
        if fields[i] == 'parts' then
            parts = tonumber(fields[i + 1])
        elseif fields[i]:sub(1, 2) == 'h:' then
            holders[#holders + 1] = fields[i]:sub(3)
            for _, row in ipairs(cjson.decode(fields[i + 1])) do
                local gone = row[5]
                if gone == 0 or gone > now then
                    if not devices[row[1]] then devices[row[1]] = true; count = count + 1 end
                    active = active or row[4] == 1
                    if gone > now and (due == 0 or gone < due) then due = gone end
                end
            end
        end
    end
    return count, active, due, holders, parts
end

-- Stores `new` under `name` when it differs from `old`, or when the caller has seen a later version than ours: then
-- the registry has been lost. A version starts from the clock, so that it rises across a loss too.
local function store(name, old, new, known)
    local news = old[1] < known
    for i = 2, 6 do news = news or old[i] ~= new[i] end
    if not news then return old, false end
    new[1] = math.max(now, old[1] + 1, known + 1)
    redis.call('HSET', key, name, cjson.encode(new))
    return new, true
end

-- Of several holders each hears what he is and of how many it is one, or the sum of all nodes would be wrong until
-- each has written again. `moment`, in microseconds: what is older than what a holder knows is no news to it.
local function tell_holders(holders, parts, status, news, moment)
    if #holders ~= parts then
        if #holders > 1 then redis.call('HSET', key, 'parts', #holders) else redis.call('HDEL', key, 'parts') end
    elseif #holders < 2 or not news then
        return
    end
    local said = table.concat({key:match('u:(%d+)'), status, #holders, moment}, ' ')
    for _, holder in ipairs(holders) do redis.call('PUBLISH', 'tandem:holder:' .. holder:match('[^~]*$'), said) end
end

-- Works out what others and he himself see now, and publishes it where it has changed.
-- Returns [shown, own, in how many milliseconds to look again (0: no need), how many holders, moved, moment] as JSON,
-- and `moved`: 1 when others see him come by this, -1 when they see him go.
local function settle()
    local _, mode, text, emoji, ends = unpack(read('choice') or {0, 'online', '', '', 0})
    if ends > 0 and ends <= now then mode, text, emoji, ends = 'online', '', '', 0 end
    local count, active, due, holders, parts = merge_devices()
    local status = 'offline'
    if count > 0 then
        status = mode == 'dnd' and 'dnd' or (mode ~= 'away' and active) and 'online' or 'away'
    end
    if ends > 0 and (due == 0 or ends < due) then due = ends end

    local was = read('shown') or {0, 'offline', '', '', 0, 0, 0}
    local mine = read('own') or {0, 'offline online', '', '', 0, 0}
    local shown = mode == 'invisible' and {0, 'offline', '', '', 0, 0} or {0, status, text, emoji, ends, count}
    -- The comings and goings of an invisible person must not move what others take for his last time here.
    local hidden = was[2] == 'offline' and shown[2] == 'offline'
    shown[7] = hidden and was[7] or tonumber(redis.call('HGET', key, 'seen') or 0)
    local own = {0, status .. ' ' .. mode, text, emoji, ends, count}
    local news, mine_news
    shown, news = store('shown', was, shown, tonumber(ARGV[2]))
    own, mine_news = store('own', mine, own, tonumber(ARGV[3]))
    if count == 0 then redis.call('PEXPIRE', key, KEPT) else redis.call('PERSIST', key) end
    if news or mine_news then redis.call('PUBLISH', ARGV[1], cjson.encode({shown, own})) end
    local moment, moved = string.format('%.0f', time[1] * 1000000 + time[2]), 0
    tell_holders(holders, parts, shown[2], news, moment)
    -- Where the registry had been lost, he has not come: he was here all the time.
    if (was[2] == 'offline') ~= (shown[2] == 'offline') and was[1] >= tonumber(ARGV[2]) then
        moved = was[2] == 'offline' and 1 or -1
    end
    return cjson.encode({shown, own, due > 0 and due - now or 0, #holders, moved, moment}), moved
end
