import { describe, expect, test } from 'vitest';
import { consoleReport } from '../../../src/report/console.ts';
import type { SnapshotDifference } from '../../../src/report/result/snapshot.ts';
import type { Result } from '../../../src/report/result.ts';
import { summary } from '../../../src/report/summary.ts';
import { HOSTILE, hostile, success } from '../example.ts';

const SNAPSHOT = {
  path: '/w/consul.snap.age',
  bytes: 2_000_000,
  sha256: '0'.repeat(64),
  index: 7,
  takenAt: '2026-03-01T09:00:00.000Z',
  versions: ['1.22.6', '1.22.7'],
  encrypted: true,
  stale: false,
  counts: { keys: 3, services: 3 },
  prefixes: [
    { prefix: 'app/', keys: 2, bytes: 2048 },
    { prefix: '`|<b>', keys: 1, bytes: 1 },
  ],
  services: [
    { service: 'web', instances: 2, nodes: 1 },
    { service: '(all others)', instances: 1 },
  ],
};

test('the summary says what is in a snapshot, and names cannot break out of it', () => {
  const text = summary(success({ mode: 'snapshot', snapshot: SNAPSHOT }));
  expect(text).toContain('Snapshot of 3 keys and 3 services, taken and verified in');
  expect(text).toContain(
    'In `/w/consul.snap.age`: 1.9 MiB, encrypted. Index 7, taken at 2026-03-01T09:00:00.000Z by the clock of the server, with servers of Consul 1.22.6, 1.22.7.',
  );
  expect(text).toMatch(/app\/.* \| 2 \| 2\.0 KiB/);
  expect(text).toMatch(/web.* \| 2 \| 1 \|/);
  expect(text).not.toContain('<b>');
});

test.each<[Partial<typeof SNAPSHOT>, string]>([
  [{ encrypted: false }, '1.9 MiB, in plaintext. Index 7, taken at'],
  [{ versions: [] }, 'by the clock of the server.\n\n<details><summary>3 keys by prefix'],
  [{ versions: ['1|2'] }, 'by the clock of the server, with servers of Consul 1&#124;2.\n\n<details>'],
  [{ takenAt: undefined, versions: [] } as object, 'encrypted. Index 7.\n\n<details>'],
  [
    { prefixes: [] },
    'Consul 1.22.6, 1.22.7.\n\n<details><summary>3 registered services by name</summary>\n\n| Service |',
  ],
  [{ services: [] }, '| 1 | 1 byte |\n\n</details>\n\n### Checks'],
])('the summary leaves out what a snapshot does not have: %j', (rest, words) => {
  const { takenAt, ...snapshot } = { ...SNAPSHOT, ...rest };
  const taken = { ...snapshot, ...(takenAt !== undefined && { takenAt }) };
  expect(summary(success({ mode: 'snapshot', snapshot: taken }))).toContain(words);
});

test('the summary has a table by prefix and one by service, with figures at the right', () => {
  const text = summary(success({ mode: 'snapshot', snapshot: SNAPSHOT }));
  expect(text).toContain(
    [
      '<details><summary>3 keys by prefix</summary>',
      '',
      '| Prefix | Keys | Values |',
      '|:--|--:|--:|',
      '| `app/` | 2 | 2.0 KiB |',
      '| <code>&#96;&#124;&#60;b&#62;</code> | 1 | 1 byte |',
      '',
      '</details>',
      '',
      '<details><summary>3 registered services by name</summary>',
      '',
      '| Service | Instances | Nodes |',
      '|:--|--:|--:|',
      '| `web` | 2 | 1 |',
      '| <code>(all others)</code> | 1 |  |',
      '',
      '</details>',
      '',
    ].join('\n'),
  );
  const none = summary(success({ mode: 'snapshot', snapshot: { ...SNAPSHOT, counts: {} } }));
  expect(none).toContain('<summary>0 keys by prefix</summary>');
  expect(none).toContain('<summary>0 registered services by name</summary>');
});

test('without a snapshot nothing is said of one', () => {
  expect(summary(success())).not.toContain('Snapshot');
});

/** A file that was inspected, without a cluster. */
function inspected(rest: Partial<Result> = {}): Result {
  const {
    cluster: _c,
    leader: _l,
    voters: _v,
    uiCommand: _u,
    image: _i,
    manifestDigest: _m,
    ...base
  } = success();
  const { clientsReady: _r, clientsDesired: _d, consulVersion: _o, ...file } = base;
  return { ...file, mode: 'inspect', changed: false, checks: [], objects: [], snapshot: SNAPSHOT, ...rest };
}

const NONE = { total: 0, names: [] };
const SAME = { onlyHere: NONE, onlyThere: NONE, changed: NONE };
const DIFFERENCE: SnapshotDifference = {
  with: 'cluster',
  index: 9,
  total: 125,
  keys: {
    onlyHere: { total: 123, names: ['app/a', '| <i>b'] },
    onlyThere: NONE,
    changed: { total: 1, names: ['app/c'] },
  },
  nodes: SAME,
  services: { ...SAME, onlyThere: { total: 1, names: ['api'] } },
  counts: [{ kind: 'sessions', here: 1, there: 4 }],
};

