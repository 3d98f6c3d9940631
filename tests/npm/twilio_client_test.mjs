// Twilio's own library for Node, unchanged, against what the environment points at.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';
import twilio from 'twilio';

const { TWILIO_ACCOUNT_SID: account, TWILIO_AUTH_TOKEN: token } = process.env;
const from = `whatsapp:${process.env.TWILIO_WHATSAPP_NUMBER}`;
const to = 'whatsapp:+447700900123';
const contentSid = 'HX00000000000000000000000000000001';
const messagingServiceSid = 'MG00000000000000000000000000000001';

function clientFor(authToken) {
    const client = twilio(account, authToken);
    client.api.baseUrl = process.env.TWILIOWA_BASE_URL;
    client.content.baseUrl = process.env.TWILIOWA_BASE_URL;
    client.messaging.baseUrl = process.env.TWILIOWA_BASE_URL;
    return client;
}
const client = clientFor(token);

test('a template is sent with its variables, and rendered', async () => {
    const contentVariables = JSON.stringify({ 1: 'Lee', 2: 'A-1042' });
    const message = await client.messages.create({ from, to, contentSid, contentVariables });
    assert.match(message.sid, /^(SM|MM)[0-9a-f]{32}$/);
    assert.equal(message.status, 'queued');
    assert.equal(message.direction, 'outbound-api');
    assert.equal(message.body, 'Hi Lee, your order A-1042 is on its way');
    assert.equal(message.numMedia, '0');
    assert.ok(message.dateCreated instanceof Date && !Number.isNaN(message.dateCreated.getTime()));
    assert.equal(message.dateSent, null);
    assert.equal(message.errorCode, null);
});

test('a text and a picture are sent', async () => {
    const text = await client.messages.create({
        from, to, body: 'Grüße & küsse + 😀', messageIntent: 'notifications' });
    assert.equal(text.body, 'Grüße & küsse + 😀');
    const media = await client.messages.create({
        from, to, body: 'Look', mediaUrl: ['https://example.com/cat.png'] });
    assert.equal(media.numMedia, '1');
    assert.equal((await client.messages(media.sid).media.list()).length, 1);
});

test('a message is fetched, redacted and removed', async () => {
    const { sid } = await client.messages.create({ from, to, body: 'secret' });
    assert.equal((await client.messages(sid).fetch()).body, 'secret');
    assert.equal((await client.messages(sid).update({ body: '' })).body, '');
    assert.equal(await client.messages(sid).remove(), true);
    await assert.rejects(client.messages(sid).fetch(), { status: 404, code: 20404 });
});

test('a list goes on over pages, newest first, and obeys filters', async () => {
    const recipient = 'whatsapp:+447700900199';
    for (let i = 0; i < 7; ++i) {
        await client.messages.create({ from, to: recipient, body: `number ${i}` });
    }
    const all = await client.messages.list({ to: recipient, pageSize: 3 });
    assert.deepEqual(all.map((m) => m.body), [6, 5, 4, 3, 2, 1, 0].map((i) => `number ${i}`));
    assert.equal((await client.messages.list({ to: recipient, limit: 2, pageSize: 1 })).length, 2);
});

test('a scheduled message is cancelled, once', async () => {
    const sendAt = new Date(Date.now() + 3600_000);
    const { sid, status } = await client.messages.create({
        messagingServiceSid, to, body: 'later', sendAt, scheduleType: 'fixed' });
    assert.equal(status, 'scheduled');
    assert.equal((await client.messages(sid).update({ status: 'canceled' })).status, 'canceled');
    const sent = await client.messages.create({ from, to, body: 'now' });
    await assert.rejects(client.messages(sent.sid).update({ status: 'canceled' }), { code: 30409 });
});

test('feedback is taken', async () => {
    const { sid } = await client.messages.create({ from, to, body: 'rate me', provideFeedback: true });
    const feedback = await client.messages(sid).feedback.create({ outcome: 'confirmed' });
    assert.equal(feedback.outcome, 'confirmed');
});

test('a template is created, found, sent to approval and removed', async () => {
    const friendlyName = `node_${Date.now()}`;
    const created = await client.content.v1.contents.create({
        friendly_name: friendlyName, language: 'en', variables: { 1: 'there' },
        types: { 'twilio/text': { body: 'Hi {{1}}, how are you?' } } });
    assert.match(created.sid, /^HX[0-9a-f]{32}$/);
    assert.deepEqual(created.types, { 'twilio/text': { body: 'Hi {{1}}, how are you?' } });
    const content = client.content.v1.contents(created.sid);
    assert.equal((await content.fetch()).friendlyName, friendlyName);
    const changed = await content.update({ friendly_name: friendlyName,
        types: { 'twilio/text': { body: 'Hi {{1}}, how are you?' } } });
    assert.equal(changed.sid, created.sid);
    assert.equal((await content.approvalFetch().fetch()).whatsapp.status, 'unsubmitted');
    const approval = await content.approvalCreate.create({
        name: friendlyName, category: 'UTILITY', send_ttl_seconds: 3600 });
    assert.equal(approval.status, 'received');
    assert.equal(approval.sendTtlSeconds, 3600);
    await assert.rejects(content.update({ friendly_name: 'late', types: {} }), { status: 400 });
    const message = await client.messages.create({ from, to, contentSid: created.sid });
    assert.equal(message.body, 'Hi there, how are you?');

    const { v1, v2 } = client.content;
    for (const list of [v1.contents, v1.contentAndApprovals, v1.legacyContents]) {
        assert.ok((await list.list({ pageSize: 1 })).some((item) => item.sid === created.sid));
    }
    for (const list of [v2.contents, v2.contentAndApprovals]) {
        const found = await list.list({ contentName: `^${friendlyName}$`, language: ['en', 'de'] });
        assert.deepEqual(found.map((item) => item.sid), [created.sid]);
    }
    assert.equal(await content.remove(), true);
    await assert.rejects(content.fetch(), { status: 404, code: 20404 });
});

