-- What the first version of this library wrote: jobs that are delivered, unknown and ready, and a pause.
-- Made with: sqlite3 outbox.db .dump; without the fact `identity`, which is one machine's.
BEGIN TRANSACTION;
pragma application_id = 1417107311;
pragma user_version = 1;
CREATE TABLE outbox (
    id integer primary key check (id = 1),
    outbox_id integer not null,
    told integer not null default 0
) strict;
INSERT INTO "outbox" VALUES(1,547731568,0);
CREATE TABLE outbox_attempt (
    job integer not null,
    nonce blob not null check (length(nonce) = 6),
    number integer not null check (number >= 1),
    state integer not null default 0 check (state between 0 and 2),
    started_at integer not null,
    account_sid text not null default '',
    sid text not null default '',
    evidence integer not null default 0 check (evidence between 0 and 4),
    http_status integer not null default 0,
    error_code integer not null default 0,
    problem text not null default '',
    may_duplicate integer not null default 0 check (may_duplicate in (0, 1)),
    marked integer not null default 0 check (marked in (0, 1)),
    primary key (job, nonce)
) strict, without rowid;
INSERT INTO "outbox_attempt" VALUES(1,X'504846AA5E91',1,1,1767225600000000,'AC00000000000000000000000000000001','SM910a2dec89025cc1beeb8da1658eec67',4,0,0,'',0,1);
INSERT INTO "outbox_attempt" VALUES(2,X'28E88A0E5AC7',1,0,1767225600000000,'AC00000000000000000000000000000001','',0,500,20500,'outcome unknown: Twilio failed while handling the request; it may have been carried out: look (reconcile) before you send it again [HTTP 500, code 20500, request RQ71bb54d8d101b5b9c34d0bff90150280, host api.twilio.com:443, stage receive, effect unknown]',0,1);
CREATE TABLE outbox_fact (name text primary key, value text not null) strict, without rowid;
CREATE TABLE outbox_job (
    sequence integer primary key autoincrement,
    id blob not null unique default (randomblob(10)) check (length(id) = 10),
    tenant text not null default '' check (length(cast(tenant as blob)) <= 1000),
    key text not null default (lower(hex(randomblob(10))))
        check (length(cast(key as blob)) between 1 and 1000),
    content_hash text default null check (content_hash <> ''),
    tag text not null default '' check (length(cast(tag as blob)) <= 1000),
    account text not null default '' check (length(cast(account as blob)) <= 1000),
    sender text not null default '' check (length(cast(sender as blob)) <= 1000),
    customer text not null default '' check (length(cast(customer as blob)) <= 1000),
    order_key text not null default '' check (length(cast(order_key as blob)) <= 1000),
    lane integer not null default 2 check (lane between 0 and 3),
    on_unknown text not null default 'hold' check (on_unknown in ('hold', 'drop')
        or on_unknown glob 'drop:[0-9]*' or on_unknown glob 'resend_*'),
    expires_at integer default null,
    created_at integer not null default (cast(strftime('%s', 'now') as integer) * 1000000),
    state integer not null default 0 check (state between 0 and 9),
    reason integer not null default 0 check (reason between 0 and 5),
    not_before integer not null default (cast(strftime('%s', 'now') as integer) * 1000000),
    fence integer not null default 0 check (fence >= 0),
    worker text not null default '',
    lease_boot text not null default '',
    lease_until integer default null check (lease_until is not null or state not in (1, 2)),
    tries integer not null default 0 check (tries >= 0),
    sid text not null default '',
    evidence integer not null default 0 check (evidence between 0 and 4),
    status text not null default '',
    price text not null default '',
    price_unit text not null default '',
    error_code integer not null default 0,
    problem text not null default '',
    doubles text not null default '',
    candidates text not null default '',
    unknown_since integer default null,
    looks integer not null default 0 check (looks >= 0),
    looks_answered integer not null default 0 check (looks_answered >= 0),
    last_answer integer default null,
    next_look integer default null,
    suspect_since integer default null,
    decided_by text not null default '',
    decided_why text not null default '',
    decided_at integer default null,
    cancel_requested integer not null default 0 check (cancel_requested in (0, 1)),
    updated_at integer not null default (cast(strftime('%s', 'now') as integer) * 1000000),
    revision integer not null default 1 check (revision >= 1),
    attempts integer not null default 0 check (attempts >= 0),
    -- Whether an earlier job of its order_key is certainly in the way. The first of an order_key that
    -- is neither held nor done never is.
    behind integer not null default 0 check (behind in (0, 1)),
    -- The last, so that nobody who reads the others walks over its pages.
    payload text not null default '' check (payload <> '' or content_hash is not null)
) strict;
INSERT INTO "outbox_job" VALUES(1,X'76DAA8000BAFA21D03B9','','delivered','51732f8bde90fb520a14edc60afc70580f4f945545496239f302b6746402e90d','orders','','whatsapp:+14155238886','whatsapp:+447700900123','',2,'hold',NULL,1767225600000000,6,0,1767225600000000,1,'','',NULL,0,'SM910a2dec89025cc1beeb8da1658eec67',4,'delivered','','',0,'','','',NULL,0,0,NULL,NULL,NULL,'','',NULL,0,1767225600000000,4,1,0,'{"body":"Delivered","from":"whatsapp:+14155238886","to":"+447700900123"}');
INSERT INTO "outbox_job" VALUES(2,X'76DAA800D30B0C7ECF76','','unknown','174052db8bbb7d3934910bf6249327ff06f6ca4af93f0a84a2dd094470437d3b','','','whatsapp:+14155238886','whatsapp:+447700900123','',2,'hold',NULL,1767225600000000,3,0,1767225600000000,1,'','',NULL,0,'',0,'','','',20500,'outcome unknown: Twilio failed while handling the request; it may have been carried out: look (reconcile) before you send it again [HTTP 500, code 20500, request RQ71bb54d8d101b5b9c34d0bff90150280, host api.twilio.com:443, stage receive, effect unknown]','','',1767225600000000,0,0,NULL,1767225605000000,NULL,'','',NULL,0,1767225600000000,3,1,0,'{"body":"Answer lost","from":"whatsapp:+14155238886","to":"+447700900123"}');
INSERT INTO "outbox_job" VALUES(3,X'76DAA8004549E4FD60D4','','held','299011ab176b07a545975b307b2c33532da28b7fee86d388d376e58e0e6eeb79','','','whatsapp:+14155238886','whatsapp:+447700900123','row',2,'hold',NULL,1767225600000000,0,0,1767225600000000,0,'','',NULL,0,'',0,'','','',0,'','','',NULL,0,0,NULL,NULL,NULL,'','',NULL,0,1767225600000000,1,0,0,'{"body":"Held","from":"whatsapp:+14155238886","to":"+447700900123"}');
INSERT INTO "outbox_job" VALUES(4,X'76DAA8001F8D93EFDBE6','club','ready','13e7b844e0e7e39713b8010fe5cef3505c7ddd4765a29f25d89fc53532c0ef67','','','whatsapp:+14155238886','whatsapp:+447700900123','row',1,'hold',NULL,1767225600000000,0,0,1767229200000000,0,'','',NULL,0,'',0,'','','',0,'','','',NULL,0,0,NULL,NULL,NULL,'','',NULL,0,1767225600000000,1,0,0,'{"body":"Waits","from":"whatsapp:+14155238886","to":"+447700900123"}');
CREATE TABLE outbox_key (
    tenant text not null,
    key text not null,
    job_id blob not null,
    content_hash text not null default '',
    removed_at integer default null,
    primary key (tenant, key)
) strict, without rowid;
INSERT INTO "outbox_key" VALUES('','delivered',X'76DAA8000BAFA21D03B9','51732f8bde90fb520a14edc60afc70580f4f945545496239f302b6746402e90d',NULL);
INSERT INTO "outbox_key" VALUES('','held',X'76DAA8004549E4FD60D4','299011ab176b07a545975b307b2c33532da28b7fee86d388d376e58e0e6eeb79',NULL);
INSERT INTO "outbox_key" VALUES('','unknown',X'76DAA800D30B0C7ECF76','174052db8bbb7d3934910bf6249327ff06f6ca4af93f0a84a2dd094470437d3b',NULL);
INSERT INTO "outbox_key" VALUES('club','ready',X'76DAA8001F8D93EFDBE6','13e7b844e0e7e39713b8010fe5cef3505c7ddd4765a29f25d89fc53532c0ef67',NULL);
CREATE TABLE outbox_marker (
    job_id blob not null check (length(job_id) = 10),
    nonce blob not null check (length(nonce) = 6),
    number integer not null,
    removed_at integer not null,
    primary key (job_id, nonce)
) strict, without rowid;
CREATE TABLE outbox_outcome (
    cursor integer primary key autoincrement,
    job integer not null,
    outcome integer not null check (outcome between 0 and 7),
    at integer not null
) strict;
INSERT INTO "outbox_outcome" VALUES(1,1,0,1767225600000000);
INSERT INTO "outbox_outcome" VALUES(2,1,1,1767225600000000);
CREATE TABLE outbox_pause (
    place integer not null check (place between 0 and 3),
    name text not null,
    reason text not null default '',
    since integer not null,
    primary key (place, name)
) strict;
INSERT INTO "outbox_pause" VALUES(1,'whatsapp:+15005550009','asked for',1767225600000000);
CREATE TABLE outbox_tally (
    tenant text not null,
    state integer not null,
    jobs integer not null,
    primary key (tenant, state)
) strict, without rowid;
INSERT INTO "outbox_tally" VALUES('',0,1);
INSERT INTO "outbox_tally" VALUES('',2,0);
INSERT INTO "outbox_tally" VALUES('',3,1);
INSERT INTO "outbox_tally" VALUES('',5,0);
INSERT INTO "outbox_tally" VALUES('',6,1);
INSERT INTO "outbox_tally" VALUES('club',0,1);
CREATE INDEX outbox_job_ready
    on outbox_job (sender, lane, tenant, account, behind, not_before, sequence)
    where state = 0 and suspect_since is null and content_hash is not null;
