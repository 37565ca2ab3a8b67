-- person: the beginning of every script about one user.
-- KEYS[1]: the user's hash. ARGV: 1 the channel for the user's changes, 2 and 3 the versions of the views for others
-- (shown) and for the user (own) that the caller knows, 0 if none.
-- Fields: h:<holder> the devices on a node, [[session, streams, sockets, active, gone], …]; choice, as status_choice.py
-- encodes it; seen, when the user was last active; shown and own, the last views, version first; parts, the number of
-- holders if there are several: each of them counts the user as one part of so many; moment, that of their last news.
-- Moments are milliseconds of this server's clock, so that no node's clock matters. But this server's clock may be set
-- forward or back, so only a choice expires by it. A device counts until its holder writes without it (at the end of
-- its linger, by the node's steady clock) or is reaped. `gone`, when the linger should end, is for the dashboard.
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local KEPT = 30 * 24 * 3600 * 1000

local function read(name)
    local data = redis.call('HGET', key, name)
    return data and cjson.decode(data)
end

-- Returns how many devices count, one for each session; whether one is active; the holders; the number of parts they
-- were last notified of; and the moment of that, in microseconds.
local function merge_devices()
    local devices, count, active, holders, parts, moment = {}, 0, false, {}, 1, 0
    local fields = redis.call('HGETALL', key)
    for i = 1, #fields, 2 do
        if fields[i] == 'parts' then
            parts = tonumber(fields[i + 1])
        elseif fields[i] == 'moment' then
            moment = tonumber(fields[i + 1])
        elseif fields[i]:sub(1, 2) == 'h:' then
            holders[#holders + 1] = fields[i]:sub(3)
            for _, row in ipairs(cjson.decode(fields[i + 1])) do
                if not devices[row[1]] then devices[row[1]] = true; count = count + 1 end
                active = active or row[4] == 1
            end
        end
    end
    return count, active, holders, parts, moment
end

-- Stores `new` under `name` if it differs from `old`, or if the caller knows a later version: then Redis has lost data.
-- A version starts from the clock, so that it also rises across a loss.
local function store(name, old, new, known)
    local news = old[1] < known
    for i = 2, 6 do news = news or old[i] ~= new[i] end
    if not news then return old, false end
    new[1] = math.max(now, old[1] + 1, known + 1)
    redis.call('HSET', key, name, cjson.encode(new))
    return new, true
end

-- If there are several holders, notifies each of the user's status and of the number of holders. Otherwise the sum over
-- all nodes would be wrong until each has written again. `moment`, in microseconds: holders ignore older news.
local function notify_holders(holders, parts, status, news, moment)
    if #holders ~= parts then
        if #holders > 1 then redis.call('HSET', key, 'parts', #holders) else redis.call('HDEL', key, 'parts') end
    elseif #holders < 2 or not news then
        return
    end
    redis.call('HSET', key, 'moment', moment)
    local start = ARGV[1]:match('^tandem:%d*/?') .. 'holder:'
    local said = table.concat({key:match('u:(%d+)'), status, #holders, moment}, ' ')
    for _, holder in ipairs(holders) do redis.call('PUBLISH', start .. holder:match('[^~]*$'), said) end
end

-- Computes the views for others and for the user, and publishes them if they have changed.
-- Returns [shown, own, milliseconds until the choice ends (0: never), number of holders, moved, moment] as JSON, and
-- `moved`: 1 if the user went online for others by this, -1 if offline.
local function settle()
    local _, mode, text, emoji, ends = unpack(read('choice') or {0, 'online', '', '', 0})
    if ends > 0 and ends <= now then mode, text, emoji, ends = 'online', '', '', 0 end
    local count, active, holders, parts, moment = merge_devices()
    local status = 'offline'
    if count > 0 then
        status = mode == 'dnd' and 'dnd' or (mode ~= 'away' and active) and 'online' or 'away'
    end

    local was = read('shown') or {0, 'offline', '', '', 0, 0, 0}
    local mine = read('own') or {0, 'offline online', '', '', 0, 0}
    local shown = mode == 'invisible' and {0, 'offline', '', '', 0, 0} or {0, status, text, emoji, ends, count}
    -- The activity of an invisible user must not change the last-active time that others see.
    local hidden = was[2] == 'offline' and shown[2] == 'offline'
    shown[7] = hidden and was[7] or tonumber(redis.call('HGET', key, 'seen') or 0)
    local own = {0, status .. ' ' .. mode, text, emoji, ends, count}
    local news, mine_news
    shown, news = store('shown', was, shown, tonumber(ARGV[2]))
    own, mine_news = store('own', mine, own, tonumber(ARGV[3]))
    if count == 0 then redis.call('PEXPIRE', key, KEPT) else redis.call('PERSIST', key) end
    if news or mine_news then redis.call('PUBLISH', ARGV[1], cjson.encode({shown, own})) end
    local moved = 0
    moment = string.format('%.0f', math.max(time[1] * 1000000 + time[2], moment + 1))
    notify_holders(holders, parts, shown[2], news, moment)
    -- After a loss of data the user has not joined, but was online all the time.
    if (was[2] == 'offline') ~= (shown[2] == 'offline') and was[1] >= tonumber(ARGV[2]) then
        moved = was[2] == 'offline' and 1 or -1
    end
    return cjson.encode({shown, own, ends > 0 and ends - now or 0, #holders, moved, moment}), moved
end
