import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { verifySnapshot } from '../../../src/consul/snapshot/archive.ts';
import { SnapshotContents } from '../../../src/consul/snapshot/contents.ts';
import { altered, SNAPSHOT } from './fixture.ts';

async function read(bytes: Buffer): Promise<SnapshotContents> {
  const contents = new SnapshotContents();
  await verifySnapshot(Readable.from([bytes]), 'here', {
    key: (entry) => contents.key(entry),
    node: (entry) => contents.node(entry),
    service: (entry) => contents.service(entry),
  });
  return contents;
}

const SAME = { removed: [], changed: [], added: [] };
const NOTHING = { keys: SAME, nodes: SAME, services: SAME };

test.each<[string, () => Buffer, object]>([
  ['itself', () => SNAPSHOT, {}],
  [
    'one with another key',
    () => altered('app/empty', 'app/later'),
    { keys: { removed: ['app/empty'], changed: [], added: ['app/later'] } },
  ],
  [
    'one with another value',
    () => altered('straße', 'STRAße'),
    { keys: { ...SAME, changed: ['app/ümlaut'] } },
  ],
  [
    // A service of another version of Consul, and with it the metadata of the node.
    'one of other servers',
    () => altered('1.22.7', '1.22.6'),
    { nodes: { ...SAME, changed: ['fixture'] }, services: { ...SAME, changed: ['consul'] } },
  ],
  [
    'one with another node',
    () => altered('fixture', 'another'),
    {
      nodes: { removed: ['fixture'], changed: [], added: ['another'] },
      services: { ...SAME, changed: ['consul', 'web'] },
    },
  ],
])('compared with %s', async (_, other, expected) => {
  const [here, there] = [await read(SNAPSHOT), await read(other())];
  expect(here.comparedWith(there)).toEqual({ ...NOTHING, ...expected });
});

const bytes = (text: string) => Buffer.from(text);

test('a service is another one when one of its instances comes, goes or changes, in whatever order they come', () => {
  const contents = (...instances: [node: string, id: string, port: number][]) => {
    const all = new SnapshotContents();
    for (const [node, id, Port] of instances)
      all.service({ service: 'web', node, id, content: { Service: bytes('web'), Port } });
    return all;
  };
  const here = contents(['a', '1', 80], ['b', '1', 80]);
  const services = (other: SnapshotContents) => here.comparedWith(other).services;
  expect(services(contents(['b', '1', 80], ['a', '1', 80]))).toEqual(SAME);
  const changed = { ...SAME, changed: ['web'] };
  expect(services(contents(['a', '1', 80]))).toEqual(changed);
  expect(services(contents(['a', '1', 80], ['b', '1', 81]))).toEqual(changed);
  expect(services(contents(['a', '1', 80], ['b', '2', 80]))).toEqual(changed);
  expect(services(new SnapshotContents())).toEqual({ ...SAME, removed: ['web'] });
});

test('the order in which Consul writes the fields of a map says nothing', () => {
  const contents = (meta: object) => {
    const all = new SnapshotContents();
    all.node({ node: 'a', content: { NodeMeta: meta } });
    return all;
  };
  const here = contents({ x: bytes('1'), y: bytes('2') });
  expect(here.comparedWith(contents({ y: bytes('2'), x: bytes('1') })).nodes).toEqual(SAME);
  expect(here.comparedWith(contents({ y: bytes('1'), x: bytes('2') })).nodes.changed).toEqual(['a']);
});