test('the account, its balance and its senders are read', async () => {
    assert.equal((await client.api.v2010.accounts(account).fetch()).status, 'active');
    assert.equal((await client.balance.fetch()).balance, '100.00');
    await order('sender', { pending_display_name: 'The Shop', pending_display_name_status: 'PENDING_REVIEW',
        friendly_name: 'Shop', messaging_limit: '1K Customers/24hr' });
    const [sender] = await client.messaging.v2.channelsSenders.list({ channel: 'whatsapp' });
    assert.equal(sender.senderId, from);
    assert.equal(sender.status, 'ONLINE');
    assert.equal(sender.friendlyName, 'Shop');
    assert.equal(sender.pendingDisplayName, 'The Shop');
    assert.equal(sender.pendingDisplayNameStatus, 'PENDING_REVIEW');
    const same = await client.messaging.v2.channelsSenders(sender.sid).fetch();
    assert.deepEqual(same.properties, sender.properties);
});

test('a template that is turned down says why', async () => {
    const { sid } = await client.content.v1.contents.create({ friendly_name: 'turned_down', language: 'en',
        types: { 'twilio/text': { body: 'Buy now' } } });
    await client.content.v1.contents(sid).approvalCreate.create({ name: 'turned_down', category: 'MARKETING' });
    await order('approval', { template: sid, status: 'rejected', reason: 'PROMOTIONAL' });
    const { whatsapp } = await client.content.v1.contents(sid).approvalFetch().fetch();
    assert.equal(whatsapp.status, 'rejected');
    assert.equal(whatsapp.rejection_reason, 'PROMOTIONAL');
});

test('errors have the status, the code and the shape that the library expects', async () => {
    await assert.rejects(client.messages.create({ from, to, contentSid: 'HX' + 'f'.repeat(32) }),
        (error) => error.constructor.name === 'RestException' && error.status === 400 &&
            error.code === 21655 && error.moreInfo.endsWith('/21655'));
    await assert.rejects(client.messages.create({ from, to }), { status: 400, code: 21619 });
    await assert.rejects(clientFor('wrong').messages.create({ from, to, body: 'x' }),
        { status: 401, code: 20003 });
});

async function order(path, body) {
    const response = await fetch(`${process.env.TWILIOWA_BASE_URL}/emulator/${path}`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    assert.equal(response.status, 200, await response.text());
}

test('a webhook passes the signature check of the library, and its TwiML is obeyed', async () => {
    const arrived = Promise.withResolvers?.() ?? (() => {
        const it = {};
        it.promise = new Promise((resolve) => (it.resolve = resolve));
        return it;
    })();
    const server = createServer(async (request, response) => {
        let body = '';
        for await (const data of request) body += data;
        const answer = new twilio.twiml.MessagingResponse();
        answer.message('You said <it> & more');
        response.writeHead(200, { 'content-type': 'text/xml' }).end(answer.toString());
        const url = `http://127.0.0.1:${server.address().port}${request.url}`;
        const fields = Object.fromEntries(new URLSearchParams(body));
        const signature = request.headers['x-twilio-signature'];
        arrived.resolve({ url, fields, signature });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
        const owner = account;
        await order('webhook', { owner, url: `http://127.0.0.1:${server.address().port}/in?a=1#rc=2` });
        await order('customer', { customer: '+447700900177', action: 'text', text: 'Grüße & 😀' });
        const { url, fields, signature } = await arrived.promise;
        assert.equal(fields.Body, 'Grüße & 😀');
        assert.equal(fields.From, 'whatsapp:+447700900177');
        assert.ok(twilio.validateRequest(token, signature, url, fields));
        assert.ok(!twilio.validateRequest('other', signature, url, fields));
        assert.ok(!twilio.validateRequest(token, signature, url, { ...fields, Body: 'x' }));
        for (let tries = 0; ; ++tries) {
            const [reply] = await client.messages.list({ to: 'whatsapp:+447700900177', limit: 1 });
            if (reply) {
                assert.equal(reply.body, 'You said <it> & more');
                assert.equal(reply.direction, 'outbound-reply');
                break;
            }
            assert.ok(tries < 200, 'no reply was sent');
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    } finally {
        await order('webhook', { owner: account, url: '' });
        server.close();
        server.closeAllConnections();
    }
});

test('a webhook with a password in its URL is sent with it when asked', async () => {
    const seen = [];
    let done;
    const end = new Promise((resolve) => (done = resolve));
    const server = createServer(async (request, response) => {
        let body = '';
        for await (const data of request) body += data;
        seen.push({ body, ...request.headers });
        if (request.headers.authorization) {
            response.writeHead(204).end();
            done();
        } else {
            response.writeHead(401, { 'www-authenticate': 'Basic realm="door"' }).end();
        }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://me:s%40fe@127.0.0.1:${server.address().port}/in`;
    try {
        await order('webhook', { owner: account, url });
        await order('customer', { customer: '+447700900178', action: 'text', text: 'Knock' });
        await end;
        assert.equal(seen.length, 2);
        assert.equal(seen[0].authorization, undefined);
        assert.equal(seen[1].authorization, 'Basic ' + Buffer.from('me:s@fe').toString('base64'));
        assert.equal(seen[0].body, seen[1].body);
        assert.ok(twilio.validateRequest(token, seen[1]['x-twilio-signature'], url,
            Object.fromEntries(new URLSearchParams(seen[1].body))));
    } finally {
        await order('webhook', { owner: account, url: '' });
        server.close();
        server.closeAllConnections();
    }
});
