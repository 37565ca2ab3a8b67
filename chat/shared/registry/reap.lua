-- reap: these holders are dead, and hold nothing any more. Doing it again changes nothing.
-- ARGV: 4… the holders. Reads the person; deletes their h:<holder>; stores and publishes as settle does.
-- Returns {how many of them had held something, -1 when others see the person go by this}.
local found, moved, _ = 0, 0, nil
for i = 4, #ARGV do found = found + redis.call('HDEL', key, 'h:' .. ARGV[i]) end
if found > 0 then _, moved = settle() end
return {found, moved}
