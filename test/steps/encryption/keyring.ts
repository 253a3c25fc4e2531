import type { FakeAnswer } from '../../consul/fake-consul.ts';
import type { Agent } from './fake-agent.ts';

/** https://developer.hashicorp.com/consul/api-docs/operator/keyring */
export function keyring(agents: readonly Agent[], method: string, body: string): FakeAnswer {
  const alive = agents.filter(({ isAway }) => !isAway);
  if (method === 'GET') return { body: [ring(alive), ring(agents.slice(0, 3), true)] };
  const { Key: key } = JSON.parse(body) as { Key: string };
  const rings = alive.map(({ gossip }) => gossip);
  if (method === 'POST') for (const one of rings) if (!one.keys.includes(key)) one.keys.push(key);
  if (method === 'PUT') {
    if (rings.some(({ keys }) => !keys.includes(key)))
      return { status: 500, text: 'no such key; 1/5 nodes reported failure' };
    for (const ring of rings) ring.keys = [key, ...ring.keys.filter((one) => one !== key)];
  }
  if (method === 'DELETE') {
    if (rings.some(({ keys }) => keys[0] === key)) return { status: 500, text: 'removing the primary key' };
    for (const ring of rings) ring.keys = ring.keys.filter((one) => one !== key);
  }
  return { text: '' };
}

function ring(agents: readonly Agent[], wan = false): object {
  const count = (keys: readonly (string | undefined)[]) =>
    Object.fromEntries([...Map.groupBy(keys, (key) => key ?? '')].map(([key, { length }]) => [key, length]));
  return {
    WAN: wan,
    Datacenter: 'dc1',
    Segment: '',
    Keys: count(agents.flatMap(({ gossip }) => gossip.keys)),
    PrimaryKeys: count(agents.map(({ gossip }) => gossip.keys[0])),
    NumNodes: agents.length,
  };
}
