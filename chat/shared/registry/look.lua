-- look: return the views of a user, for others and for the user.
-- Reads the user. Stores and publishes only if a choice has ended, or if the caller knows of a later version than the
-- registry has.
return (settle())
