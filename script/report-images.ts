/**
 * Draws docs/images/report-light.png and report-dark.png: the top of a page that a real run wrote with `report-html`, such as
 * that of `script/demo --keep`. Needs a Chromium.
 *
 *   node script/report-images.ts report.html
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChromium } from '../test/chromium/chromium.ts';

const [page] = process.argv.slice(2);
if (page === undefined)
  throw new Error('usage: node script/report-images.ts PAGE, one that report-html has written');
const images = fileURLToPath(new URL('../docs/images', import.meta.url));
await mkdir(images, { recursive: true });
const browser = await startChromium();
for (const scheme of ['light', 'dark'] as const) {
  await browser.open(resolve(page), { width: 1000, height: 700, scheme });
  await writeFile(join(images, `report-${scheme}.png`), await browser.screenshot({ height: 840 }));
}
await browser.close();
