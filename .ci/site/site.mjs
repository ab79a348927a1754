// The documentation in a browser: see run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Browser } from './browser.mjs';
import { Escrowd } from './servers.mjs';

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json', '.yaml': 'application/yaml', '.txt': 'text/plain' };

/** Host is a web host that has the exported site at a path. It knows no index.html. */
class Host {
  path = '/some/where/';

  async start(folder) {
    this.folder = folder;
    this.missing = [];
    this.server = createServer(async (request, response) => {
      const { pathname } = new URL(request.url, 'http://host');
      const file = normalize(join(folder, pathname.slice(this.path.length)));
      try {
        if (!pathname.startsWith(this.path) || !file.startsWith(folder)) throw new Error('outside');
        const content = await readFile(file);
        response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
        response.end(content);
      } catch {
        this.missing.push(request.url);
        response.writeHead(404);
        response.end();
      }
    });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const failures = [];
function want(ok, text) {
  if (!ok) failures.push(text);
}

const folder = await mkdtemp(`${tmpdir()}/escrow-site-`);
const host = new Host();
await host.start(folder);
const escrowd = new Escrowd(process.env.ESCROWD);
await escrowd.start('--cors-origins', host.origin);
const exporter = spawn(process.env.ESCROWD, ['docs', '--out', folder, '--public-url', escrowd.url], { stdio: ['ignore', 'inherit', 'inherit'] });
const [status] = await once(exporter, 'exit');
if (status !== 0) throw new Error(`escrowd docs: ${status}`);

const browser = await Browser.launch(process.env.ARTIFACTS);
const schemes = ['light', 'dark'];
const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

/** The site in its three places. page() gives the URL of a page of the site. */
const places = {
  server: { page: (path) => `${escrowd.url}/${path}` },
  host: { page: (path) => `${host.origin}${host.path}${path}/index.html` },
  disk: { page: (path) => pathToFileURL(join(folder, path, 'index.html')).href },
};

const index = await (await fetch(`${escrowd.url}/docs/search-index.js`)).text();
const entries = JSON.parse(index.slice(index.indexOf('['), index.lastIndexOf(']') + 1));
const texts = ['docs', ...new Set(entries.filter((e) => e.k === 'Guide').map((e) => e.u.split('#')[0])), 'problems', ...entries.filter((e) => e.k === 'Problem').map((e) => e.u)];
const inReference = entries.filter((e) => e.u.startsWith('docs/reference#')).map((e) => e.u.split('#')[1]);

/** at selects the element at an address in the reference, whose ids begin with the
    document's name. */
const at = (fragment) => `[id$="/${fragment}"]`;

/** openReference shows a place in the reference and waits until it is there. */
async function openReference(page, place, fragment = '') {
  await page.goto(place.page('docs/reference') + (fragment && `#${fragment}`));
  await page.locator('.references-rendered h1').first().waitFor();
  if (fragment) await page.locator(at(fragment)).first().waitFor({ state: 'attached' });
  await page.waitForTimeout(600);
}

/** context is a browser of somebody's own. Machines that are busy are slow. */
async function context(options = {}) {
  const made = await browser.context(escrowd.url, options);
  made.setDefaultTimeout(60_000);
  return made;
}

/** look takes a picture and examines the page; of one that is very long, what is
    seen first. */
async function look(page, name) {
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 300))); }));
  const fullPage = await page.evaluate(() => document.documentElement.scrollHeight < 12_000 && !document.getElementById('reference'));
  await page.screenshot({ path: `${process.env.ARTIFACTS}/${name}.png`, fullPage });
  browser.figures.screenshots++;
  await browser.examine(page, name);
}

/** everyLook gives a context for each size and scheme. */
async function everyLook(show) {
  for (const scheme of schemes) {
    for (const [kind, viewport] of Object.entries(sizes)) {
      const own = await context({ viewport, colorScheme: scheme });
      await show(await own.newPage(), `${kind}-${scheme}`);
      await own.close();
    }
  }
}

// Every text, as the server has it; the pictures of problems would all be alike.
async function readTexts() {
  const pictured = texts.filter((path) => !path.startsWith('problems/') || path.endsWith('/email_already_in_use'));
  await everyLook(async (page, name) => {
    for (const path of pictured) {
      await page.goto(places.server.page(path));
      await look(page, `${path.replaceAll('/', '-')}-${name}`);
    }
  });
  const own = await context({ viewport: { width: 360, height: 740 } });
  const page = await own.newPage();
  for (const path of texts) {
    await page.goto(places.server.page(path));
    if (!pictured.includes(path)) await browser.examine(page, path);
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    want(excess <= 0, `${path} is ${excess} px too wide for a screen of 360`);
  }
  await own.close();
  return pictured.length;
}

