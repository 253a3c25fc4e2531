import { describe, expect, test } from 'vitest';
import { joinParts } from '../../../src/report/html/part.ts';
import { topology } from '../../../src/report/html/topology.ts';
import type { ServerSeen, Topology } from '../../../src/report/result/topology.ts';
import { success } from '../example.ts';
import { all, type Element, readHtml } from './read.ts';

function drawn(seen: Topology): Element {
  const body = joinParts(topology(success({ topology: seen })), 500_000);
  return readHtml(`<!doctype html><html lang="en"><title>x</title><body>${body}</body></html>`);
}

const server = (ordinal: number, rest: Partial<ServerSeen> = {}): ServerSeen => ({
  ...{ name: `consul-server-${ordinal}`, node: `worker-${ordinal}`, state: 'ready', raft: 'voter' },
  ...rest,
});
const node = (index: number, clients: number, ready = clients) => ({ node: `node-${index}`, clients, ready });
const classed = (root: Element, name: string) =>
  all(root).filter(({ attributes }) => attributes.class?.split(' ')[0] === name);
const text = (root: Element, name: string) => classed(root, name).map((one) => one.text);
/** Of each card. */
const pictures = (root: Element) => all(root, 'svg').filter(({ attributes }) => attributes.role === 'img');

describe('the topology', () => {
  test('has no part where neither a server nor a client was seen, and one where either was', () => {
    const parts = (seen: Topology) => topology(success({ topology: seen })).length;
    expect(parts({ servers: [], nodes: [] })).toBe(0);
    expect(parts({ servers: [server(0)], nodes: [] })).toBe(1);
    expect(parts({ servers: [], nodes: [node(0, 1)] })).toBe(1);
  });

  test.each<[string, Topology]>([
    [
      '1 server, 1 of them a voter; consul-server-0 leads.',
      { servers: [server(0, { raft: 'leader' })], nodes: [] },
    ],
    [
      '3 servers, 2 of them voters; no leader was seen.',
      { servers: [server(0), server(1), server(2, { raft: 'non-voter' })], nodes: [] },
    ],
    [
      '2 servers, 2 of them voters; consul-server-0 and consul-server-1 lead.',
      { servers: [server(0, { raft: 'leader' }), server(1, { raft: 'leader' })], nodes: [] },
    ],
    [
      '1 server, 1 of them a voter; no leader was seen; 1 client on 1 node.',
      { servers: [server(0)], nodes: [node(0, 1)] },
    ],
    [
      '1 server, 1 of them a voter; no leader was seen; 14 clients on 5 nodes.',
      {
        ...{ servers: [server(0)], nodes: [node(0, 1), node(1, 2)], unscheduled: 4 },
        rest: { nodes: 3, clients: 7, ready: 6 },
      },
    ],
  ])('is told in one sentence: %s', (sentence, seen) => {
    expect(text(drawn(seen), 'lead')).toEqual([sentence]);
  });

  test('counts what is on more nodes than are drawn, and those that the result only counts', () => {
    const nodes = Array.from({ length: 26 }, (_, index) => node(index, 3, index === 25 ? 1 : 3));
    const root = drawn({ servers: [], nodes });
    expect(pictures(root)).toHaveLength(24);
    expect(text(root, 'rest')).toEqual(['And 2 more nodes with 6 clients, 4 of them ready.']);
    const rest = { nodes: 10, clients: 20, ready: 15 };
    expect(text(drawn({ servers: [], nodes, rest }), 'rest')).toEqual([
      'And 12 more nodes with 26 clients, 19 of them ready.',
    ]);
    expect(text(drawn({ servers: [], nodes: nodes.slice(0, 1), rest }), 'rest')).toEqual([
      'And 10 more nodes with 20 clients, 15 of them ready.',
    ]);
    expect(text(drawn({ servers: [], nodes: nodes.slice(0, 24) }), 'rest')).toEqual([]);
  });

  test('draws a server with its part and its state, in a shape and in words', () => {
    const servers = [
      server(0, { node: 'a', raft: 'leader' }),
      server(1, { node: 'a', state: 'unready' }),
      server(2, { node: 'a', raft: 'non-voter' }),
      { name: 'consul-server-3', node: 'a', state: 'missing' as const },
    ];
    const [picture = expect.unreachable()] = pictures(drawn({ servers, nodes: [] }));
    expect(classed(picture, 'server').map(({ attributes }) => attributes.class)).toEqual([
      'server leader ready',
      'server voter unready',
      'server non-voter ready',
      'server none missing',
    ]);
    const inner = ['glyph', 'hollow', 'unknown'].flatMap((name) => classed(picture, name));
    expect(inner.map(({ name, text }) => `${name}${text}`)).toEqual(['path', 'circle', 'circle', 'text?']);
    expect(text(picture, 'name')).toEqual(servers.map(({ name }) => name));
    expect(text(picture, 'part')).toEqual([
      'leader, ready',
      'voter, not ready',
      'no voter, ready',
      'server, no pod',
    ]);
    expect(text(picture, 'node')).toEqual(['a']);
    expect(picture.children.find(({ name }) => name === 'desc')?.text).toBe(
      'consul-server-0: leader, ready. consul-server-1: voter, not ready. consul-server-2: no voter, ready. consul-server-3: server, no pod.',
    );
  });

  test('keeps the end of long names, which tells them apart', () => {
    const name = 'a-deployment-of-a-long-name-consul-server-12';
    const root = drawn({ servers: [server(0, { name, node: `${name}.region.example.com` })], nodes: [] });
    expect(text(root, 'name')).toEqual(['a-deployment-…ul-server-12']);
    expect(text(root, 'node')).toEqual(['a-deployment-of…on.example.com']);
    const short = 'x'.repeat(26);
    expect(text(drawn({ servers: [server(0, { name: short })], nodes: [] }), 'name')).toEqual([short]);
  });
});

