-- The log's partitions, kept by functions of the owner: nodes connect with a role that owns no table.
-- `search_path` is fixed, as it must be for a function that runs with its owner's rights.
do $do$
declare
    path text := format('%I, pg_temp', current_schema());
begin
    -- Made apart and then attached: `create … partition of` would stop all readers of the log meanwhile.
    execute format($f$
        create function make_log_partition(low bigint, high bigint) returns void
        language plpgsql security definer set search_path = %s as $$
        begin
            execute format('create table log_%%s (like log including defaults)', low);
            execute format('alter table log attach partition log_%%s for values from (%%s) to (%%s)', low, low, high);
        end $$
    $f$, path);

    -- Only a partition that lies below the log's floor: no cursor resumes there any more.
    execute format($f$
        create function drop_log_partition(name text) returns void
        language plpgsql security definer set search_path = %s as $$
        begin
            if not exists (
                select from pg_inherits i join pg_class c on c.oid = i.inhrelid
                 where i.inhparent = 'log'::regclass and c.relname = name
                   and (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''?(\d+)''?\)'))[1]::bigint
                       <= (select floor + 1 from log_head)
            ) then
                raise exception 'not a partition below the floor of the log: %%', name;
            end if;
            execute format('drop table %%I', name);
        end $$
    $f$, path);
end $do$;
revoke execute on function make_log_partition(bigint, bigint), drop_log_partition(text) from public;
