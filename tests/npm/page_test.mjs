// The emulator's page in a browser without a window, between a customer and a program that uses the
// library. Pictures of it, as on a desk and on a phone, are left beside the packages: page-desk.png and
// page-phone.png. PAGE_SCREENSHOT names a file for a copy of the first, docs/pictures/emulator.png:
//
//     PAGE_SCREENSHOT=$PWD/docs/pictures/emulator.png ctest --test-dir <build> -R npm.page
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { deflateSync, inflateSync } from 'node:zlib';
import puppeteer from 'puppeteer-core';

const { TWILIO_ACCOUNT_SID: account, TWILIO_AUTH_TOKEN: token, TWILIOWA_BASE_URL: base,
    TWILIO_WHATSAPP_NUMBER: number, PAGE_ARGUMENTS, PAGE_SCREENSHOT } = process.env;
const [chromium, program] = PAGE_ARGUMENTS.split('|');
const authorization = 'Basic ' + Buffer.from(`${account}:${token}`).toString('base64');
const customer = 'whatsapp:+447700900123';
const sender = 'whatsapp:' + number;
const demo_sender = 'whatsapp:+14155238886';
const problems = [];
let browser, page, bot, said, receiver, place;

async function post(path, body, headers = {}) {
    const response = await fetch(base + path, { method: 'POST', body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers } });
    assert.ok(response.ok, `${path}: ${response.status} ${response.ok || await response.text()}`);
    return response.json();
}
const act = (action, more = {}, who = customer) =>
    post('/emulator/customer', { customer: who, action, ...more });
async function send(fields, to = customer, from = sender) {
    const response = await fetch(`${base}/2010-04-01/Accounts/${account}/Messages.json`,
        { method: 'POST', headers: { authorization },
            body: new URLSearchParams({ From: from, To: to, ...fields }) });
    return { status: response.status, ...await response.json().catch(() => ({})) };
}
const list = (headers = { authorization }) =>
    fetch(`${base}/2010-04-01/Accounts/${account}/Messages.json`, { headers });
async function template(types) {
    const { sid } = await post('/v1/Content', { friendly_name: 'x', language: 'en', types },
        { authorization });
    return sid;
}
/// The program's next line that starts so; those before it are passed over.
async function told(start) {
    for (;;) {
        const { value, done } = await said.next();
        assert.ok(!done, `the program ended before it said "${start}"`);
        if (value.startsWith(start)) return value.slice(start.length).trim();
    }
}
const bubble = (text, side) => page.waitForSelector(`.bubble.${side} ::-p-text(${text})`);
const click = async (selector) => (await page.waitForSelector(selector)).click();
/// Until the text of the element holds that.
const says = (id, text) => page.waitForFunction((id, text) =>
    document.getElementById(id).textContent.includes(text), {}, id, text);
/// Until the function, in the page, gives a true value.
const until = (what, ...values) => page.waitForFunction(what, {}, ...values);
const open_chat = async (text) => {
    await click(`.chat ::-p-text(${text})`);
    await says('who-name', text);
};
/// Puts that into a field, instead of what is there.
async function write(selector, text) {
    await page.focus(selector);
    await page.keyboard.down('Control');
    await page.keyboard.press('a');
    await page.keyboard.up('Control');
    await page.keyboard.type(text);
}
const tick_of = (sid, name) => page.waitForSelector(`[data-sid="${sid}"] .tick[title="${name}"]`);
async function reload() {
    await page.reload();
    await page.waitForSelector('#link:not(.lost) ::-p-text(live)');
}
function crc32(bytes) {
    let sum = ~0;
    for (const byte of bytes) {
        sum ^= byte;
        for (let i = 0; i < 8; ++i) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return ~sum >>> 0;
}
/// A picture of one colour.
function png(width, height, [red, green, blue]) {
    const chunk = (type, data) => {
        const body = Buffer.concat([Buffer.from(type), data]);
        const frame = Buffer.alloc(8);
        frame.writeUInt32BE(data.length);
        frame.writeUInt32BE(crc32(body), 4);
        return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
    };
    const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
    head.writeUInt32BE(width);
    head.writeUInt32BE(height, 4);
    const line = Buffer.from([0, ...Array(width).fill([red, green, blue]).flat()]);
    return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head),
        chunk('IDAT', deflateSync(Buffer.concat(Array(height).fill(line)))),
        chunk('IEND', Buffer.alloc(0))]);
}
/// Takes a picture of the page, and makes sure that there is something on it.
async function photograph(file, width, height) {
    await page.screenshot({ path: file });
    const bytes = readFileSync(file);
    assert.equal(bytes.toString('latin1', 1, 4), 'PNG');
    assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [width, height]);
    const data = [];
    for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
        if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') {
            data.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
        }
    }
    const pixels = inflateSync(Buffer.concat(data));
    const line = pixels.length / height;
    const lines = new Set();
    for (let y = 0; y < height; ++y) lines.add(pixels.toString('latin1', y * line, (y + 1) * line));
    assert.ok(lines.size > height / 4, `${file} has only ${lines.size} lines that differ`);
}

