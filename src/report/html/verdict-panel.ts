import { formatDuration } from '../duration.ts';
import type { Result } from '../result.ts';
import { verdict } from '../verdict.ts';
import { line, type Markup, markup, moment } from './markup.ts';
import { icon, type Status } from './status.ts';

export const OUTCOME: Record<Result['result'], { word: string; status: Status }> = {
  success: { word: 'Success', status: 'passed' },
  failure: { word: 'Failure', status: 'failed' },
  cancelled: { word: 'Cancelled', status: 'pending' },
};

/** What a reader sees first: the verdict, where it is about, and the figures behind it. */
export function verdictPanel(result: Result): Markup {
  const { word, status } = OUTCOME[result.result];
  const figures = tiles(result).map(
    ([figure, what]) => markup`<li><strong>${figure}</strong> <span>${what}</span></li>`,
  );
  return markup`<header class="verdict ${status}">
<p class="brand"><span>consul-deploy</span> <span class="mode">${result.mode}</span> ${moment(result.startedAt)}</p>
<p class="outcome">${icon(status)}${word}</p>
<h1>${verdict(result).headline}</h1>
<p class="where">${where(result)}</p>
<ul class="tiles">${figures}</ul>
</header>
`;
}

function where({ name, namespace, cluster, consulVersion }: Result): Markup[] {
  const parts = [markup`Cluster <b>${line(name)}</b> in namespace <b>${line(namespace)}</b>`];
  if (cluster) {
    const version = cluster.version === undefined ? '' : ` ${line(cluster.version)}`;
    parts.push(markup`Kubernetes${version} at <b>${line(cluster.server)}</b>`);
  }
  if (consulVersion !== undefined) parts.push(markup`Consul <b>${line(consulVersion)}</b>`);
  return parts.map((part, index) => markup`${index > 0 && ' · '}${part}`);
}

function tiles(result: Result): [string, string][] {
  const { voters, clientsReady, clientsDesired, checks, plan = [], drift = [], objects } = result;
  const tile: [string, string][] = [];
  const passed = checks.filter(({ status }) => status === 'passed').length;
  const judged = checks.filter(({ status }) => status !== 'skipped').length;
  if (judged > 0) tile.push([`${passed} of ${judged}`, 'checks passed']);
  if (voters !== undefined) tile.push([String(voters), words(voters, 'voter')]);
  if (clientsReady !== undefined && clientsDesired)
    tile.push([`${clientsReady} of ${clientsDesired}`, 'clients ready']);
  const changes = plan.filter(({ consequence }) => consequence !== 'none').length;
  if (result.plan && result.mode === 'plan') tile.push([String(changes), words(changes, 'change')]);
  if (drift.length > 0) tile.push([String(drift.length), words(drift.length, 'difference')]);
  if (result.mode === 'render') tile.push([String(objects.length), words(objects.length, 'object')]);
  tile.push([formatDuration(result.durationMs), 'from start to end']);
  return tile;
}

function words(number: number, noun: string): string {
  return number === 1 ? noun : `${noun}s`;
}
