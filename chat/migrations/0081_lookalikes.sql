-- What a name looks like: names with the same result cannot be told apart at a glance (deploy/decisions/0052-lookalike-names.md).
-- Compatibility forms (full width, mathematical letters, ligatures) become plain letters, invisible characters go, letters
-- that look like a Latin one become that one (a part of the confusables of Unicode TS 39), and case no longer matters.
-- A change of this table needs another function, and indexes on it: these hold its results.
create function look_of(name text) returns text language sql immutable strict parallel safe as $$
    select lower(translate(
        regexp_replace(normalize(name, NFKC), '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]', '', 'g'),
        -- Latin, digits and dashes; Cyrillic; Greek; Armenian; Cherokee
               'I|1ǀı0ȷɡɑ‐‑‒–—−'
            || 'АВЕКМНОРСТУХЅІЈӀаекорсухіјѕһԁԛԝӏ'
            || 'ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυγϲϳ'
            || 'օսհո'
            || 'ᎪᏴᏟᎬᎻᎫᏦᏞᎷᏢᏒᏚᎢᏙᏔᎩᏃ',
               'lllliojga------'
            || 'ABEKMHOPCTYXSlJlaekopcyxijshdqwl'
            || 'ABEZHlKMNOPTYXaikvopuycj'
            || 'ouhn'
            || 'ABCEHJKLMPRSTVWYZ'))
$$;

-- Both are small: the public channels, and the admins. Posts wait while the first one is made, for as long as all
-- conversations are read once.
create index conversations_look on conversations (look_of(name))
    where kind = 'channel' and not private and archived_at is null;
create index users_admin_look on users (look_of(display_name)) where role = 'admin' and disabled_at is null;