before(async () => {
    // Where the business keeps its pictures; and a receiver that refuses every webhook.
    receiver = createServer((request, response) => {
        if (request.url === '/hat.png') {
            response.writeHead(200, { 'content-type': 'image/png' });
            response.end(png(240, 120, [40, 110, 160]));
        } else {
            request.resume().on('end', () => response.writeHead(403).end('bad signature'));
        }
    });
    await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    place = `http://127.0.0.1:${receiver.address().port}`;
    const sid = await template({ 'twilio/quick-reply': { body: 'Shall a neighbour take it?', actions: [
        { type: 'QUICK_REPLY', title: 'Yes, please', id: 'yes' },
        { type: 'QUICK_REPLY', title: 'No', id: 'no' }] } });
    bot = spawn(program, [sid, customer], { stdio: ['pipe', 'pipe', 'inherit'] });
    said = createInterface({ input: bot.stdout })[Symbol.asyncIterator]();
    const url = await told('webhook');
    await post('/emulator/webhook', { owner: account, url });
    browser = await puppeteer.launch({ executablePath: chromium,
        args: ['--no-sandbox', '--lang=en-GB', '--force-prefers-reduced-motion'] });
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (line) => {
        const known = line.location().url?.includes('onerror');  // a picture that cannot be had
        if (line.type() === 'error' && !known) problems.push(line.text());
    });
    page.on('dialog', (dialog) => { problems.push('dialog'); dialog.dismiss(); });
    await page.setViewport({ width: 1280, height: 800 });
    await page.goto(base);
});
after(async () => {
    await browser?.close();
    bot?.stdin.end();
    receiver?.close();
});

test('the customer writes with the keyboard, and reads the answer of the program', async () => {
    await page.waitForSelector('#sender option');
    await page.focus('#customer');
    await page.keyboard.type('+447700900123');
    await page.keyboard.press('Enter');
    await page.keyboard.type('Where is <b>my order</b>?');
    await page.keyboard.press('Enter');
    assert.equal(await told('text'), 'Where is <b>my order</b>?');
    await bubble('You said: Where is <b>my order</b>?', 'theirs');
    assert.equal(await page.$('.bubble b'), null);
});

test('a new message is announced to those who do not see it', async () => {
    assert.equal(await page.$eval('#live', (live) => live.getAttribute('aria-live')), 'polite');
    await says('live', 'You said: Where is');
});

test('a button pressed in the page reaches the program, whose answer appears in the page', async () => {
    bot.stdin.write('send\n');
    await bubble('Shall a neighbour take it?', 'theirs');
    await click('.bubble button::-p-text(Yes, please)');
    assert.equal(await told('button'), 'yes');
    await bubble('You chose yes', 'theirs');
    await bubble('Yes, please', 'mine');
});