describe('of a snapshot that was inspected', () => {
  test('the summary says nothing of a cluster', () => {
    const text = summary(inspected());
    expect(text).toContain('## ✅ Snapshot of 3 keys and 3 services, read to its end in 8.4 s');
    expect(text).toContain('<details open><summary>3 keys by prefix</summary>');
    expect(text).not.toMatch(/in namespace|left as|Difference/);
  });

  test('the log has its tables, and no cluster either', () => {
    const text = consoleReport(inspected()).join('\n');
    expect(text).toMatch(/ {2}PREFIX +KEYS +VALUES\n {2}app\/ +2 +2\.0 KiB\n/);
    expect(text).toMatch(/ {2}SERVICE +INSTANCES +NODES\n {2}web +2 +1\n {2}\(all others\) +1$/m);
    expect(text).not.toMatch(/Left as|DIFFERS/);
  });

  test('the log has no table of what the snapshot does not hold, and none without a snapshot', () => {
    const heads = (rest: object) =>
      consoleReport(inspected(rest))
        .join('\n')
        .match(/PREFIX|SERVICE/g) ?? [];
    expect(heads({ snapshot: { ...SNAPSHOT, services: [] } })).toEqual(['PREFIX']);
    expect(heads({ snapshot: { ...SNAPSHOT, prefixes: [] } })).toEqual(['SERVICE']);
    expect(heads({ snapshot: undefined })).toEqual([]);
  });

  test('the log has as much of long tables as one can read', () => {
    const prefixes = Array.from({ length: 101 }, (_, index) => ({ prefix: `p${index}/`, keys: 1, bytes: 1 }));
    const text = consoleReport(inspected({ snapshot: { ...SNAPSHOT, prefixes } })).join('\n');
    expect(text).toContain(' p49/ ');
    expect(text).not.toContain(' p50/ ');
    expect(text).toContain('and 51 more');
  });
});

describe('of a difference', () => {
  test.each(Object.entries(HOSTILE))('names are one line each in the log: %s', (_, text) => {
    const lines = consoleReport(hostile(text, inspected()));
    const calm = consoleReport(hostile('calm words', inspected()));
    expect(lines).toHaveLength(calm.length);
    // Lines of the log are made safe once more when they are written.
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  });

  test('the summary has numbers and names, and says how many it does not name', () => {
    const text = summary(inspected({ difference: DIFFERENCE, cluster: { server: 'https://10.0.0.1:6443' } }));
    expect(text).toContain('## ✅ Snapshot of 3 keys and 3 services, 125 differences from the cluster');
    expect(text).toContain('### Difference from the cluster\n\nWhat Consul holds: index 9.');
    expect(text).toContain('| | Only in the snapshot | Only in the cluster | Changed |\n');
    expect(text).toContain('| Keys | 123 | 0 | 1 |\n| Nodes | 0 | 0 | 0 |\n| Services | 0 | 1 | 0 |\n');
    expect(text).toContain('<summary>Keys only in the snapshot: 123</summary>\n\n- `app/a`\n');
    expect(text).toContain('_121 more are not named._');
    expect(text).toContain('| sessions | 1 | 4 |');
    expect(text).not.toContain('<i>');
    // With a cluster there is one to speak of.
    expect(text).toMatch(/in namespace .*consul/);
  });

  test('the log has the names', () => {
    const text = consoleReport(inspected({ difference: DIFFERENCE })).join('\n');
    expect(text).toMatch(/ {2}key +only in the snapshot +app\/a\n/);
    expect(text).toMatch(/ {2}service +only in the cluster +api\n/);
    expect(text).toMatch(/ {2}sessions +1 here +4 in the cluster/);
  });

  test('of two files names the other, and says so where there is none', () => {
    const none = { ...DIFFERENCE, with: '/w/old.snap', total: 0, keys: SAME, services: SAME, counts: [] };
    const text = summary(inspected({ difference: none }));
    expect(text).toContain('no difference from the other snapshot');
    expect(text).toContain('`/w/old.snap`: index 9.');
    expect(text).not.toContain('<summary>Keys only');
  });

  test.each([
    [{}, 'The snapshot is not compared: the API server'],
    [{ snapshot: undefined }, 'The snapshot is not inspected: the API server'],
  ])('that could not be told: %j', (rest, headline) => {
    const { snapshot, ...others } = inspected({
      result: 'failure',
      failure: { reason: 'unreachable', what: 'the API server does not answer', details: [] },
    });
    const result = 'snapshot' in rest ? others : { ...others, ...(snapshot && { snapshot }) };
    expect(summary(result)).toContain(headline);
  });
});
