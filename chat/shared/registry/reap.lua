-- reap: delete a user's devices on dead holders. Idempotent.
-- ARGV: 4… the holders. Reads the user; deletes each h:<holder>; stores and publishes as settle does.
-- Returns {how many holders had devices, -1 if the user went offline for others by this}.
local found, moved, _ = 0, 0, nil
for i = 4, #ARGV do found = found + redis.call('HDEL', key, 'h:' .. ARGV[i]) end
if found > 0 then _, moved = settle() end
return {found, moved}