test('ticks turn from none to one, two and blue', async () => {
    // One recipient never gets further than one tick, another never further than two.
    for (const [to, status, shape] of [['+15005550020', 'sent', 'one'],
        ['+15005550006', 'delivered', 'two'], ['+15005550021', 'read', 'two']]) {
        const { sid } = await send({ Body: 'Tick' }, 'whatsapp:' + to);
        await open_chat(to);
        const tick = await tick_of(sid, status);
        assert.equal(await tick.evaluate((tick) => tick.dataset.shape), shape);
        const [red, green, blue] = (await tick.evaluate((tick) => getComputedStyle(tick).color))
            .match(/\d+/g).map(Number);
        assert.equal(blue > red + 100 && blue > green + 50, status === 'read', `${status}: ${blue}`);
    }
    await open_chat('+447700900123');
    const { sid } = await send({ Body: 'Turn blue' });
    await page.waitForSelector(`[data-sid="${sid}"]`);
    await page.evaluate((sid) => {
        const tick = document.querySelector(`[data-sid="${sid}"] .tick`);
        window.seen = [tick.title];
        new MutationObserver(() => window.seen.push(tick.title)).observe(tick, { attributes: true });
    }, sid);
    await tick_of(sid, 'delivered');
    await click('[data-act=read]');
    await tick_of(sid, 'read');
    const order = ['queued', 'sending', 'sent', 'delivered', 'read'];
    const seen = (await page.evaluate(() => window.seen)).map((status) => order.indexOf(status));
    assert.deepEqual(seen, [...seen].sort(), 'a tick turned back');
});

test('a template is drawn with its header, footer, buttons and bold words', async () => {
    const sid = await template({ 'whatsapp/card': { header_text: 'Order 1042',
        body: 'It comes between *10* and 12.', footer: 'Reply STOP to hear no more', actions: [
            { type: 'QUICK_REPLY', title: 'Fine', id: 'fine' },
            { type: 'URL', title: 'Track it', url: 'https://example.com/1042' }] } });
    const message = await send({ ContentSid: sid });
    await page.waitForSelector('.theirs .text strong ::-p-text(10)');
    const [head, foot, link] = await page.$eval(`[data-sid="${message.sid}"]`, (node) =>
        ['.head', '.foot', 'a.button'].map((part) => {
            const { textContent, href, rel } = node.querySelector(part);
            return { textContent, href, rel };
        }));
    assert.equal(head.textContent, 'Order 1042');
    assert.equal(foot.textContent, 'Reply STOP to hear no more');
    assert.equal(link.href, 'https://example.com/1042');
    assert.match(link.rel, /noopener/);
});

test('a list opens, and what is chosen reaches the program', async () => {
    const sid = await template({ 'twilio/list-picker': { body: 'Where shall it go?', button: 'Choose',
        items: [{ item: 'Shop', id: 'shop', description: 'Open until 8 pm' },
            { item: 'Locker', id: 'locker' }] } });
    await send({ ContentSid: sid });
    await click('.bubble summary ::-p-text(Choose)');
    await bubble('Open until 8 pm', 'theirs');
    await click('.bubble .item ::-p-text(Shop)');
    await bubble('Shop', 'mine');
    await until(() => /ListId = shop|ListId=shop/.test(JSON.stringify(
        [...entries.values()].map((entry) => entry.record.body))));
});

test('a carousel is drawn card by card, each with its texts and buttons', async () => {
    const card = (name) => ({ title: `Hat ${name}`, body: `It is *${name}*`, media: place + '/hat.png',
        actions: [{ type: 'QUICK_REPLY', title: `Take ${name}`, id: `take-${name}` }] });
    const sid = await template({ 'twilio/carousel': { body: 'Two hats', cards: [card('red'), card('blue')] } });
    const message = await send({ ContentSid: sid });
    await page.waitForSelector(`[data-sid="${message.sid}"] .card-of-many ::-p-text(Take blue)`);
    assert.deepEqual(await page.$$eval(`[data-sid="${message.sid}"] .card-of-many`, (cards) =>
        cards.map((card) => ['.head', '.text', 'button'].map((part) =>
            card.querySelector(part).textContent))),
    [['Hat red', 'It is red', 'Take red'], ['Hat blue', 'It is blue', 'Take blue']]);
    await until((sid) => [...document.querySelectorAll(`[data-sid="${sid}"] .card-of-many img`)]
        .filter((picture) => picture.naturalWidth === 240).length === 2, message.sid);
    await click(`[data-sid="${message.sid}"] .card-of-many button ::-p-text(Take blue)`);
    await bubble('Take blue', 'mine');
});