// Texts are read, and samples chosen, where scripts do not run. axe is a script
// itself: for it, only those of the site are kept away.
async function readWithoutScripts() {
  for (const [kind, viewport] of Object.entries(sizes)) {
    const own = await context({ viewport, javaScriptEnabled: false });
    const page = await own.newPage();
    for (const path of texts) {
      await page.goto(places.server.page(path));
      want((await page.locator('main').innerText()).length > 150, `${path} says little without scripts`);
      want(await page.locator('#find').isHidden(), `${path} shows a search that cannot work`);
    }
    await page.goto(places.server.page('docs/guides/quick-start'));
    const samples = page.locator('.samples').first();
    for (const language of ['Ruby', 'Go']) {
      await samples.getByText(language, { exact: true }).click();
      want(await samples.locator('.sample:visible').count() === 1, `${language} is not the one sample that is shown without scripts`);
    }
    want(/package main/.test(await samples.locator('.sample:visible').innerText()), 'the sample in Go is not in Go');
    await page.screenshot({ path: `${process.env.ARTIFACTS}/without-scripts-${kind}.png` });
    browser.figures.screenshots++;
    await page.goto(places.server.page('docs/reference'));
    want(await page.getByText('the reference, which needs JavaScript').isVisible(), 'the reference does not say that it needs scripts');
    await own.close();
  }
  const kept = await context({ viewport: sizes.phone });
  await kept.route('**/*.js', (route) => route.abort());
  const page = await kept.newPage();
  for (const path of texts.filter((path) => path.startsWith('docs'))) {
    await page.goto(places.server.page(path));
    await browser.examine(page, `${path}, without scripts`);
  }
  await kept.close();
}

async function search(place, queries) {
  const own = await context({ viewport: sizes.phone });
  const page = await own.newPage();
  for (const { from, query, title, to } of queries) {
    await page.goto(place.page(from));
    await page.locator('#find').click();
    const field = page.getByRole('combobox', { name: 'Search guides' });
    await field.fill(query);
    const first = page.getByRole('option').first();
    await first.waitFor();
    want((await first.innerText()).startsWith(title), `a search for ${query} finds ${(await first.innerText()).split('\n')[0]} first, not ${title}`);
    await field.press('ArrowDown');
    await field.press('ArrowUp');
    want(await field.getAttribute('aria-activedescendant') === 'found-0', 'the arrow keys do not move through what is found');
    await field.press('Enter');
    await page.waitForURL((url) => url.href.includes(to), { timeout: 30_000 }).catch(() => want(false, `${query} leads to ${page.url()}, not ${to}`));
  }
  await own.close();
  return queries.length;
}

const queries = [
  { from: 'docs', query: 'email_already', title: 'email_already_in_use', to: 'problems/email_already_in_use' },
  { from: 'docs/guides/testing', query: 'createCustomer', title: 'Create a customer', to: '#tag/customers/createCustomer' },
  { from: 'problems/not_found', query: 'retrying idempot', title: '', to: 'docs/' },
];

// Each address in the reference shows what it is of.
async function addresses() {
  const own = await context();
  const page = await own.newPage();
  await openReference(page, places.server);
  const arrives = (fragment) => page.waitForFunction((selector) => {
    const box = document.querySelector(selector)?.getBoundingClientRect();
    return box && box.bottom > 0 && box.top < innerHeight;
  }, at(fragment), { timeout: 10_000 });
  for (const fragment of inReference) {
    await page.goto(`${places.server.page('docs/reference')}#${fragment}`);
    try {
      // What is above is made while one arrives, and may push it away: as anybody
      // who follows a link from another page, begin anew then.
      await arrives(fragment).catch(() => page.reload().then(() => arrives(fragment)));
    } catch {
      want(false, `the reference does not show #${fragment}`);
    }
  }
  await own.close();
  return inReference.length;
}

/** tryIt sends a request from the reference, with the key typed in. */
async function tryIt(page, place, email, picture) {
  await openReference(page, place, 'tag/customers/createCustomer');
  await page.locator(at('tag/customers/createCustomer')).getByRole('button', { name: 'Test Request' }).click();
  const dialog = page.getByRole('dialog');
  const send = dialog.locator('[data-addressbar-action="send"]:visible');
  await send.waitFor();
  if (picture) await look(page, `${picture}-asked`);
  await dialog.getByPlaceholder('Token').click();
  await page.keyboard.type(escrowd.key);
  await dialog.locator('.cm-content[contenteditable="true"]').last().click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(JSON.stringify({ email, first_name: 'Johny' }));
  await send.click();
  await dialog.getByText('201 Created').first().waitFor();
  const id = Number(/"id": (\d+)/.exec(await dialog.innerText())?.[1]);
  if (picture) await look(page, `${picture}-answered`);
  const kept = await page.evaluate(async () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, (await indexedDB.databases?.()) ?? []]));
  want(!kept.includes(escrowd.key), `the key is kept: ${kept.replaceAll(escrowd.key, '(key)')}`);
  const customer = await escrowd.read(id);
  want(customer.email === email, `the customer who was tried to be created is ${JSON.stringify(customer)}`);
}

