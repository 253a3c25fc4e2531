import { expect, test } from 'vitest';
import { replaceOldNodes } from '../../../src/steps/snapshot/old-nodes.ts';
import { clientOf, fakeConsul } from '../../consul/fake-consul.ts';
import { startRun } from '../../session/fixture.ts';

interface Node {
  ID?: string;
  Node: string;
}

/**
 * A catalog, and agents that live, by name and id. As Consul does, it takes an agent in as soon as no other node has its
 * name, some questions later.
 */
async function world(nodes: Node[], agents: Record<string, string>, dead: Record<string, string> = {}) {
  const deregistered: string[] = [];
  const catalog = new Map(nodes.map((node) => [node.Node, node]));
  let questions = 0;
  const fake = await fakeConsul(({ path, body }) => {
    if (path === '/v1/agent/members') {
      const member = (Status: number) => (one: [string, string]) => ({
        Name: one[0],
        Addr: '10.0.0.1',
        Status,
        Tags: { id: one[1] },
      });
      return { body: [...Object.entries(agents).map(member(1)), ...Object.entries(dead).map(member(4))] };
    }
    if (path === '/v1/catalog/deregister') {
      const { Node: name } = JSON.parse(body) as Node;
      catalog.delete(name);
      deregistered.push(name);
      return { body: true };
    }
    questions += 1;
    if (questions > 2) {
      for (const [Node, ID] of Object.entries(agents))
        if (!catalog.has(Node)) catalog.set(Node, { ID, Node });
    }
    return { body: [...catalog.values()] };
  });
  const { run } = startRun();
  const client = clientOf(fake);
  await replaceOldNodes(run, async () => [client]);
  return { deregistered, check: run.result().checks.find(({ id }) => id === 'restore-nodes') };
}

test('a catalog that has the agents is left alone', async () => {
  const { deregistered, check } = await world([{ Node: 'a', ID: '1' }, { Node: 'external' }], { a: '1' });
  expect(deregistered).toEqual([]);
  expect(check).toMatchObject({ status: 'passed', observed: '1 of 1' });
});

test('nodes of the snapshot give their names to the agents that live, and others stay', async () => {
  const nodes = [
    { Node: 'a', ID: 'old' },
    { Node: 'b', ID: '2' },
    { Node: 'gone', ID: '3' },
    { Node: 'external' },
  ];
  const { deregistered, check } = await world(nodes, { a: '1', b: '2' }, { gone: '4' });
  expect(deregistered).toEqual(['a']);
  expect(check).toMatchObject({ status: 'passed' });
  expect(check?.observed).toContain("in place of the snapshot's nodes of that name: a");
});

test('an agent that is not in the catalog yet is waited for', async () => {
  const { deregistered, check } = await world([], { a: '1' });
  expect(deregistered).toEqual([]);
  expect(check).toMatchObject({ status: 'passed', observed: '1 of 1' });
});
