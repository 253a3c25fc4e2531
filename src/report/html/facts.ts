import { count } from '../../count.ts';
import type { ObjectOutcome } from '../result/change.ts';
import type { Result } from '../result.ts';
import { OBJECT_ORDER, tally } from '../verdict.ts';
import { definitions } from './diagnosis.ts';
import { type Content, line, markup, moment } from './markup.ts';
import type { Part } from './part.ts';
import { table } from './table.ts';

const GOSSIP: Record<NonNullable<Result['gossip']>, string> = {
  plaintext: 'plaintext',
  'takes-both': 'encrypted; plaintext is still taken',
  strict: 'encrypted',
};
const RPC: Record<NonNullable<Result['tls']>['state'], string> = {
  plaintext: 'plaintext',
  offered: 'TLS beside plaintext',
  enforced: 'TLS',
};

/** What else is known of the cluster and of this run. */
export function facts(result: Result): Part {
  const { tls, gossip, serverAddresses, cluster } = result;
  const code = (text: string | undefined) => text !== undefined && markup`<code>${line(text, 1000)}</code>`;
  const until = tls?.until !== undefined && markup`; certificates until ${moment(line(tls.until, 40))}`;
  const known: [string, Content][] = [
    ['The cluster is left as', result.mode !== 'render' && line(result.left, 1000)],
    ['Open the UI', code(result.uiCommand)],
    ['Leader', code(result.leader)],
    ['Image', code(result.image)],
    [
      'Servers are at',
      serverAddresses !== undefined &&
        `the addresses of their ${serverAddresses === 'service' ? 'Services' : 'pods'}`,
    ],
    ['Gossip', gossip !== undefined && (GOSSIP[gossip] ?? line(gossip))],
    ['RPC', tls !== undefined && markup`${RPC[tls.state] ?? line(tls.state)}${until}`],
    ['Kubernetes context', code(cluster?.context)],
    ['Manifests', code(result.manifestsPath)],
    ['Manifest digest', code(result.manifestDigest)],
    ['Began', moment(result.startedAt)],
  ];
  return {
    id: 'facts',
    title: 'Facts',
    head: definitions(known.filter(([, fact]) => fact !== undefined && fact !== false)),
  };
}

/** What became of each object. */
export function objects(result: Result): Part[] {
  const { objects: all, mode } = result;
  if (all.length === 0) return [];
  const actions = all.map(({ action }) => action);
  const title = mode === 'render' ? count(all.length, 'object') : tally(actions, OBJECT_ORDER);
  const sorted = OBJECT_ORDER.flatMap((action) => all.filter((object) => object.action === action));
  const { head, tail, ...rows } = table(
    'Every object of this deployment.',
    [{ title: 'Object', kind: 'code' }, { title: 'Namespace', kind: 'code' }, { title: 'What became of it' }],
    sorted,
    row,
  );
  return [
    {
      id: 'objects',
      title: `Objects: ${title}`,
      head: markup`<details><summary>All objects</summary>${head}`,
      ...rows,
      tail: markup`${tail}</details>\n`,
      noun: 'objects are',
      rank: 1,
    },
  ];
}

function row({ kind, name, namespace, action }: ObjectOutcome): Content[] {
  return [line(`${kind}/${name}`, 300), namespace === undefined ? '' : line(namespace, 120), action];
}
