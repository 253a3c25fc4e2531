/**
 * Draws docs/images/report-light.png and report-dark.png: the top of a page that `report-html` wrote, for the README.
 * Needs a Chromium.
 *
 *   node script/report-images.ts
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHtml } from '../src/report/html/page.ts';
import { startChromium } from '../test/chromium/chromium.ts';
import { PAGES } from '../test/chromium/pages.ts';

const images = fileURLToPath(new URL('../docs/images', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-images-'));
const page = join(folder, 'report.html');
const make = PAGES.green;
if (!make) throw new Error('there is no page to draw');
await writeFile(page, toHtml(make()));
await mkdir(images, { recursive: true });
const browser = await startChromium();
for (const scheme of ['light', 'dark'] as const) {
  await browser.open(page, { width: 1000, height: 700, scheme });
  await writeFile(join(images, `report-${scheme}.png`), await browser.screenshot({ height: 840 }));
}
await browser.close();
await rm(folder, { recursive: true });
