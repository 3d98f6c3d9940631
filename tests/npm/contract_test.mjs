// Prism, a proxy that checks requests and answers against an OpenAPI document, stands between the
// library and the emulator. The document is Twilio's; it is read from outside this tree.
// CONTRACT_ARGUMENTS names the document and the program that makes every call.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';

const [document, everyCall] = process.env.CONTRACT_ARGUMENTS.split('|');
const upstream = process.env.TWILIOWA_BASE_URL;

/// Known faults of the document as a validator's input, put right.
function corrected(api) {
    api.paths = Object.fromEntries(Object.entries(api.paths).filter(([path]) => /\/Messages/.test(path)));
    for (const operation of operationsOf(api)) {
        for (const parameter of operation.parameters ?? []) {
            // The document's own words ask for a date.
            if (/YYYY-MM-DD/.test(parameter.description)) parameter.schema.format = 'date';
        }
        const form = formOf(operation);
        if (!form) continue;
        operation.requestBody.required = true;
        form.encoding = {};
        for (const [name, schema] of Object.entries(form.schema.properties)) {
            // Otherwise `MediaUrl=a&MediaUrl=b` is no array.
            if (schema.type === 'array') form.encoding[name] = { style: 'form', explode: true };
        }
    }
    dropUriFormats(api);
    return keepReachable(api);
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
        for (const name of new URLSearchParams(body).keys()) {
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

async function post(url, form) {
    const { TWILIO_ACCOUNT_SID: account, TWILIO_AUTH_TOKEN: token } = process.env;
    const response = await fetch(`${url}/2010-04-01/Accounts/${account}/Messages.json`, {
        method: 'POST', body: new URLSearchParams(form),
        headers: { authorization: 'Basic ' + Buffer.from(`${account}:${token}`).toString('base64') },
    });
    return response.status;
}

const api = corrected(JSON.parse(await readFile(document, 'utf8')));

test('every call of the library, and every answer of the emulator, is as the document says', async () => {
    const { requests, violations } = await throughPrism(api, (url) => new Promise((resolve, reject) => {
        execFile(everyCall, { env: { ...process.env, TWILIOWA_BASE_URL: url } },
            (error, stdout, stderr) => (error ? reject(new Error(stderr || error)) : resolve()));
    }));
    assert.ok(requests >= 15, `${requests} requests`);
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
