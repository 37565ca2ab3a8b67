-- Probes: accounts and a room by which Tandem watches itself, under the highest ids; people's lists leave them out.

create function is_probe(id bigint) returns boolean language sql immutable parallel safe as $$
    select id >= 9007194959773696                -- 2^53 - 2^32, as chat/shared/probes.py has it
$$;
