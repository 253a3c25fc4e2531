import { expect, it } from 'vitest';
import type { Dial } from '../../../src/consul/connection.ts';
import { surveyTakeovers } from '../../../src/steps/adoption/survey.ts';
import { type OldPod, oldPod, type Takeover } from '../../../src/steps/adoption/takeover.ts';
import { fakeConsul } from '../../consul/fake-consul.ts';
import { type FakeRpc, startRpc } from '../../consul/rpc/fake-rpc.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { forwardTo } from '../../session/fake-port-forward.ts';
import { config, startRun } from '../../session/fixture.ts';
import { authority, pairs } from '../encryption/tls-files.ts';

const [old, fresh] = await Promise.all([pairs(), pairs()]);
const certificates = { authorities: authority.certificate, ...fresh, isNew: true };

/** One whose servers a run before has begun to move, so that Raft is not asked. */
function takeover(role: Takeover['role'], replicas: number): Takeover {
  const labels = { app: 'consul', 'consul-role': role };
  const name = `consul-${role}`;
  const desired = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'consul' },
    spec: { replicas, selector: { matchLabels: labels } },
  };
  const pods = Array.from({ length: replicas }, (_, ordinal) => {
    const metadata = { name: `${name}-${ordinal}`, uid: `${role}-${ordinal}`, labels };
    return oldPod({ apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Running' } }, name) as OldPod;
  });
  const planned = { desired, predicted: desired, live: desired, force: false, unverified: false } as const;
  return { role, state: 'unfinished', pods, planned: { ...planned, action: 'change' } };
}

/** @param verifies of an agent, by its name */
async function survey(verifies: (name: string) => boolean, rpc: Record<string, FakeRpc> = {}) {
  const { cluster, server } = await startFakeApi();
  const agents = new Map<string, Dial>();
  const ports = new Map<string, Dial>();
  const asked: string[] = [];
  const takeovers = [takeover('server', 2), takeover('client', 1)];
  for (const { name } of takeovers.flatMap(({ pods }) => pods)) {
    const both = { VerifyIncoming: verifies(name), VerifyOutgoing: verifies(name) };
    const self = {
      Config: { NodeName: name, Datacenter: 'dc1', Version: '1.22.7' },
      DebugConfig: { DNSDomain: config().domain, TLS: { InternalRPC: both } },
    };
    const fake = await fakeConsul(({ path }) => {
      if (path === '/v1/agent/self') return { body: self };
      return { body: path === '/v1/session/list' ? [] : {} };
    });
    agents.set(name, fake.dial);
    ports.set(name, await startRpc(rpc[name] ?? { takesPlaintext: false, pair: old.server }));
  }
  forwardTo(server, (signal, pod, port) => {
    if (port === 8300) asked.push(pod);
    return (port === 8300 ? ports : agents).get(pod)?.(signal) ?? expect.fail(`${pod}:${port}`);
  });
  const { run } = startRun();
  const found = surveyTakeovers(run, cluster, takeovers, { planning: true, certificates });
  return { found, asked };
}

it('agents that verify certificates are taken over, once every old server was seen to show one of the same authority', async () => {
  const { found, asked } = await survey(() => true);
  expect(await found).toEqual({ encrypted: false, verified: true });
  expect(new Set(asked)).toEqual(new Set(['consul-server-0', 'consul-server-1']));
});

it('where one agent verifies, a server that takes plaintext is seen, whatever it says of itself', async () => {
  const { found } = await survey((name) => name.startsWith('consul-client'), {
    'consul-server-1': { takesPlaintext: true, pair: old.server },
  });
  await expect(found).rejects.toMatchObject({
    reason: 'adoption',
    what: expect.stringMatching(/consul-server-1 take plaintext as well/),
    details: expect.arrayContaining([
      expect.stringMatching(/consul-server-0, consul-server-1 dial in plaintext/),
    ]),
  });
});

it('where no agent verifies, nobody is asked by RPC', async () => {
  const { found, asked } = await survey(() => false);
  expect(await found).toEqual({ encrypted: false, verified: false });
  expect(asked).toEqual([]);
});
