-- An import brings custom emoji too. 'emoji': the id of one that it made.
alter table import_parts drop constraint import_parts_kind_check;
alter table import_parts add constraint import_parts_kind_check
    check (kind in ('user', 'used', 'kept', 'conversation', 'messages', 'member', 'emoji')) not valid;
alter table import_parts validate constraint import_parts_kind_check;
