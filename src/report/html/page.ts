import { createHash } from 'node:crypto';
import type { Result } from '../result.ts';
import { isAboutPlan } from '../section/plan-line.ts';
import { verdict } from '../verdict.ts';
import { checks, warnings } from './checks.ts';
import { diagnosis } from './diagnosis.ts';
import { drift, ghosts } from './differences.ts';
import { facts, objects } from './facts.ts';
import { history } from './history.ts';
import { line, markup } from './markup.ts';
import { contents, joinParts } from './part.ts';
import { plan } from './plan.ts';
import { difference, snapshot } from './snapshot.ts';
import { shapes } from './status.ts';
import { STYLE } from './style.ts';
import { timeline } from './timeline.ts';
import { topology } from './topology.ts';
import { OUTCOME, verdictPanel } from './verdict-panel.ts';

/** A page that opens at once wherever it is kept. */
const MAX_BYTES = 500_000;

/**
 * The report as one HTML page that loads nothing and runs nothing: its policy allows this very style and no more.
 * At most `maxBytes` bytes of UTF-8 for its parts, every foreign text escaped.
 */
export function toHtml(result: Result, maxBytes = MAX_BYTES): string {
  const planned = plan(result);
  const about = isAboutPlan(result);
  const parts = [
    ...diagnosis(result),
    ...(about ? planned : []),
    ...drift(result),
    ...ghosts(result),
    ...difference(result),
    ...snapshot(result),
    ...topology(result),
    ...checks(result),
    ...warnings(result),
    ...timeline(result),
    ...(about ? [] : planned),
    ...history(result),
    facts(result),
    ...objects(result),
  ];
  const title = markup`${OUTCOME[result.result].word}: ${verdict(result).headline} · ${line(result.name, 100)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#report">Skip to the report</a>
${shapes()}${verdictPanel(result)}${contents(parts)}<main id="report">
${joinParts(parts, maxBytes)}</main>
<footer><p>Written by consul-deploy. The JSON report of the same run has everything that this page leaves out.</p></footer>
</body>
</html>
`;
}

/** No script, no network, no form, no frame. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;
