-- name: report_registry
-- The registry answers. One report per period is enough for all nodes.
update registry_seen set at = clock_timestamp() where at < clock_timestamp() - make_interval(secs => %s)

-- name: is_registry_seen
-- Whether some node has reported that the registry answers within these seconds.
select at > clock_timestamp() - make_interval(secs => %s) from registry_seen
