-- name: note_registry
-- The registry is at hand; one note in a while is enough for all nodes.
update registry_seen set at = clock_timestamp() where at < clock_timestamp() - make_interval(secs => %s)

-- name: is_registry_seen
-- Has some node had the registry at hand within these seconds?
select at > clock_timestamp() - make_interval(secs => %s) from registry_seen