/** Where a shape is drawn: its left upper corner and its size. */
function placeOf({ name, attributes }: Element): { x: number; y: number; size: number } {
  if (name === 'rect') {
    const { x, y, width } = attributes;
    return { x: Number(x), y: Number(y), size: Number(width) };
  }
  const [, x, y] = /^M(\d+) (\d+)h9/.exec(attributes.d ?? '') ?? expect.unreachable();
  return { x: Number(x) - 1, y: Number(y) - 1, size: 11 };
}

describe('the picture of a node', () => {
  test.each([
    [0, 1, 1],
    [1, 16, 13],
    [2, 17, 17],
    [3, 48, 0],
    [0, 60, 55],
  ])('with %i servers and %i clients, %i of them ready, holds all it draws', (count, clients, ready) => {
    const servers = Array.from({ length: count }, (_, index) => server(index, { node: 'node-0' }));
    const [picture = expect.unreachable()] = pictures(drawn({ servers, nodes: [node(0, clients, ready)] }));
    const [, , width = 0, height = 0] = (picture.attributes.viewBox ?? '').split(' ').map(Number);
    expect([picture.attributes.width, picture.attributes.height].map(Number)).toEqual([width, height]);

    const squares = classed(picture, 'client');
    expect(squares).toHaveLength(Math.min(clients, 48));
    const unready = squares.map(({ attributes }) => attributes.class?.includes('unready'));
    expect(unready.filter(Boolean)).toHaveLength(Math.min(clients - ready, 48));
    expect(unready).toEqual(unready.toSorted());

    const places = squares.map(placeOf);
    const circles = all(picture, 'g').flatMap(({ attributes: { transform } }) => {
      const [, x, y] = /^translate\((\d+) (\d+)\)$/.exec(transform ?? '') ?? [];
      return x === undefined ? [] : [{ x: Number(x) - 13, y: Number(y) - 13, size: 26 }];
    });
    expect(circles).toHaveLength(count);
    const shapes = [...circles, ...places];
    for (const [index, { x, y, size }] of shapes.entries()) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x + size).toBeLessThanOrEqual(width);
      // Below the name of the node.
      expect(y).toBeGreaterThan(15);
      expect(y + size).toBeLessThanOrEqual(height);
      for (const other of shapes.slice(0, index))
        expect(Math.max(Math.abs(x - other.x), Math.abs(y - other.y))).toBeGreaterThanOrEqual(other.size);
    }
    // Sixteen in each row.
    expect(new Set(places.map(({ y }) => y)).size).toBe(Math.ceil(squares.length / 16));
    // No more room than what is in it takes.
    expect(height - Math.max(...shapes.map(({ y, size }) => y + size))).toBeLessThan(20);

    const lines = all(picture, 'text').map(({ attributes }) => Number(attributes.y));
    const words = lines.filter((y) => y > 15);
    expect(words).toHaveLength(count * 2 + 1);
    // No line of text over another one.
    const sorted = lines.toSorted((one, other) => one - other);
    for (const [index, y] of sorted.slice(1).entries()) expect(y - (sorted[index] ?? 0)).toBeGreaterThan(12);
    expect(Math.max(...words)).toBeLessThan(Math.min(...places.map(({ y }) => y)));
    for (const [index, { y, size }] of circles.entries()) {
      for (const name of ['name', 'part']) {
        const beside = Number(classed(picture, name)[index]?.attributes.y);
        expect(beside).toBeGreaterThan(y);
        expect(beside).toBeLessThanOrEqual(y + size);
      }
    }
    expect(Number(classed(picture, 'part').at(-1)?.attributes.y)).toBeGreaterThan(
      Math.max(15, ...circles.map(({ y, size }) => y + size)),
    );
    const told = `${ready} of ${clients} client${clients === 1 ? '' : 's'} ready`;
    expect(text(picture, 'part').at(-1)).toBe(clients > 48 ? `${told}, 48 drawn` : told);
    expect(picture.children.find(({ name }) => name === 'desc')?.text).toMatch(new RegExp(`${told}\\.$`));
  });

  test('without clients has no words of them and ends below its last server', () => {
    const [picture = expect.unreachable()] = pictures(drawn({ servers: [server(0), server(1)], nodes: [] }));
    expect(text(picture, 'part')).toEqual(['voter, ready']);
    expect(picture.attributes.viewBox).toBe('0 0 260 78');
    expect(classed(picture, 'client')).toEqual([]);
  });

  test('that is drawn last has a name of its own for screen readers', () => {
    const root = drawn({ servers: [server(0)], nodes: [node(7, 1)], unscheduled: 2 });
    expect(text(root, 'node')).toEqual(['worker-0', 'node-7', 'On no node yet']);
    expect(pictures(root).map(({ attributes }) => attributes['aria-labelledby'])).toEqual([
      'node-0 node-0-words',
      'node-1 node-1-words',
      'node-2 node-2-words',
    ]);
  });
});

test('the legend has each shape with its word', () => {
  const legend = classed(drawn({ servers: [server(0)], nodes: [] }), 'legend')[0] ?? expect.unreachable();
  const entries = legend.children.map((entry) => {
    const shapes = all(entry).flatMap(({ name, attributes }) =>
      attributes.class ? [`${name} ${attributes.class}`] : [],
    );
    return [entry.text, ...shapes];
  });
  expect(entries).toEqual([
    ['leader', 'g server leader ready', 'circle body', 'path glyph'],
    ['voter', 'g server voter ready', 'circle body', 'circle glyph'],
    ['no voter', 'g server non-voter ready', 'circle body', 'circle hollow'],
    ['server, not ready', 'g server unready', 'circle body'],
    ['client, ready', 'rect client'],
    ['client, not ready', 'path client unready'],
  ]);
});
