// The emulator's page in a browser without a window, between a customer and a program that uses the
// library. PAGE_SCREENSHOT names a file for a picture of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';

const { TWILIO_ACCOUNT_SID: account, TWILIO_AUTH_TOKEN: token, TWILIOWA_BASE_URL: base,
    PAGE_ARGUMENTS, PAGE_SCREENSHOT } = process.env;
const [chromium, program] = PAGE_ARGUMENTS.split('|');
const authorization = 'Basic ' + Buffer.from(`${account}:${token}`).toString('base64');
const customer = 'whatsapp:+447700900123';
const problems = [];
let browser, page, bot, said;

async function post(path, body, headers = {}) {
    const response = await fetch(base + path, { method: 'POST', body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers } });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return response.json();
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
const tick = (name) => page.waitForSelector(`.bubble.theirs .tick.${name}`);

before(async () => {
    const { sid } = await post('/v1/Content', { friendly_name: 'neighbour', language: 'en',
        types: { 'twilio/quick-reply': { body: 'Shall a neighbour take it?', actions: [
            { type: 'QUICK_REPLY', title: 'Yes, please', id: 'yes' },
            { type: 'QUICK_REPLY', title: 'No', id: 'no' }] } } }, { authorization });
    bot = spawn(program, [sid, customer], { stdio: ['pipe', 'pipe', 'inherit'] });
    said = createInterface({ input: bot.stdout })[Symbol.asyncIterator]();
    const url = await told('webhook');
    await post('/emulator/webhook', { owner: account, url });
    browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox'] });
    page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (line) => line.type() === 'error' && problems.push(line.text()));
    await page.setViewport({ width: 1280, height: 800 });
    await page.goto(base);
});
after(async () => {
    await browser?.close();
    bot?.stdin.end();
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

test('a button pressed in the page reaches the program, whose answer appears in the page', async () => {
    bot.stdin.write('send\n');
    await bubble('Shall a neighbour take it?', 'theirs');
    const button = await page.waitForSelector('.bubble button::-p-text(Yes, please)');
    await button.click();
    assert.equal(await told('button'), 'yes');
    await bubble('You chose yes', 'theirs');
    await bubble('Yes, please', 'mine');
});

test('ticks turn blue when the customer reads', async () => {
    await page.waitForFunction(() => [...document.querySelectorAll('.theirs .tick')]
        .every((tick) => tick.title === 'delivered'));
    await (await page.waitForSelector('[data-act=read]')).click();
    await tick('read');
});

test('a picture that the customer attaches is shown, and nothing asks for a password', async () => {
    const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA' +
        'AABJRU5ErkJggg==';
    writeFileSync('picture.png', Buffer.from(picture, 'base64'));
    await (await page.$('#file')).uploadFile('picture.png');
    await page.waitForSelector('.bubble.mine img');
    await page.reload();
    await page.waitForSelector('.bubble.mine');
    await page.focus('#text');
    await page.keyboard.type('Still here');
    await page.keyboard.press('Enter');
    await bubble('You said: Still here', 'theirs');
});

test('the log tells of signed webhooks and their answers, and opens', async () => {
    const entry = await page.waitForSelector('#entries li ::-p-text(inbound /whatsapp)');
    await page.waitForFunction(() => /answered . signed/.test(
        document.getElementById('entries').textContent));
    await entry.click();
    await page.waitForFunction(() => /X-Twilio-Signature: .+<Response>/s.test(
        document.getElementById('entries').textContent));
});

test('a fault that is switched on hits the next request', async () => {
    await (await page.waitForSelector('#faults summary')).click();
    await (await page.waitForSelector('[aria-label="Next request: 503"]')).click();
    await page.waitForFunction(() => document.getElementById('fault-note').textContent);
    const response = await fetch(`${base}/2010-04-01/Accounts/${account}/Messages.json`,
        { headers: { authorization } });
    assert.equal(response.status, 503);
    await page.waitForFunction(() => document.getElementById('entries').textContent
        .includes('fault 503'));
    await (await page.waitForSelector('#faults summary')).click();
});

test('after 25 hours the window is closed', async () => {
    await (await page.waitForSelector('[data-advance="90000"]')).click();
    await page.waitForFunction(() => document.getElementById('who-more').textContent
        .includes('closed'));
});

test('nothing is wider than a phone', async () => {
    if (PAGE_SCREENSHOT) await page.screenshot({ path: PAGE_SCREENSHOT });
    await page.setViewport({ width: 390, height: 844 });
    for (const tab of ['chats', 'phone', 'log']) {
        await (await page.waitForSelector(`#tabs [data-tab=${tab}]`)).click();
        assert.ok(await page.$eval(`#${tab}`, (part) => part.checkVisibility()));
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    }
});

test('the page has no error to report', () => assert.deepEqual(problems, []));
