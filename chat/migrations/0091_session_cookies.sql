-- Sessions made over TLS: their cookie is `__Host-tandem`, and a cookie of the old name is no proof of them.

alter table sessions add column host_cookie boolean not null default false;
