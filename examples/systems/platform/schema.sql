-- The platform's own tables; those of the library are in the schema `twiliowa`.
create schema if not exists platform;
create table platform.organisation (
    id text primary key,
    bearer bytea not null unique, -- SHA-256 of the token, which is long and random
    tokens_a_month bigint not null,
    messages_a_minute bigint not null,
    sentence text not null default ''); -- what a customer gets where no chatbot is active; may be nothing
create table platform.chatbot (
    organisation text references platform.organisation, id text, active boolean not null,
    primary key (organisation, id));
create table platform.configuration (
    organisation text references platform.organisation, provider text default 'twilio',
    account text not null, sealed_token text not null, number text not null,
    webhook_url text not null, active boolean not null,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
    primary key (organisation, provider));
-- Whose an account is: who was the first to prove its token, as long as they keep it.
create table platform.account (
    sid text primary key, organisation text not null references platform.organisation);
create table platform.history (
    organisation text, id text,
    session text not null, -- hashed
    role text not null, sealed_text text not null, at timestamptz not null default now(),
    position bigserial, primary key (organisation, id));
create index on platform.history (organisation, session, position);
create table platform.usage_message (
    organisation text, id text, sid text not null,
    tokens bigint not null, charged numeric not null, at timestamptz not null default now(),
    primary key (organisation, id));
create table platform.usage_day (
    organisation text, day date,
    messages bigint not null, tokens bigint not null, charged numeric not null,
    primary key (organisation, day));
create table platform.notification (
    organisation text, renews timestamptz, percent int,
    at timestamptz not null default now(), primary key (organisation, renews, percent));

-- A message's usage, once, and that of its day.
create function platform.record_usage(text, text, text, bigint, numeric) returns void language sql as $$
    with it as (insert into platform.usage_message values ($1, $2, $3, $4, $5)
                on conflict do nothing returning *)
    insert into platform.usage_day as day
        select organisation, (at at time zone 'utc')::date, 1, tokens, charged from it
        on conflict (organisation, day) do update set messages = day.messages + 1,
            tokens = day.tokens + excluded.tokens, charged = day.charged + excluded.charged
$$;
