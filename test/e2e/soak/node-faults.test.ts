import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bed } from '../bed/bed.ts';
import {
  eventually,
  isReady,
  kubectl,
  kubectlApply,
  kubectlJson,
  lasted,
  pods,
  removeNamespace,
} from '../kubernetes/cluster.ts';
import { check, deploy, type Running, start } from '../run/action.ts';
import { CLIENTS, expectTold, meddle, readyNames, SERVERS, SMALL, within } from '../run/scenario.ts';

/** Faults of the cluster itself: one after the other, since they are everybody's. */

const LABEL = 'e2e.consul-deploy/clients';
const GROWN = 'e2e.consul-deploy/grown';

/** Servers that take their time, so that something can happen before they are ready. */
const SLOW = JSON.stringify([meddle(SERVERS, 'sleep 15')]);

interface Unplaced {
  metadata: { name: string; uid: string };
  status: { conditions?: { reason?: string }[] };
}

/** What the cluster autoscaler says while it makes a node for a pod. */
function scaleUp(namespace: string, { name, uid }: Unplaced['metadata']) {
  const at = new Date().toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.scale-up`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    type: 'Normal',
    reason: 'TriggeredScaleUp',
    message: 'pod triggered scale-up: [{servers 2->3 (max: 5)}]',
    source: { component: 'cluster-autoscaler' },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
}

async function startedUntilAServerRuns(namespace: string): Promise<Running> {
  const running = start({ ...SMALL, namespace });
  await eventually('a server to run', 60_000, async () =>
    (await pods(namespace, 'server')).some(({ status }) => status.phase === 'Running') ? true : undefined,
  );
  return running;
}

describe('no false alarm', () => {
  let nodes: string[] = [];
  beforeAll(async () => {
    const { items } = await kubectlJson<{ items: { metadata: { name: string } }[] }>('get', 'nodes');
    nodes = items.map(({ metadata }) => metadata.name);
  });
  afterEach(async () => {
    await kubectl('label', 'nodes', '--all', `${LABEL}-`, `${GROWN}-`);
    await kubectl('uncordon', ...nodes);
  });

  it(
    'clients that find no node for 40 s, until it is uncordoned',
    within('uncordon', async (namespace) => {
      const [node = ''] = nodes;
      await kubectl('label', 'node', node, `${LABEL}=`);
      const nodeSelector = { [LABEL]: '' };
      const patches = JSON.stringify([
        { target: CLIENTS, merge: { spec: { template: { spec: { nodeSelector } } } } },
      ]);
      const running = start({ ...SMALL, namespace, patches });
      // The servers are placed by now, so that they do not need it.
      await eventually('three servers with a node', 60_000, async () => {
        const placed = (await pods(namespace, 'server')).filter(({ spec }) => spec.nodeName !== undefined);
        return placed.length === 3 ? true : undefined;
      });
      await kubectl('cordon', node);
      await kubectl('-n', namespace, 'delete', 'pods', '-l=consul-role=client');
      await eventually('the clients to be told pending', 30_000, async () =>
        /waiting although .*consul-client.*unschedulable/.test(running.log()) ? true : undefined,
      );
      const since = Date.now();
      await eventually('40 s', 60_000, async () => (Date.now() - since > 40_000 ? true : undefined));
      expect(running.process.exitCode, running.log()).toBeNull();
      await kubectl('uncordon', node);
      const outcome = await running.outcome;
      expect(outcome.code, outcome.log).toBe(0);
    }),
  );

  it(
    'a third node that an autoscaler brings after 35 s',
    within('grown', async (namespace) => {
      await kubectl('label', 'nodes', ...nodes.slice(0, 2), `${GROWN}=`);
      const merge = { spec: { template: { spec: { nodeSelector: { [GROWN]: '' } } } } };
      const running = start({ ...SMALL, namespace, patches: JSON.stringify([{ target: SERVERS, merge }]) });
      const pending = await eventually('a server without a node', 60_000, async () => {
        const { items } = await kubectlJson<{ items: Unplaced[] }>('-n', namespace, 'get', 'pods');
        return items.find(({ status }) =>
          status.conditions?.some(({ reason }) => reason === 'Unschedulable'),
        );
      });
      await kubectlApply(JSON.stringify(scaleUp(namespace, pending.metadata)));
      await lasted(performance.now(), 35_000);
      expect(running.process.exitCode, running.log()).toBeNull();
      await kubectl('label', 'nodes', ...nodes, `${GROWN}=`, '--overwrite');
      const outcome = await running.outcome;
      expect(outcome.code, outcome.log).toBe(0);
      expect(check(outcome, 'cluster-nodes').status).toBe('warning');
    }),
  );

  if (bed) {
    const { fault } = bed;

    it(
      'the API server restarts',
      within('restart', async (namespace) => {
        const running = start({ ...SMALL, namespace, patches: SLOW });
        await eventually('the wait', 60_000, async () =>
          running.log().includes('Wait and prove') ? true : undefined,
        );
        await fault('restart-apiserver');
        const outcome = await running.outcome;
        expect(outcome.code, outcome.log).toBe(0);
      }),
    );

    it(
      'a node goes and comes back',
      within('flap', async (namespace) => {
        const running = await startedUntilAServerRuns(namespace);
        try {
          await fault('crash-node', '3');
          await eventually('the run to notice', 60_000, async () =>
            running.log().includes('its node n3 is not ready') ? true : undefined,
          );
        } finally {
          await fault('return-node', '3');
        }
        const outcome = await running.outcome;
        expect(outcome.code, outcome.log).toBe(0);
        expect(await readyNames(namespace)).toHaveLength(5);
      }),
    );
  }
});

if (bed) {
  const { fault } = bed;

  describe('a node that goes during the rollout', () => {
    it(
      'and does not come back, is named',
      within('node-lost', async (namespace) => {
        const running = await startedUntilAServerRuns(namespace);
        try {
          await fault('crash-node', '3');
          const outcome = await running.outcome;
          expectTold(outcome, 'node-lost', {
            what: /its node n3 is not ready/,
            where: /^Pod\/consul-server-\d$/,
            hint: 'kubectl describe node n3',
          });
          const there = (await pods(namespace)).filter(({ spec }) => spec.nodeName === 'n3');
          expect(there.filter(isReady)).toEqual([]);

          // Clients on nodes: the controller asks for none on one that is down.
          const inputs = { ...SMALL, servers: '1', clients: 'daemonset', 'client-replicas': '10' };
          const green = await deploy({ ...inputs, namespace: `${namespace}-nodes` });
          expect(green.code, green.log).toBe(0);
          expect(green.outputs).toMatchObject({ 'clients-ready': '2', 'clients-desired': '2' });
        } finally {
          await removeNamespace(`${namespace}-nodes`);
          await fault('return-node', '3');
        }
      }),
    );
  });
}