CREATE INDEX outbox_job_waiting on outbox_job (sequence) where state = 0;
CREATE INDEX outbox_job_doubtful on outbox_job (state, sequence) where state in (3, 4);
CREATE INDEX outbox_job_order on outbox_job (tenant, order_key, sequence)
    where state < 5 and order_key <> '';
CREATE INDEX outbox_job_lease on outbox_job (lease_boot, lease_until, updated_at, sequence)
    where lease_until is not null;
CREATE INDEX outbox_job_look on outbox_job (next_look, sequence) where next_look is not null;
CREATE INDEX outbox_job_expiry on outbox_job (expires_at, sequence)
    where state = 0 and expires_at is not null;
CREATE INDEX outbox_job_suspect on outbox_job (sequence) where suspect_since is not null;
CREATE INDEX outbox_job_stranger on outbox_job (sequence) where content_hash is null;
CREATE INDEX outbox_job_changed on outbox_job (state, updated_at, sequence) where state >= 5;
CREATE INDEX outbox_job_legible on outbox_job (updated_at, sequence)
    where state >= 6 and payload <> '';
CREATE INDEX outbox_job_sid on outbox_job (sid) where sid <> '';
CREATE INDEX outbox_job_customer on outbox_job (customer, sequence) where customer <> '';
CREATE INDEX outbox_job_tag on outbox_job (tag, sequence) where tag <> '';
CREATE INDEX outbox_key_removed on outbox_key (removed_at) where removed_at is not null;
CREATE INDEX outbox_marker_removed on outbox_marker (removed_at);
CREATE INDEX outbox_outcome_job on outbox_outcome (job);
CREATE VIEW outbox_message as
    select tenant, key, tag, account, lane, on_unknown, not_before, expires_at, order_key, payload
    from outbox_job where content_hash is null and state = 0;