test('a template that waits is approved or rejected in the page, with a reason', async () => {
    const submit = async (name) => {
        const { sid } = await post('/v1/Content', { friendly_name: name, language: 'en',
            types: { 'twilio/text': { body: `This is <b>${name}</b>` } } }, { authorization });
        await post(`/v1/Content/${sid}/ApprovalRequests/whatsapp`, { name, category: 'UTILITY' },
            { authorization });
        return sid;
    };
    const approval = async (sid) => (await (await fetch(`${base}/v1/Content/${sid}/ApprovalRequests`,
        { headers: { authorization } })).json()).whatsapp;
    const [good, bad, late] = [await submit('good_one'), await submit('bad_one'), await submit('late_one')];
    const shows = (sid, status, text) =>
        page.waitForSelector(`[data-template="${sid}"][data-approval=${status}] ::-p-text(${text})`);
    await click('#templates > summary');
    await says('template-sum', '3 waiting');
    await shows(late, 'pending', 'This is <b>late_one</b>');
    await click('[aria-label="Approve good_one"]');
    await shows(good, 'approved', 'approved');
    await click('[aria-label="Reject bad_one"]');
    await page.waitForSelector('#ask[open]');
    await write('#ask input[name=reason]', 'ABUSIVE_CONTENT');
    await page.keyboard.press('Enter');
    await shows(bad, 'rejected', 'ABUSIVE_CONTENT');
    await says('template-sum', '1 waiting');
    assert.equal((await approval(good)).status, 'approved');
    const { status, rejection_reason } = await approval(bad);
    assert.deepEqual([status, rejection_reason], ['rejected', 'ABUSIVE_CONTENT']);
    assert.deepEqual(await page.$$eval(`[data-template="${good}"] button`, (buttons) => buttons.length), 0);
    // Twilio's own, which it has from the start, is there as well.
    await shows('HX00000000000000000000000000000001', 'approved', 'your order');
    await post('/emulator/approval', { template: late, status: 'approved' });
    await says('template-sum', '');
    await click('#templates > summary');
});

test('what is reported of the account and its senders is shown', async () => {
    await click('#account > summary');
    await page.waitForSelector('#account-rows ::-p-text(100.00 USD)');
    await post('/emulator/account', { status: 'suspended', balance: '0.00' });
    await post('/emulator/sender', { sender: demo_sender, status: 'OFFLINE', quality_rating: 'LOW',
        offline_reasons: [{ code: '63020', message: 'Not <i>paid</i>' }] });
    await page.waitForSelector('#account-rows ::-p-text(suspended)');
    await page.waitForSelector('#sender-rows ::-p-text(OFFLINE 63020 Not <i>paid</i>)');
    await page.waitForSelector('#sender-rows ::-p-text(LOW)');
    await says('account-sum', 'not in order');
    await post('/emulator/account', { status: 'active', balance: '100.00' });
    await post('/emulator/sender', { sender: demo_sender, status: 'ONLINE', quality_rating: 'HIGH',
        offline_reasons: [] });
    await until(() => !document.getElementById('account-sum').textContent);
    await click('#account > summary');
});

test('texts can be read: colours differ enough, by day and by night, and names are as they were given',
    async () => {
        await act('name', { text: 'Lee' });
        await says('who-name', 'Lee');
        assert.equal(await page.$eval('#who-name', (name) => name.innerText), '+447700900123 Lee');
        await act('name', { text: 'Customer' });
        assert.match(await page.$eval('header a', (link) => link.href), /\/help$/);
        for (const value of ['light', 'dark']) {
            await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
            const faint = await page.evaluate(() => {
                const light = (rgb) => {
                    const [r, g, b] = rgb.match(/[\d.]+/g).map((part) => part / 255).map((part) =>
                        part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                };
                const behind = (node) => {
                    const colour = getComputedStyle(node).backgroundColor;
                    return /, 0\)$/.test(colour) && node.parentElement ? behind(node.parentElement) : colour;
                };
                // A link and a time in a bubble of either side, whoever wrote what so far.
                const samples = [...document.querySelectorAll('.bubble')].flatMap((bubble) =>
                    ['a', 'time', '.text', '.foot'].map((part) => part === 'a' ?
                        bubble.querySelector('a:not(.button)') || bubble.appendChild(
                            Object.assign(document.createElement('a'), { href: '/help', className: 'sample' })) :
                        bubble.querySelector(part))).filter(Boolean);
                const found = [...samples, ...document.querySelectorAll('header a, #now, #who small')]
                    .map((node) => {
                        const [a, b] = [getComputedStyle(node).color, behind(node)].map(light)
                            .sort((x, y) => y - x);
                        return [node.tagName + ' in ' + node.parentElement.className,
                            (a + 0.05) / (b + 0.05)];
                    }).filter(([, contrast]) => contrast < 4.5);
                for (const sample of document.querySelectorAll('.sample')) sample.remove();
                return found;
            });
            assert.deepEqual(faint, [], value);
        }
        await page.emulateMediaFeatures([]);
    });

