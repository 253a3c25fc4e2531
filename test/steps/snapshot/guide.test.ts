import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from '@msgpack/msgpack';
import { expect, onTestFinished, test } from 'vitest';
import { summary } from '../../../src/report/summary.ts';
import { tellWhatDiffers } from '../../../src/steps/snapshot/compare.ts';
import { inspectFile, readCluster } from '../../../src/steps/snapshot/inspect.ts';
import { clientOf, fakeConsul } from '../../consul/fake-consul.ts';
import { keyRecord, packed, summed } from '../../consul/snapshot/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const GUIDE = new URL('../../../docs/guides/snapshot.md', import.meta.url);

type RecordOf = ReturnType<typeof keyRecord>;

function keys(prefix: string, count: number, bytes: number): RecordOf[] {
  return Array.from({ length: count }, (_, index) => keyRecord(`${prefix}${index}`, 'x'.repeat(bytes)));
}

const bytes = (text: string) => Buffer.from(text);

/** As many of each service at each of four nodes; Consul writes them node by node. */
function services(counts: Record<string, readonly number[]>): RecordOf[] {
  return [0, 1, 2, 3].flatMap((node) =>
    Object.entries(counts).flatMap(([name, perNode]) =>
      Array.from({ length: perNode[node] ?? 0 }, (_, index) => {
        const Service = { Service: bytes(name), ID: bytes(`${name}-${index}`), Port: 8080 };
        return [0, { Node: bytes(`node-${node}`), Service }] as const;
      }),
    ),
  );
}

/** The real one, with these records, taken then. */
function snapshotOf(records: readonly RecordOf[], index: number, at: string): Buffer {
  return packed((folder) => {
    const state = readFileSync(join(folder, 'state.bin'));
    state[state.indexOf('LastIndex') + 'LastIndex'.length] = index;
    const more = records.flatMap(([type, record]) => [Buffer.from([type]), encode(record)]);
    writeFileSync(join(folder, 'state.bin'), Buffer.concat([state, ...more]));
    const meta = readFileSync(join(folder, 'meta.json'), 'utf8');
    writeFileSync(join(folder, 'meta.json'), meta.replace(/(?<="ID":"2-18-)\d+/, String(Date.parse(at))));
    summed(folder);
  });
}

/** What the guide shows is what a run tells of files and servers like these. */
test('the guide shows a summary as it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-guide-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'consul-consul.snap');
  const common = [...keys('config/', 212, 340), ...keys('locks/', 31, 0), ...keys('vault/', 1_340, 512)];
  const before = [
    ...common,
    keyRecord('config/web/timeout', '30s'),
    keyRecord('config/web/old', 'a'),
    ...services({ api: [2, 2, 1, 1], web: [1, 1, 1, 0] }),
  ];
  const now = [
    ...common,
    keyRecord('config/web/timeout', '45s'),
    keyRecord('config/web/new', 'a'),
    ...services({ api: [2, 2, 1, 1], batch: [0, 0, 0, 1], web: [1, 1, 1, 1] }),
  ];
  writeFileSync(path, snapshotOf(before, 87, '2026-03-01T02:00:04.211Z'));
  const holds = snapshotOf(now, 103, '2026-03-01T09:31:50.087Z');
  const fake = await fakeConsul(({ path: asked }) =>
    asked === '/v1/snapshot' ? { bytes: holds } : { body: [], headers: { 'x-consul-index': '18' } },
  );
  const client = clientOf(fake);
  const { run } = startRun({ mode: 'inspect', restorePath: path, compare: { kind: 'cluster' } });
  const here = await inspectFile(run, path);
  tellWhatDiffers(run, here, await readCluster(run, async () => [client]));

  const page = summary(run.result())
    .replaceAll(folder, '/home/runner/work/shop/shop')
    // The sizes of archives differ a little, by their times.
    .replace(/: [\d.]+ KiB, in plaintext/, ': 12.4 KiB, in plaintext');
  const [head = ''] = page.split('\n');
  const shown = page.slice(page.indexOf('### Snapshot'), page.indexOf('### Checks')).trim();
  const quoted = [head, '', ...shown.split('\n')].map((line) => `> ${line}`.trimEnd()).join('\n');
  expect(readFileSync(GUIDE, 'utf8')).toContain(`\n${quoted}\n`);
});
