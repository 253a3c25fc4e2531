/**
 * Draws the pictures in docs/images of what a real run wrote, such as that of `script/demo --keep`: from an HTML page, written by
 * `report-html`, the top of the report; from Markdown, the summary of the step, its verdict and its checks. Needs a Chromium and
 * pngquant, and for the summary a font with emoji and one like GitHub's (Debian: fonts-noto-color-emoji, fonts-liberation).
 *
 *   node script/report-images.ts report.html summary.md
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { marked } from 'marked';
import { type Page, startChromium } from '../test/chromium/chromium.ts';

const SCHEMES = ['light', 'dark'] as const;
/** About as wide as GitHub shows a summary. */
const WIDTH = 1000;
const REPORT_HEIGHT = 840;
const IMAGES = fileURLToPath(new URL('../docs/images', import.meta.url));

const files = process.argv.slice(2);
if (files.length === 0 || files.some((file) => !['.html', '.md'].includes(extname(file))))
  throw new Error(
    'usage: node script/report-images.ts FILE..., a page of report-html (.html), a summary (.md)',
  );
await mkdir(IMAGES, { recursive: true });
const browser = await startChromium();
for (const file of files) {
  if (extname(file) === '.html') await draw(browser, 'report', file, async () => REPORT_HEIGHT);
  else await drawSummary(browser, file);
}
await browser.close();

async function draw(page: Page, name: string, file: string, heightOf: () => Promise<number>): Promise<void> {
  for (const scheme of SCHEMES) {
    await page.open(resolve(file), { width: WIDTH, height: 700, scheme });
    const picture = await page.screenshot({ height: await heightOf() });
    // A third of the size, and nobody sees it: https://pngquant.org
    const small = execFileSync('pngquant', ['--speed', '1', '--strip', '-'], { input: picture });
    await writeFile(join(IMAGES, `${name}-${scheme}.png`), small);
  }
}

/** Down to its checks: what follows is folded on GitHub, or is a diagram that GitHub itself draws. */
async function drawSummary(page: Page, file: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-summary-'));
  try {
    const html = join(folder, 'summary.html');
    await writeFile(html, await asOnGitHub(await readFile(file, 'utf8')));
    await draw(page, 'summary', html, () =>
      page.evaluate<number>('Math.ceil(document.querySelector("table").getBoundingClientRect().bottom) + 16'),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The Markdown as GitHub shows it. It may hold names from a cluster, so that the page may load and run nothing. */
async function asOnGitHub(markdown: string): Promise<string> {
  const style = createRequire(import.meta.url).resolve('github-markdown-css/github-markdown.css');
  return `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>${await readFile(style, 'utf8')} body { margin: 0; padding: 16px; }</style>
<body class="markdown-body">${await marked.parse(markdown, { gfm: true })}`;
}
