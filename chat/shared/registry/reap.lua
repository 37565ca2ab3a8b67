-- reap: these holders are dead, and hold nothing any more. Doing it again changes nothing.
-- ARGV: 4… the holders. Reads the person; deletes their h:<holder>; stores and publishes as settle does.
-- Returns how many of them had held something.
local found = 0
for i = 4, #ARGV do found = found + redis.call('HDEL', key, 'h:' .. ARGV[i]) end
if found > 0 then settle() end
return found