test('pictures and places of the business are drawn', async () => {
    await send({ Body: 'This hat', MediaUrl: place + '/hat.png' });
    await until(() => [...document.querySelectorAll('.bubble.theirs img')]
        .some((picture) => picture.naturalWidth === 240));
    await send({ Body: 'The shop', PersistentAction: 'geo:51.5007,-0.1246|Bridge Street 1, London' });
    await page.waitForSelector('.theirs .place ::-p-text(Bridge Street 1, London)');
    assert.ok(await page.$('.theirs .place svg'));
    await page.waitForSelector('.theirs .place ::-p-text(51.5007, -0.1246)');
});

test('the pictures of the page show something', async () => {
    await until(() => [...document.querySelectorAll('.theirs .tick')]
        .every((tick) => ['delivered', 'read'].includes(tick.title)));
    await click('[data-act=read]');
    await until(() => [...document.querySelectorAll('.theirs .tick')]
        .every((tick) => tick.title === 'read'));
    await click('#entries li ::-p-text(inbound /whatsapp)');
    await says('entries', 'It is right for');
    await photograph('page-desk.png', 1280, 800);
    if (PAGE_SCREENSHOT) copyFileSync('page-desk.png', PAGE_SCREENSHOT);
});

test("a customer's files and places are drawn, after a reload and when others sent them too", async () => {
    writeFileSync('picture.png', png(120, 90, [190, 90, 40]));
    await (await page.$('#file')).uploadFile('picture.png');
    const shown = (width) => until((width) => [...document.querySelectorAll('.bubble.mine img')]
        .some((picture) => picture.naturalWidth === width), width);
    await shown(120);
    await act('media', { content_type: 'image/png', text: 'And this',
        base64: png(64, 48, [20, 140, 90]).toString('base64') });
    await shown(64);
    await act('media', { content_type: 'audio/ogg', base64: Buffer.from('OggS').toString('base64') });
    await act('location', { latitude: 51.5, longitude: -0.12, label: 'My door' });
    await page.waitForSelector('.mine .place ::-p-text(My door)');
    await reload();
    await shown(120);
    await shown(64);
    await page.waitForSelector('.mine .place ::-p-text(My door)');
    await page.focus('#text');
    await page.keyboard.type('Still here');
    await page.keyboard.press('Enter');
    await bubble('You said: Still here', 'theirs');
});

test('the log tells of credentials, signatures and their verdicts, and opens', async () => {
    const entry = await page.waitForSelector('#entries li ::-p-text(inbound /whatsapp)');
    await until(() => /answered . signature ok/.test(
        document.getElementById('entries').textContent));
    await until(() => /POST \/Messages.json.*credentials accepted/s.test(
        document.getElementById('entries').textContent));
    await entry.click();
    await until(() => /X-Twilio-Signature: .+It is right for http.+<Response/s.test(
        document.getElementById('entries').textContent));
    assert.equal((await list({ authorization: 'Basic ' + btoa(account + ':wrong') })).status, 401);
    await says('entries', 'credentials refused');
    assert.equal((await list({})).status, 401);
    await says('entries', 'credentials missing');
});

test('nothing in a file of a customer can run, and no password is asked for', async () => {
    const { sid } = await act('media', { content_type: 'image/svg+xml', text: 'Evil', base64: Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg"><script>parent.pwned = 1</script></svg>')
        .toString('base64') });
    await page.waitForSelector(`[data-sid="${sid}"] a`);
    const href = await page.$eval(`[data-sid="${sid}"] a`, (link) => link.href);
    const response = await fetch(href);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/octet-stream');
    assert.equal(response.headers.get('content-disposition'), 'attachment');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.match(response.headers.get('content-security-policy'), /default-src 'none'; sandbox/);
    assert.equal((await fetch(href.replace(/ME\w+$/, 'ME' + '0'.repeat(32)))).status, 404);
    const refused = await fetch(base + '/emulator/customer', { method: 'POST',
        headers: { 'content-type': 'application/json' }, body: JSON.stringify({ customer,
            action: 'media', content_type: 'text/html\r\nX-Evil: 1', base64: '' }) });
    assert.equal(refused.status, 400);
});