CREATE TRIGGER outbox_message_handed_over instead of insert on outbox_message begin
    select raise(abort, 'outbox_message.key: there is a job of that key') where exists (
        select 1 from outbox_key where tenant = coalesce(new.tenant, '') and key = new.key);
    insert into outbox_job (tenant, key, tag, account, lane, on_unknown, not_before, expires_at,
        order_key, payload, behind)
    values (coalesce(new.tenant, ''), coalesce(new.key, lower(hex(randomblob(10)))),
        coalesce(new.tag, ''), coalesce(new.account, ''), coalesce(new.lane, 2),
        coalesce(new.on_unknown, 'hold'),
        coalesce(new.not_before, cast(strftime('%s', 'now') as integer) * 1000000), new.expires_at,
        coalesce(new.order_key, ''), coalesce(new.payload, ''), exists (
            select 1 from outbox_job where tenant = coalesce(new.tenant, '')
                and order_key = new.order_key and order_key <> '' and state < 5 and state <> 4));
    select raise(abort, 'outbox_message: is no job') where changes() = 0;
    insert into outbox_key (tenant, key, job_id)
        select tenant, key, id from outbox_job where sequence = last_insert_rowid();
    insert into outbox_tally select coalesce(new.tenant, ''), 0, 0 where not exists (
        select 1 from outbox_tally where tenant = coalesce(new.tenant, '') and state = 0);
    update outbox_tally set jobs = jobs + 1 where tenant = coalesce(new.tenant, '') and state = 0;
end;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('outbox_job',4);
INSERT INTO "sqlite_sequence" VALUES('outbox_outcome',2);
COMMIT;
