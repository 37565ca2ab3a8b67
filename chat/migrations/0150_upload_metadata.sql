-- Metadata of uploads as tus clients sent it, which HEAD returns until the file is in a message.

alter table files add column metadata text not null default '';