async function reference() {
  let tried = 0;
  await everyLook(async (page, name) => {
    await openReference(page, places.server);
    await look(page, `reference-${name}`);
    await openReference(page, places.server, 'models/Customer');
    await look(page, `reference-schema-${name}`);
    await tryIt(page, places.server, `try-${name}@example.com`, `reference-try-${name}`);
    tried++;
    await page.goto(places.server.page('docs/guides/errors'));
    await page.keyboard.press('/');
    await page.getByRole('combobox', { name: 'Search guides' }).fill('idempotency');
    await page.getByRole('option').first().waitFor();
    await look(page, `search-${name}`);
  });
  return tried;
}

// From another host the server is asked across origins, which it was told to allow.
async function elsewhere() {
  const own = await context();
  const page = await own.newPage();
  await tryIt(page, places.host, 'try-elsewhere@example.com');
  for (const path of texts) {
    await page.goto(places.host.page(path));
    await browser.examine(page, `${path}, exported`);
  }
  await page.goto(`${host.origin}${host.path}index.html`);
  await page.waitForURL((url) => url.pathname.endsWith('/docs/index.html'));
  want(host.missing.length === 0, `the exported site lacks ${host.missing.join(', ')}`);
  await own.close();
}

async function disk() {
  const own = await context();
  const page = await own.newPage();
  await openReference(page, places.disk, 'tag/customers/createCustomer');
  want(await page.getByRole('heading', { name: 'Create a customer' }).first().isVisible(), 'the reference is not shown from a disk');
  await own.close();
}

const chosen = process.argv.slice(2);

/** part runs a part, if it is chosen or none is, and says in a line what it was and did. */
async function part(name, run, tell) {
  if (chosen.length && !chosen.includes(name)) return;
  const before = { ...browser.figures };
  const faults = failures.length + browser.complaints.length;
  const began = Date.now();
  let result;
  try {
    result = await run();
  } catch (e) {
    failures.push(`${name}: ${e.message.split('\n').slice(0, 4).join(' ')} ${/site\.mjs:\d+/.exec(e.stack)}`);
    console.error(`site: ${failures.at(-1)}`);
  }
  const { axe, screenshots, serious } = browser.figures;
  console.log(`site: ${name}: ${tell(result)}; axe ${axe - before.axe} times, ${serious - before.serious} serious or critical; ${screenshots - before.screenshots} screenshots; ${failures.length + browser.complaints.length - faults} faults; ${((Date.now() - began) / 1000).toFixed(0)} s`);
}

await part('texts', readTexts, (n) => `${texts.length} pages, ${n} of them on a phone and a desktop, light and dark`);
await part('without scripts', readWithoutScripts, () => `${texts.length} pages on a phone and a desktop`);
await part('reference', reference, (n) => `shown and tried ${n} times, each 201 and read back; no key kept`);
await part('addresses', addresses, (n) => `${n} operations and schemas, each shown at its address`);
await part('search', async () => await search(places.server, queries) + await search(places.host, queries) + await search(places.disk, queries), (n) => `${n} searches on the server, another host and a disk`);
await part('another host', elsewhere, () => `${texts.length} pages, and a request tried across origins`);
await part('disk', disk, () => 'the reference from a file');

const own = new Set([new URL(escrowd.url).host, new URL(host.origin).host, '']);
for (const asked of browser.hosts.keys()) want(own.has(asked), `a page asks ${asked}`);
console.log(`site: hosts asked: ${[...browser.hosts.keys()].filter(Boolean).length}, none but the server and the web host; lesser findings of axe: ${[...browser.figures.lesser].map(([id, n]) => `${id} ${n}`).join(', ') || 'none'}`);

await browser.close();
await escrowd.stop();
host.stop();
await rm(folder, { recursive: true });
const faults = [...failures, ...browser.complaints];
for (const fault of new Set(faults)) console.error(`site: ${fault}`);
console.log(`site: ${faults.length ? 'FAILED' : 'passed'}`);
process.exitCode = faults.length ? 1 : 0;