test('a receiver that refuses the signature is told apart, with what to check', async () => {
    const { webhook_urls } = await (await fetch(base + '/emulator/state')).json();
    await click('#address summary');
    await page.select('#owner', account);
    assert.equal(await page.$eval('#url', (field) => field.value), webhook_urls[account]);
    await write('#url', place + '/refuses');
    await page.focus('#webhook button');
    // What happens meanwhile takes nothing away of what was written.
    const { sid } = await act('location', { latitude: 1, longitude: 2 });
    await page.waitForSelector(`[data-sid="${sid}"]`);
    await page.keyboard.press('Enter');
    await until(async (url) => JSON.stringify((await (await fetch('/emulator/state')).json())
        .webhook_urls).includes(url), place + '/refuses');
    await click('#address summary');
    await act('text', { text: 'Is this signed?' });
    await says('entries', 'refused the signature?');
    await click('#entries li ::-p-text(inbound /refuses)');
    await says('entries', 'It is right for ' + place + '/refuses');
    await says('entries', 'Check that it uses the auth token of this account');
    await post('/emulator/webhook', { owner: account, url: webhook_urls[account] });
});

test('every fault can be ordered for the next requests, and is seen in the log', async () => {
    await click('#faults summary');
    const answers = { 429: 429, '429-retry-after': 429, 500: 500, '500-after': 500, 503: 503 };
    for (const fault of ['close-before', 'close-after', 'reset', 'black-hole', 'slow', 'truncated',
        'garbage', '429', '429-retry-after', '500', '500-after', '503']) {
        await page.waitForSelector(`[aria-label="Share of requests with ${fault}, percent"]`);
        const button = await page.waitForSelector(`[aria-label="Next: ${fault}"]`);
        if (!answers[fault]) continue;
        await button.click();
        await says('fault-next', 'Next: ' + fault);
        const response = await list();
        assert.equal(response.status, answers[fault]);
        assert.equal(response.headers.get('retry-after'), fault === '429-retry-after' ? '1' : null);
        await until(() => !document.getElementById('fault-next').textContent);
        await says('entries', 'fault ' + fault);
    }
});

test('ordered faults, and those by chance, are still there after a reload, until they are ended', async () => {
    await write('#fault-count', '3');
    await click('[aria-label="Next: 503"]');
    await says('fault-next', 'Next: 3 \u00d7 503');
    await write('[aria-label="Share of requests with 500, percent"]', '50\n');
    await write('[aria-label="Share of webhooks dropped, percent"]', '25\n');
    await reload();
    await click('#faults summary');
    await says('fault-next', 'Next: 3 \u00d7 503');
    await until(() => document.querySelector(
        '[aria-label="Share of requests with 500, percent"]').value === '50');
    await until(() => document.querySelector(
        '[aria-label="Share of webhooks dropped, percent"]').value === '25');
    for (let i = 0; i < 3; ++i) assert.equal((await list()).status, 503);

    const chance = async (seed) => {
        await write('#seed', seed);
        await click('#seeding button');
        await until(async (seed) => (await (await fetch('/emulator/state')).json()).fault_seed === seed,
            seed);
        const statuses = [];
        for (let i = 0; i < 16; ++i) statuses.push((await list()).status);
        return statuses.join();
    };
    const first = await chance('7');
    assert.match(first, /500/);
    assert.match(first, /200/);
    assert.notEqual(await chance('8'), first);
    assert.equal(await chance('7'), first);
    await click('#fault-clear');
    await until(() => document.querySelector(
        '[aria-label="Share of requests with 500, percent"]').value === '0');
    for (let i = 0; i < 8; ++i) assert.equal((await list()).status, 200);
    await click('#faults summary');
});

