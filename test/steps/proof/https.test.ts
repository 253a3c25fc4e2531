import { describe, expect, test, vi } from 'vitest';
import { LEAF_DAYS, newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import { CurrentPods } from '../../../src/session/current-pods.ts';
import { proveHttps } from '../../../src/steps/proof/https.ts';
import type { FakeHttps } from '../../consul/https/fake-https.ts';
import { hurried } from '../hurried.ts';
import { ProofWorld } from './proof-world.ts';

const DAY_MS = 86_400_000;
const NAMES = { dns: ['server.dc1.consul'], ips: [] };
const authority = await newAuthority('consul');
const pair = await newLeaf(authority, NAMES);
const AGENTS = [0, 1, 2].map((at) => `consul-server-${at}`).concat('consul-client-0', 'consul-client-1');
const WITHIN = ['tcp://127.0.0.1:8500', 'tcp://[::1]:8500'];

/** All agents answer by HTTPS, and hear plain HTTP within their pods alone, but for what is said of one. */
function world(https: 'off' | 'also' | 'only', of: { one?: Partial<FakeHttps>; http?: string[] } = {}) {
  const made = new ProofWorld({ clients: 'statefulset', https }, 2);
  for (const name of AGENTS) made.https.set(name, { pair, answer: 200 });
  const odd = 'consul-client-1';
  made.https.set(odd, { pair, answer: 200, ...of.one });
  made.before = (pod, { path }) =>
    path === '/v1/agent/self'
      ? {
          body: {
            Config: { NodeName: pod, Datacenter: 'dc1', Version: '1.22.7' },
            DebugConfig: { HTTPAddrs: pod === odd ? (of.http ?? WITHIN) : WITHIN },
          },
        }
      : undefined;
  return made;
}

function prove({ run, workloads, agents }: ProofWorld): Promise<void> {
  return proveHttps(run, { agents, pods: new CurrentPods(run, workloads) });
}

const check = ({ run }: ProofWorld) => run.result().checks.find(({ id }) => id === 'https');

describe('HTTPS', () => {
  test.each([
    ['also', 'at 5 of 5 agents'],
    ['only', 'at 5 of 5 agents; plain HTTP within the pod alone, as the agents say'],
  ] as const)('(%s) is answered by every agent', async (https, observed) => {
    const made = world(https);
    await prove(made);
    expect(check(made)).toMatchObject({ status: 'passed', observed });
  });

  test('that is off is not looked for', async () => {
    const made = world('off');
    await prove(made);
    expect(check(made)).toBeUndefined();
  });

  test('beside plain HTTP may be beside plain HTTP', async () => {
    const made = world('also', { http: ['tcp://10.0.1.2:8500'] });
    await prove(made);
    expect(check(made)?.status).toBe('passed');
  });

  test.each([
    ['hears plain HTTP at tcp://10.0.1.2:8500', { http: ['tcp://127.0.0.1:8500', 'tcp://10.0.1.2:8500'] }],
    ['hears plain HTTP at tcp://0.0.0.0:8500', { http: ['tcp://0.0.0.0:8500'] }],
    ['answers 503 by HTTPS', { one: { answer: 503 } }],
  ] as const)('is red where one agent %s, which is named', async (what, of) => {
    const made = world('only', of as Parameters<typeof world>[1]);
    hurried(100);
    await expect(prove(made)).rejects.toMatchObject({
      reason: 'not-encrypted',
      what: `the agent ${what}`,
      where: 'Pod/consul-client-1',
    });
    expect(check(made)).toMatchObject({ status: 'failed', observed: expect.stringContaining(what) });
  });

  test('is red where a certificate has expired', async () => {
    const old = await newLeaf(authority, NAMES, Date.now() - (LEAF_DAYS + 1) * DAY_MS);
    const made = world('also', { one: { pair: old } });
    hurried(100);
    await expect(prove(made)).rejects.toMatchObject({
      what: expect.stringContaining('shows a certificate that has expired'),
      where: 'Pod/consul-client-1',
    });
  });

  test('is waited for where an agent has just begun', async () => {
    const made = world('also', { one: { answer: 500 } });
    const proving = prove(made);
    await vi.waitFor(() => expect(check(made)?.observed).toContain('answers 500'), 5_000);
    const odd = made.https.get('consul-client-1');
    if (odd) odd.answer = 200;
    await proving;
    expect(check(made)?.status).toBe('passed');
  });

  test('that nobody answers at all is told of with what failed', async () => {
    const made = world('also');
    made.https.delete('consul-client-1');
    hurried(100);
    await expect(prove(made)).rejects.toMatchObject({ reason: 'unreachable' });
    expect(check(made)?.status).toBe('failed');
  });
});
