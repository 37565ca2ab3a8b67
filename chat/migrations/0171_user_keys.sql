-- Users are found by keys that do not depend on the language of the database, where a lower case I may be ı: accents,
-- case, width and invisible characters do not matter, and other Latin letters count as plain ones, as in the search of
-- messages. Texts that are looked for go through the same function, so there is one rule.
create function user_key(name text) returns text language sql immutable strict parallel safe as $$
    select normalize(replace(replace(replace(replace(translate(
        lower(regexp_replace(normalize(name, NFKD), '[\u00ad\u0300-\u036f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]', '', 'g')),
        'ıłđðøħŧŋ', 'ilddohtn'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), NFC)
$$;

create or replace function name_keys(name text, display_name text) returns table (kind smallint, key text) language sql immutable as $$
    select 0::smallint, user_key(name)
     union
    select 1::smallint, substr(shown, n) from user_key(display_name) as shown, generate_series(1, length(shown)) as n
$$;

-- Of most users the keys stay as they are.
create temporary table rekeyed on commit drop as
    select id, name, display_name from users
     where (lower(name), lower(display_name)) is distinct from (user_key(name), user_key(display_name));
delete from user_names k using rekeyed r where k.user_id = r.id;
insert into user_names (kind, key, user_id)
select k.kind, k.key, r.id from rekeyed r cross join lateral name_keys(r.name, r.display_name) k
    on conflict do nothing;