test('blocking, having no WhatsApp and STOP have their effect, and survive a reload', async () => {
    const pressed = (what, yes) => page.waitForSelector(
        `[data-toggle=${what}][aria-pressed="${yes}"]`);
    for (const [what, code] of [['block', 63014], ['whatsapp', 63024]]) {
        await click(`[data-toggle=${what}]`);
        await pressed(what, true);
        await reload();
        await pressed(what, true);
        const { sid } = await send({ Body: 'Anybody there?' });
        await tick_of(sid, 'undelivered ' + code);
        await click(`[data-toggle=${what}]`);
        await pressed(what, false);
    }
    await click('[data-act=stop]');
    await says('who-flags', 'has opted out');
    assert.equal((await send({ Body: 'Hello?' })).code, 21610);
    await reload();
    await says('who-flags', 'has opted out');
    await click('[data-act=start]');
    await until(() => !document.getElementById('who-flags').textContent);
});

test('conversations are kept apart by sender, and can be chosen', async () => {
    const from = demo_sender.replace('whatsapp:', '');
    await act('text', { text: 'To the other sender', sender: demo_sender });
    await until((from) => [...document.querySelectorAll('.chat')]
        .some((chat) => chat.textContent.includes('with ' + from)), from);
    await page.select('#only', demo_sender);
    await says('who-more', 'with ' + from);
    await bubble('To the other sender', 'mine');
    assert.equal(await page.$('.bubble ::-p-text(Still here)'), null);
    const senders = await page.$$eval('#chat-list li:not([hidden]) .chat', (chats) =>
        chats.map((chat) => chat.lastChild.textContent));
    assert.ok(senders.length > 0 && senders.every((text) => text === 'with ' + from), `${senders}`);
    await page.select('#only', '');
    // A new customer, of the sender chosen; the conversation is there after a reload.
    await page.select('#sender', demo_sender);
    await page.type('#customer', '+447700900199\n');
    await says('who-name', '+447700900199');
    await reload();
    await says('who-name', '+447700900199');
    await says('who-more', 'with ' + from);
    await page.type('#text', 'First words\n');
    await bubble('First words', 'mine');
});

test('whatever hostile clients send stays text', async () => {
    const evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>"\'>';
    const who = 'whatsapp:' + evil;
    await act('name', { text: evil }, who);
    await act('text', { text: evil }, who);
    await act('location', { latitude: 1, longitude: 2, label: evil, address: evil }, who);
    await act('text', { text: evil }, 'whatsapp:+447700900166');
    await act('name', { text: evil }, 'whatsapp:+447700900166');
    const types = { 'whatsapp/card': { header_text: evil, body: evil, footer: evil, actions: [
        { type: 'URL', title: evil, url: 'javascript:window.pwned=1' },
        { type: 'QUICK_REPLY', title: evil, id: evil }] } };
    const sid = await template(types);
    await send({ ContentSid: sid }, 'whatsapp:+447700900166');
    await send({ Body: evil, MediaUrl: place + '/"onerror="window.pwned=1' },
        'whatsapp:+447700900166');
    await fetch(base + '/' + encodeURIComponent(evil) + '?' + evil.replace(/\s/g, '+'),
        { headers: { authorization: evil.replace(/[^ -~]/g, '') } });
    for (const chat of ['+447700900166', '<img src=x']) {
        await open_chat(chat);
        await page.waitForSelector('.bubble .text ::-p-text(<img src=x)');
        for (const button of await page.$$('.bubble .actions button')) await button.click();
    }
    await open_chat('+447700900166');
    await page.waitForSelector('.bubble .head ::-p-text(<img src=x)');
    for (const summary of await page.$$('#entries summary')) await summary.evaluate((s) => s.click());
    await says('entries', 'onerror=');
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.$('img[src="x"], .bubble script, #entries script, #entries img'), null);
    assert.equal(await page.$('a[href^="javascript:"]'), null);
    // Even if something slipped through, the browser would not run it.
    const before = problems.length;
    await page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'window.pwned = 1';
        document.body.append(script);
        const image = document.createElement('img');
        image.setAttribute('onerror', 'window.pwned = 1');
        image.src = 'data:,';
        document.body.append(image);
    });
    await until(() => [...document.images].every((image) => image.complete));
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    problems.splice(before);
    await reload();
    await open_chat('+447700900123');
});

