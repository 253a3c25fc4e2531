import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHtml } from '../../src/report/html/page.ts';
import { verdict } from '../../src/report/verdict.ts';
import { HOSTILE, hostile } from '../report/example.ts';
import { type Page, startChromium } from './chromium.ts';
import { PAGES } from './pages.ts';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const VIEWS = [360, 1280].flatMap((width) =>
  (['light', 'dark'] as const).map((scheme) => ({ width, height: 800, scheme })),
);
/** Long to draw, or much like another: in two views, so that each width and each scheme is there. */
const TWICE = ['many', 'cancelled'];
const LOOKS = Object.keys(PAGES).flatMap((name) =>
  VIEWS.filter((_, index) => !TWICE.includes(name) || index === 1 || index === 2).map((view) => ({
    name,
    ...view,
  })),
);
const MOST_PIXELS = 6_000;

let browser: Page;
let folder: string;
/** Where the pages and their pictures stay, for whoever wants to look at them. */
const { SCREENSHOTS } = process.env;

beforeAll(async () => {
  folder = SCREENSHOTS ? resolve(SCREENSHOTS) : await mkdtemp(join(tmpdir(), 'consul-deploy-pages-'));
  await mkdir(folder, { recursive: true });
  for (const [name, make] of Object.entries(PAGES))
    await writeFile(join(folder, `${name}.html`), toHtml(make()));
  browser = await startChromium();
});
afterAll(async () => {
  await browser.close();
  if (!SCREENSHOTS) await rm(folder, { recursive: true });
});

const open = (name: string, view: Parameters<Page['open']>[1]) =>
  browser.open(join(folder, `${name}.html`), view);

/** Elements that stand out of the window at its right, but for those that only screen readers are told. */
const OVERFLOW = `[...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.skip, .spoken, thead, svg'))
  .map((one) => one.outerHTML.slice(0, 100))`;

describe.each(LOOKS)('the page of $name, $width wide, $scheme', ({ name, ...view }) => {
  test('asks for nothing but itself, and breaks none of its own rules', async () => {
    const { requests, messages } = await open(name, view);
    expect(requests).toEqual([`file://${join(folder, name)}.html`]);
    expect(messages).toEqual([]);
  });

  test('fits its window, also with everything unfolded', async () => {
    await open(name, view);
    await browser.evaluate('document.querySelectorAll("details").forEach((one) => { one.open = true; })');
    expect(await browser.evaluate(OVERFLOW)).toEqual([]);
    expect(await browser.evaluate('document.documentElement.scrollWidth')).toBe(view.width);
  });

  test('passes axe', async () => {
    await open(name, view);
    await browser.evaluate(`${AXE}; true`);
    const { violations, passes } = await browser.evaluate<{ violations: string[]; passes: number }>(
      `axe.run({ preload: false }).then(({ violations, passes }) => ({
        passes: passes.length,
        violations: violations.map(({ id, nodes }) => id + ': ' + nodes[0].html + ' ' + nodes[0].failureSummary),
      }))`,
    );
    expect(violations).toEqual([]);
    expect(passes).toBeGreaterThan(30);
  });

  test('is drawn in the colours of its scheme, and shows its verdict at once', async () => {
    await open(name, view);
    const [back = '', bottom = 0, shown = ''] = await browser.evaluate<[string, number, string]>(
      `(() => {
        const heading = document.querySelector('h1');
        return [
          getComputedStyle(document.body).backgroundColor,
          heading.getBoundingClientRect().bottom,
          heading.innerText,
        ];
      })()`,
    );
    const brightness = Number(/\d+/.exec(back)?.[0]);
    expect(brightness > 128).toBe(view.scheme === 'light');
    expect(bottom).toBeLessThan(view.height);
    expect(shown).toBe(verdict(PAGES[name]?.() ?? expect.unreachable()).headline);
    const picture = await browser.screenshot({ height: MOST_PIXELS });
    // A page of one colour packs into far less.
    expect(picture.length).toBeGreaterThan(40_000);
    await writeFile(join(folder, `${name}-${view.width}-${view.scheme}.png`), picture);
  });
});

test('the keyboard gets to the report first, then to each part and whatever unfolds', async () => {
  await open('red', { width: 1280, height: 800, scheme: 'light' });
  const reached: string[] = [];
  for (;;) {
    await browser.press('Tab');
    const text = await browser.evaluate<string>('document.activeElement?.textContent ?? ""');
    const isOver = await browser.evaluate<boolean>('document.activeElement === document.body');
    if (isOver || reached.length > 50) break;
    reached.push(text);
  }
  expect(reached).toEqual([
    'Skip to the report',
    ...['Diagnosis', 'Topology', 'Checks', 'Warnings', 'Timeline', 'History', 'Facts', 'Objects'],
    ...['timeout', 'Evidence: 2 lines', 'All figures', 'All objects'],
  ]);
});

test('on paper everything is unfolded, and the links to the parts are gone', async () => {
  await open('green', { width: 800, height: 1100, scheme: 'light', media: 'print' });
  const height = (selector: string) =>
    browser.evaluate<number>(`document.querySelector('${selector}').getBoundingClientRect().height`);
  expect(await height('#history details table')).toBeGreaterThan(100);
  expect(await height('nav')).toBe(0);
});

test('names that are long, and hostile ones, do not push anything out of a phone', async () => {
  for (const text of ['x'.repeat(400), ...Object.values(HOSTILE)]) {
    await writeFile(join(folder, 'hostile.html'), toHtml(hostile(text)));
    await open('hostile', { width: 360, height: 800, scheme: 'dark' });
    expect(await browser.evaluate(OVERFLOW), text.slice(0, 40)).toEqual([]);
    expect(await browser.evaluate('document.documentElement.scrollWidth')).toBe(360);
  }
});
