// Prism, a proxy that checks requests and answers against an OpenAPI document, stands between the
// library and the emulator. The document is Twilio's; it is read from outside this tree.
// CONTRACT_ARGUMENTS names the document and the program that makes every call.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import test from 'node:test';

const [document, everyCall] = process.env.CONTRACT_ARGUMENTS.split('|');
const upstream = process.env.TWILIOWA_BASE_URL;

/// Known faults of the document as a validator's input, put right, and what Twilio has added since. Of the
/// paths only those that match.
function corrected(api, paths) {
    addNews(api);
    api.paths = Object.fromEntries(Object.entries(api.paths).filter(([path]) => paths.test(path)));
    for (const operation of operationsOf(api)) {
        for (const parameter of operation.parameters ?? []) {
            // The document's own words ask for a date.
            if (/YYYY-MM-DD/.test(parameter.description)) parameter.schema.format = 'date';
        }
        if (operation.requestBody) operation.requestBody.required = true;
        const form = formOf(operation);
        if (!form) continue;
        form.encoding = {};
        for (const [name, schema] of Object.entries(form.schema.properties)) {
            // Otherwise `MediaUrl=a&MediaUrl=b` is no array.
            if (schema.type === 'array') form.encoding[name] = { style: 'form', explode: true };
        }
    }
    dropUriFormats(api);
    return keepReachable(api);
}

const senderSchema = 'messaging.v2.channels_sender_response';

/// What Twilio's own libraries (Node 6.2.0, Python 9.11.0) or pages have, and its documents of 2026-04-14 lack.
/// An entry that a document has come to have is an error.
const news = [
    ['CreateMessageRequest', 'MessageIntent', { type: 'string' }],
    ['ContentApprovalRequest', 'send_ttl_seconds', { type: 'integer' }],
    ['content.v1.content.approval_create', 'send_ttl_seconds', { type: 'integer', nullable: true }],
    ['callToActionAction', 'ttl_minutes', { oneOf: [{ type: 'integer' }, { type: 'string' }] }],
    ['cardAction', 'ttl_minutes', { oneOf: [{ type: 'integer' }, { type: 'string' }] }],
    [senderSchema, 'friendly_name', { type: 'string', nullable: true }],
    [senderSchema, 'pending_display_name', { type: 'string', nullable: true }],
    [senderSchema, 'pending_display_name_status', { type: 'string', nullable: true, enum: [
        'PENDING_REVIEW', 'APPROVED', 'DECLINED', 'PIN_MISMATCH', 'REGISTRATION_FAILED', 'EXPIRED', 'COMPLETED'] }],
    [senderSchema, 'pending_display_name_status_date', { type: 'string', format: 'date-time', nullable: true }],
];

function addNews(api) {
    const forms = operationsOf(api).map((operation) => formOf(operation)?.schema).filter(Boolean);
    const schemas = { ...api.components.schemas,
        ...Object.fromEntries(forms.map((schema) => [schema.title, schema])) };
    for (const [name, property, type] of news) {
        if (!schemas[name]) continue;
        assert.ok(!(property in schemas[name].properties), `${name} has ${property} by now`);
        schemas[name].properties[property] = type;
    }
    if (!schemas.callToActionAction) return;
    schemas.callToActionActionType.enum.push('REQUEST_CONTACT_INFO');
    schemas.callToActionAction.required = ['type'];
}

const operationsOf = (api) =>
    Object.values(api.paths).flatMap((path) => Object.values(path).filter((node) => node?.responses));
const formOf = (operation) => operation.requestBody?.content?.['application/x-www-form-urlencoded'];

/// What ends in uri is a path.
function dropUriFormats(node) {
    if (node === null || typeof node !== 'object') return;
    for (const [name, value] of Object.entries(node.properties ?? {})) {
        if (/uri$/.test(name)) delete value.format;
    }
    Object.values(node).forEach(dropUriFormats);
}

