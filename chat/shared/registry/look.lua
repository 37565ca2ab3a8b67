-- look: what others and he himself see of this person now.
-- Reads the person; stores and publishes only what time has brought about (a linger or a choice has ended), or where
-- the caller knows of a later version than the registry has.
return (settle())
