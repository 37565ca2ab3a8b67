-- What people say about themselves, and whether others see how far they have read.

alter table users
    add column about     text not null default '',
    add column time_zone text not null default '',
    add column receipts  boolean not null default true;
