-- While nothing has been found, the next window is sixty-four times as wide, instead of sixteen: what is not among a
-- thousand is hardly more than once in a thousand, so that the wider window costs no more, and a rare word one look-up
-- less (deploy/decisions/0020-search-index.md: 0.59 ms become 0.50 among ten million messages). All else is as it was.
do $$ begin
    execute replace(pg_get_functiondef('search_places'::regproc), 'width * 16', 'width * 64');
end $$;
