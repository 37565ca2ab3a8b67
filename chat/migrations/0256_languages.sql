-- The language of the app that the user chose; empty for the language of their browser.
alter table users add column language text not null default '';
