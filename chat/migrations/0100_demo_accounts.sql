-- The accounts that `tandem up --demo` made, whose password everybody knows.
create table demo_accounts (
    user_id bigint primary key references users (id) on delete cascade
);

-- Those of databases that were filled before; the demo is always among the first conversations.
insert into demo_accounts (user_id)
select distinct m.author_id
  from messages m
 where m.conversation_id in (select id from conversations order by id limit 50)
   and m.seq <= 500
   and m.client_id ~ '^demo-[0-9]+$';
