// A browser that looks at each state of a page as a person would: on a phone and
// on a desktop, light and dark, and with axe. It notes every host that is asked,
// and everything that the browser complains about.
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const widths = { phone: 390, desktop: 1280 };
const narrowest = 360;
const schemes = ['light', 'dark'];
const home = { width: widths.desktop, height: 900 };

/** Findings of axe that fail the run. */
const bad = new Set(['serious', 'critical']);

export class Browser {
  hosts = new Map();
  complaints = [];
  figures = { states: 0, screenshots: 0, axe: 0, rules: 0, serious: 0, lesser: new Map() };

  static async launch(artifacts) {
    const b = new Browser();
    b.artifacts = artifacts;
    await mkdir(artifacts, { recursive: true });
    b.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--font-render-hinting=none'],
    });
    return b;
  }

  /** context is a browser of somebody's own, with no cookies. */
  async context(baseURL, options = {}) {
    const context = await this.chromium.newContext({ baseURL, viewport: home, locale: 'en-GB', timezoneId: 'Europe/Madrid', acceptDownloads: true, permissions: ['clipboard-write'], ...options });
    context.setDefaultTimeout(10_000);
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol === 'data:' || url.protocol === 'blob:') return;
      this.hosts.set(url.host, (this.hosts.get(url.host) ?? 0) + 1);
    });
    context.on('weberror', (e) => this.complaints.push(`exception: ${e.error().message}`));
    context.on('console', (m) => {
      // Refused requests are part of the flows; the browser notes them all.
      if (['error', 'warning'].includes(m.type()) && !/Failed to load resource/.test(m.text())) this.complaints.push(`${m.type()}: ${m.text()}`);
    });
    return context;
  }

  /** see takes pictures of a state and examines it. */
  async see(page, name) {
    this.figures.states++;
    for (const scheme of schemes) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      for (const [kind, width] of Object.entries(widths)) {
        await page.setViewportSize({ width, height: kind === 'phone' ? 844 : 900 });
        // Wait until the browser has drawn what it was told.
        await page.evaluate(() => new Promise((done) => { scrollTo(0, 0); requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))); }));
        await page.screenshot({ path: `${this.artifacts}/${name}-${kind}-${scheme}.png`, fullPage: true });
        this.figures.screenshots++;
        await this.examine(page, `${name}, ${kind}, ${scheme}`);
      }
    }
    await page.setViewportSize({ width: narrowest, height: 740 });
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (excess > 0) this.complaints.push(`${name}: ${excess} px too wide for a screen of ${narrowest}`);
    await page.setViewportSize(home);
    await page.emulateMedia({ colorScheme: 'light' });
  }

  async examine(page, where) {
    await page.evaluate(axeSource);
    const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    this.figures.axe++;
    this.figures.rules += result.passes.length + result.violations.length;
    for (const v of result.violations) {
      const found = `axe: ${v.id} (${v.impact}) at ${where}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join('; ')}`;
      if (bad.has(v.impact)) {
        this.figures.serious++;
        this.complaints.push(found);
      } else {
        this.figures.lesser.set(v.id, (this.figures.lesser.get(v.id) ?? 0) + 1);
      }
    }
  }

  close() {
    return this.chromium.close();
  }
}