test('everything can be reached with the keyboard, and the focus is seen', async () => {
    await page.evaluate(() => {
        document.body.tabIndex = -1;
        document.body.focus();
        document.body.removeAttribute('tabindex');
    });
    const reached = [];
    for (let i = 0; i < 400; ++i) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => {
            const { activeElement: element } = document;
            if (element === document.body) return null;
            const style = getComputedStyle(element);
            return { name: element.id || element.dataset.act || element.dataset.toggle ||
                element.dataset.advance || element.tagName, tag: element.tagName,
            part: (element.closest('header, nav, main, aside') || {}).id || 'header',
            seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
        });
        if (!at) break;
        assert.ok(at.seen, `the focus on ${at.name} is not seen`);
        assert.match(at.tag, /^(A|AUDIO|BUTTON|INPUT|PRE|SELECT|SUMMARY|TEXTAREA|UL|VIDEO)$|DIV/);
        reached.push(at);
        if (at.part === 'log' && at.name === 'clear') break;
    }
    const names = reached.map((at) => at.name);
    for (const name of ['3600', '90000', 'customer', 'sender', 'only', 'thread', 'text', 'stop', 'start',
        'read', 'attach', 'place', 'block', 'whatsapp', 'read_at_once', 'hide_number', 'forget_number',
        'new-number', 'user-id', 'shown', 'clear']) {
        assert.ok(names.includes(name), `${name} is not reached: ${names}`);
    }
    const parts = reached.map((at) => at.part).filter((part, i, all) => part !== all[i - 1]);
    assert.deepEqual(parts, ['header', 'chats', 'phone', 'log']);
    // What looks like a button is one; every field has a name.
    assert.equal(await page.$('[onclick], div[role=button], span[role=button]'), null);
    assert.deepEqual(await page.$$eval('input, select', (fields) => fields.filter((field) =>
        !field.labels.length && !field.getAttribute('aria-label')).map((field) => field.id)), []);
});

test('who hides the number is named by the user id, and is one customer still', async () => {
    await page.select('#sender', sender);
    await page.type('#customer', '+447700900177\n');
    await says('who-name', '+447700900177');
    const who = 'whatsapp:+447700900177';
    await act('user_id', { user_id: 'GB.page1', sender }, who);
    await click('[data-toggle=hide_number]');
    await says('who-more', 'known as GB.page1');
    await page.type('#text', 'Who am I?\n');
    await bubble('Who am I?', 'mine');
    const { sid } = await send({ Body: 'To your id' }, 'whatsapp:GB.page1');
    await bubble('To your id', 'theirs');
    await tick_of(sid, 'delivered');
    await says('who-name', '+447700900177');
    await click('[data-toggle=hide_number]');
    await until(() => !document.getElementById('who-more').textContent.includes('known as'));
    await click('#new-number');
    await page.type('#ask-fields input', '+447700900178');
    await click('#ask button[value=ok]');
    await says('who-name', '+447700900178');
});

test('after 25 hours the window is closed', async () => {
    await click('[data-advance="90000"]');
    await says('who-more', 'closed');
});

test('on a phone nothing is wider than it, and every part can be used', async () => {
    await page.setViewport({ width: 375, height: 700, isMobile: true, hasTouch: true });
    await page.waitForSelector('#link ::-p-text(live)');
    for (const tab of ['chats', 'phone', 'log']) {
        await (await page.waitForSelector(`#tabs [data-tab=${tab}]`)).click();
        assert.ok(await page.$eval(`#${tab}`, (part) => part.checkVisibility()));
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), tab);
        const narrow = await page.$$eval(`#${tab} button, #${tab} input, #${tab} select`, (all) => all
            .filter((one) => one.checkVisibility() && !one.closest('.meta'))
            .map((one) => [one.textContent || one.id, one.getBoundingClientRect()])
            .filter(([, box]) => box.height < 32 || box.left < 0 || box.right > innerWidth)
            .map(([name]) => name));
        assert.deepEqual(narrow, [], tab);
    }
    await click('#faults summary');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await photograph('page-phone-faults.png', 375, 700);
    await click('#faults summary');
    await click('#tabs [data-tab=chats]');
    await photograph('page-phone-chats.png', 375, 700);
    await open_chat('+447700900123');
    assert.ok(await page.$eval('#text', (text) => text.getBoundingClientRect().bottom <= innerHeight));
    await photograph('page-phone.png', 375, 700);
});

test('the page has no error to report', () => assert.deepEqual(problems, []));
