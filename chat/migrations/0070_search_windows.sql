-- Search by a conversation's own windows, and from where a day stands in the log (deploy/decisions/0020-search-index.md).

-- Nodes of the version before would write what is found by less. They do not find this table, and leave indexing to
-- those that do. Of what is indexed from here on they find the newest; people find the rest when the new nodes are there.
alter table search_progress rename to search_state;

-- Where in the log the messages of a day are, by the times that they bear (UTC).
create table search_days (
    day             date primary key,
    first           bigint not null,
    last            bigint not null
);

-- All messages are walked through again.
update search_state set conversation_id = 0, seq = 0 where exists (select from messages);

-- The newest messages below `start` that answer, from window to window of the log, or of one conversation (`own`). The
-- first is `width` places wide; after it, twice as wide as a full page takes by what has been found, or sixteen times
-- as wide while nothing has been found. So a common word costs its page, and a rare one a few look-ups. Here and not
-- at the node, for each window would be a round trip.
--
-- Windows have keys (chat/search/lexemes.py), of two of which one is made; what is older than the widest of them, or
-- hardly more, is looked through at once (`whole`). What, where, when and the window are asked apart, for the index then
-- leaps from one to the next; in one query it would step through all that was ever said in these conversations. `rest`
-- and the conversations are not for an index: hence the function behind the operator, and the + 0.
create function search_places(
    own boolean, prefix text, whole tsquery, start bigint, first bigint, width float8, widest integer,
    what tsquery, "where" tsquery, "when" tsquery, rest tsquery, after timestamptz, before timestamptz,
    conversations bigint[], most integer
) returns table (place bigint, conversation_id bigint, seq bigint) language plpgsql stable
-- There is one good plan; to make it anew for each window costs as much as to look through it.
set plan_cache_mode = force_generic_plan as $$
declare
    below bigint := start;
    narrowest constant float8 := width;  -- there are no keys of narrower ones
    floor bigint;
    bits integer;
    key tsquery;
    missing integer := most;
    more integer;
begin
    while missing > 0 and below > first loop
        bits := 2 * floor(ln(width) / ln(4::float8) + 0.001);  -- keys come in powers of four
        if bits > widest or below - first < 2 * width then
            floor := first;
            key := whole;
        else
            floor := greatest(((below - 1) >> bits) - 1, 0) << bits;
            key := format('''%1$s%2$s.%3$s'' | ''%1$s%2$s.%4$s''', prefix, bits, (below - 1) >> bits, floor >> bits);
        end if;
        return query
            select at.place, d.conversation_id, d.seq
              from search_documents d, lateral (select case when own then d.seq else d.position end) as at (place)
             where d.vector @@ key and d.vector @@ what and d.vector @@ "where" and d.vector @@ "when"
               and (rest is null or ts_match_vq(d.vector, rest))
               and at.place < below and at.place >= floor and d.said_at >= after and d.said_at < before
               and d.conversation_id + 0 = any(conversations)
             order by at.place desc limit missing;
        get diagnostics more = row_count;
        missing := missing - more;
        below := floor;
        width := case when missing = most then width * 16
                      else greatest(2 * (start - below) * missing::float8 / (most - missing), narrowest) end;
    end loop;
end $$;
