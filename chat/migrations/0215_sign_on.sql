-- Sign-on by an OpenID Connect provider. A user of the provider is known by issuer and subject, never by name or address.

create table oidc_accounts (
    issuer     text not null,
    subject    text not null,
    user_id    bigint not null references users on delete cascade,
    created_at timestamptz not null default now(),
    primary key (issuer, subject)
);
create index oidc_accounts_user on oidc_accounts (user_id);

-- The session at the provider (`sid`) from which a session came, so that the provider can end it.
create table oidc_sessions (
    session_id bigint primary key references sessions on delete cascade,
    issuer     text not null,
    subject    text not null,
    sid        text
);
create index oidc_sessions_subject on oidc_sessions (issuer, subject);
create index oidc_sessions_sid on oidc_sessions (issuer, sid) where sid is not null;

-- Log-outs that the provider has sent: none counts twice, and a log-in that was under way meanwhile opens no session.
create table oidc_logouts (
    digest     bytea primary key,   -- of the token's `jti`
    issuer     text not null,
    subject    text,
    sid        text,
    issued_at  timestamptz not null,
    expires_at timestamptz not null
);
create index oidc_logouts_expires on oidc_logouts (expires_at);