function keepReachable(api) {
    const reached = new Set();
    const visit = (node) => {
        if (node === null || typeof node !== 'object') return;
        const name = node.$ref?.match(/^#\/components\/schemas\/(.+)$/)?.[1];
        if (name && !reached.has(name)) {
            reached.add(name);
            visit(api.components.schemas[name]);
        }
        Object.values(node).forEach(visit);
    };
    visit(api.paths);
    api.components.schemas = Object.fromEntries(
        Object.entries(api.components.schemas).filter(([name]) => reached.has(name)));
    return api;
}

async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

/// Runs `use` with the URL of a proxy; returns the violations it found. Prism does not see a form
/// parameter that the document does not have: a server before it does.
async function throughPrism(api, use) {
    await writeFile('contract.json', JSON.stringify(api));
    const port = await freePort();
    const prism = spawn('node_modules/.bin/prism',
        ['proxy', 'contract.json', upstream, '-p', String(port), '-h', '127.0.0.1']);
    let log = '';
    const seen = (text) => new Promise((resolve, reject) => {
        const look = () => log.includes(text) && resolve();
        prism.stdout.on('data', look);
        prism.on('exit', () => reject(new Error(`prism ended:\n${log}`)));
    });
    prism.stdout.on('data', (data) => (log += data));
    const unknown = [];
    const front = createServer(nameChecker(api, `http://127.0.0.1:${port}`, unknown));
    try {
        await seen('Prism is listening');
        front.listen(0, '127.0.0.1');
        await once(front, 'listening');
        await use(`http://127.0.0.1:${front.address().port}`);
        // The log lags: what comes after the last answer is the end of it.
        const end = seen('/the-end');
        await fetch(`http://127.0.0.1:${port}/the-end`);
        await end;
    } finally {
        front.close();
        prism.kill();
    }
    log = log.slice(0, log.indexOf('/the-end'));
    const requests = (log.match(/Request received/g) ?? []).length;
    const found = log.split('\n').filter((line) => /Violation/.test(line));
    return { requests, violations: [...found, ...unknown] };
}

function nameChecker(api, target, unknown) {
    const known = new Set(operationsOf(api).flatMap((operation) =>
        Object.keys(formOf(operation)?.schema.properties ?? {})));
    return async (request, response) => {
        let body = '';
        for await (const data of request) body += data;
        const isForm = /x-www-form-urlencoded/.test(request.headers['content-type']);
        for (const name of new URLSearchParams(isForm ? body : '').keys()) {
            if (!known.has(name)) unknown.push(`unknown form parameter ${name}`);
        }
        const headers = { ...request.headers };
        for (const name of ['host', 'connection', 'content-length', 'expect']) delete headers[name];
        const answer = await fetch(target + request.url,
            { method: request.method, headers, body: body || undefined });
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        response.end(await answer.text());
    };
}

const { TWILIO_ACCOUNT_SID: account, TWILIO_AUTH_TOKEN: token } = process.env;
const authorization = 'Basic ' + Buffer.from(`${account}:${token}`).toString('base64');

async function post(url, form) {
    const response = await fetch(`${url}/2010-04-01/Accounts/${account}/Messages.json`, {
        method: 'POST', body: new URLSearchParams(form), headers: { authorization } });
    return response.status;
}

/// A request with a JSON body, if with any. Returns the answer's JSON.
async function call(method, url, status, body) {
    const headers = { authorization };
    if (body) headers['content-type'] = 'application/json';
    const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    assert.equal(response.status, status, `${method} ${url}: ${text}`);
    return text && JSON.parse(text);
}

const read = async (name, paths) =>
    corrected(JSON.parse(await readFile(join(dirname(document), name), 'utf8')), paths);
const api = await read('twilio_api_v2010.json', /\/Messages|\/Balance\.json$|\/Accounts\/\{Sid\}\.json$/);
/// An order of the emulator's own.
const order = (path, body) => call('POST', `${upstream}/emulator/${path}`, 200, body);

/// Runs the program that makes the library's calls.
const makeCalls = (url, ...which) => new Promise((resolve, reject) => {
    execFile(everyCall, which, { env: { ...process.env, TWILIOWA_BASE_URL: url } },
        (error, stdout, stderr) => (error ? reject(new Error(stderr || error)) : resolve()));
});

test('every call of the library, and every answer of the emulator, is as the document says', async () => {
    const { requests, violations } = await throughPrism(api, (url) => makeCalls(url));
    assert.ok(requests >= 17, `${requests} requests`);
    assert.deepEqual(violations, []);
});

test('a wrong value, an unknown parameter and a wrong answer would be seen', async () => {
    const from = `whatsapp:${process.env.TWILIO_WHATSAPP_NUMBER}`;
    const good = { To: 'whatsapp:+447700900123', From: from, Body: 'x' };
    const seen = async (document, form) =>
        (await throughPrism(document, (url) => post(url, form))).violations;
    assert.deepEqual(await seen(api, good), []);
    assert.equal((await seen(api, { ...good, RiskCheck: 'perhaps' })).length, 1);
    assert.deepEqual(await seen(api, { ...good, Bodi: 'y' }), ['unknown form parameter Bodi']);
    const other = structuredClone(api);
    other.components.schemas['api.v2010.account.message'].properties.num_media.type = 'integer';
    assert.equal((await seen(other, good)).length, 1);
});

test('the account and its balance are as the document says', async () => {
    const accounts = `/2010-04-01/Accounts/${account}`;
    const use = async (url) => {
        assert.equal((await call('GET', `${url}${accounts}.json`, 200)).status, 'active');
        assert.equal((await call('GET', `${url}${accounts}/Balance.json`, 200)).currency, 'USD');
    };
    const { requests, violations } = await throughPrism(api, use);
    assert.ok(requests >= 2, `${requests} requests`);
    assert.deepEqual(violations, []);
    const other = structuredClone(api);
    other.components.schemas['api.v2010.account.balance'].properties.balance.type = 'number';
    assert.equal((await throughPrism(other, use)).violations.length, 1);
});

test('senders, and what became of their display names, are as the document says', async () => {
    const senders = await read('twilio_messaging_v2.json', /Senders/);
    const use = async (url) => {
        const list = await call('GET', `${url}/v2/Channels/Senders?Channel=whatsapp&PageSize=1`, 200);
        assert.equal(list.senders.length, 1);
        const one = await call('GET', `${url}/v2/Channels/Senders/${list.senders[0].sid}`, 200);
        assert.deepEqual(one, list.senders[0]);
        return one;
    };
    const violations = async (document, use) => (await throughPrism(document, use)).violations;
    assert.deepEqual(await violations(senders, use), []);
    assert.deepEqual(await violations(senders, (url) => makeCalls(url, 'senders')), []);
    await order('sender', { status: 'OFFLINE', quality_rating: 'LOW', friendly_name: 'Shop',
        offline_reasons: [{ code: '63020', message: 'Not paid', more_info: 'https://example.com/63020' }],
        pending_display_name: 'The Shop', pending_display_name_status: 'PENDING_REVIEW',
        callback_url: 'https://example.com/whatsapp' });
    assert.deepEqual(await violations(senders, async (url) => {
        const { pending_display_name, friendly_name, offline_reasons } = await use(url);
        assert.deepEqual([pending_display_name, friendly_name, offline_reasons.length], ['The Shop', 'Shop', 1]);
    }), []);
    const other = structuredClone(senders);
    other.components.schemas[senderSchema].properties.pending_display_name_status.enum = ['APPROVED'];
    assert.equal((await violations(other, use)).length, 2);
    await order('sender', { status: 'ONLINE', quality_rating: 'HIGH', offline_reasons: [],
        pending_display_name: '', pending_display_name_status: '' });
});

/// One of each kind of template, with all that the document demands.
const types = {
    'twilio/text': { body: 'Hi {{1}}, how are you?' },
    'twilio/media': { body: 'Look', media: ['https://example.com/a.png'] },
    'twilio/location': { latitude: 39.7392, longitude: 104.9903, label: 'Here' },
    'twilio/quick-reply': {
        body: 'Coming?', actions: [{ type: 'QUICK_REPLY', title: 'Yes', id: 'yes' }] },
    'twilio/call-to-action': {
        body: 'Call', actions: [
            { type: 'URL', title: 'Open', url: 'https://example.com' },
            { type: 'VOICE_CALL', title: 'Call', ttl_minutes: 10080 },
            { type: 'REQUEST_CONTACT_INFO' }] },
    'twilio/list-picker': {
        body: 'Which?', button: 'Show', items: [{ id: 'a', item: 'A', description: 'first' }] },
    'twilio/card': { title: 'Card', actions: [{ type: 'QUICK_REPLY', title: 'Yes', id: 'yes' }] },
    'twilio/carousel': {
        body: 'Look', cards: [{ title: 'One', body: 'one', media: 'https://example.com/a.png',
            actions: [{ type: 'QUICK_REPLY', title: 'Yes', id: 'yes' }] }] },
    'whatsapp/card': {
        body: 'Card', footer: 'foot', actions: [{ type: 'QUICK_REPLY', title: 'Yes', id: 'yes' }] },
    'whatsapp/flows': { body: 'Book', button_text: 'Start', flow_id: '1' },
    'whatsapp/authentication': { actions: [{ type: 'COPY_CODE', copy_code_text: 'Copy' }] },
};

/// A template of every kind, its name after `prefix`. Returns the first one's URL.
async function createAll(url, prefix) {
    const sids = [];
    for (const [name, type] of Object.entries(types)) {
        const created = await call('POST', `${url}/v1/Content`, 201, {
            friendly_name: prefix + name, language: 'en', variables: { 1: 'there' },
            types: { [name]: type } });
        assert.deepEqual(created.types, { [name]: type });
        sids.push(created.sid);
    }
    return `${url}/v1/Content/${sids[0]}`;
}

async function useContent(url) {
    const one = await createAll(url, '');
    assert.equal((await call('GET', one, 200)).friendly_name, 'twilio/text');
    assert.equal((await call('GET', `${one}/ApprovalRequests`, 200)).whatsapp.status, 'unsubmitted');
    const change = { friendly_name: 'changed', types: { 'twilio/text': { body: 'Hi' } } };
    assert.equal((await call('PUT', one, 200, change)).friendly_name, 'changed');
    const approval = { name: 'how_are_you', category: 'UTILITY', send_ttl_seconds: 3600 };
    assert.equal((await call('POST', `${one}/ApprovalRequests/whatsapp`, 201, approval)).status, 'received');
    assert.equal((await call('GET', `${one}/ApprovalRequests`, 200)).whatsapp.name, 'how_are_you');
    for (const list of ['Content', 'ContentAndApprovals', 'LegacyContent']) {
        assert.ok(await countAll(url, `/v1/${list}?PageSize=2`) >= 2, list);
    }
    await call('DELETE', `${one}?deleteInWaba=true`, 204);
}

/// How many there are on all pages of a list; page URLs are asked for through `url`.
async function countAll(url, path) {
    let count = 0;
    while (path) {
        const page = await call('GET', url + path, 200);
        count += page.contents.length;
        const next = page.meta.next_page_url && new URL(page.meta.next_page_url);
        path = next && next.pathname + next.search;
    }
    return count;
}

test('templates, approvals and their lists are as the document says', async () => {
    const { requests, violations } =
        await throughPrism(await read('twilio_content_v1.json', /./), useContent);
    assert.ok(requests >= 20, `${requests} requests`);
    assert.deepEqual(violations, []);
});

test('searches for templates are as the document says', async () => {
    await createAll(upstream, 'search ');
    const { violations } = await throughPrism(await read('twilio_content_v2.json', /./), async (url) => {
        for (const list of ['Content', 'ContentAndApprovals']) {
            const all = await countAll(url, `/v2/${list}?PageSize=3`);
            assert.ok(all >= Object.keys(types).length, `${all}`);
            assert.equal(await countAll(url, `/v2/${list}?` + new URLSearchParams([
                ['SortByDate', 'desc'], ['SortByContentName', 'asc'], ['PageSize', '1'],
                ['DateCreatedAfter', '2020-01-01T00:00:00Z'], ['DateCreatedBefore', '2100-01-01T00:00:00Z'],
                ['ContentName', '^search '], ['Content', 'C[oa]'], ['Language', 'en'],
                ['ContentType', 'twilio/quick-reply'], ['ContentType', 'twilio/call-to-action'],
                ['ChannelEligibility', 'whatsapp:unsubmitted']])), 2);
        }
    });
    assert.deepEqual(violations, []);
});

test('a template that is not as the document says would be seen', async () => {
    const seen = async (change, use) => {
        const other = await read('twilio_content_v1.json', /./);
        change(other.components.schemas);
        return (await throughPrism(other, use)).violations.length;
    };
    const list = (url) => call('GET', `${url}/v1/Content?PageSize=1`, 200);
    assert.equal(await seen(() => {}, list), 0);
    assert.equal(await seen((schemas) => {
        schemas['content.v1.content'].properties.language.type = 'integer';
    }, list), 1);
    const bad = { language: 'en', types: { 'twilio/text': {} } };
    assert.ok(await seen(() => {}, (url) => fetch(`${url}/v1/Content`, {
        method: 'POST', body: JSON.stringify(bad),
        headers: { authorization, 'content-type': 'application/json' } })) >= 1);
});
