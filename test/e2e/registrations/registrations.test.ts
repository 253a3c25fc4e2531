import { describe, expect, it } from 'vitest';
import { consul } from '../consul/consul.ts';
import { eventually, kubectl, kubectlApply, kubectlJson, pods } from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';
import { SMALL, within } from '../run/scenario.ts';

const PODS = 6;
const EACH = 10;
/** An agent compares all it holds with the catalog once a minute. */
const ROUND_MS = 90_000;

/**
 * An application of several pods that registers ten services each through the Service and takes them back, by a new
 * connection each time, and tells the answers.
 */
function application(name: string): object {
  const script = [
    `ask() { curl -s -o /dev/null -w "$1 %{http_code}\\n" -m 20 -X PUT "http://consul-client:8500/v1/agent/service/$2" \${3:+-d "$3"}; }`,
    `for i in $(seq ${EACH}); do ask register register "{\\"ID\\":\\"${name}-$JOB_COMPLETION_INDEX-$i\\",\\"Name\\":\\"${name}\\"}"; done`,
    `for i in $(seq ${EACH}); do ask deregister "deregister/${name}-$JOB_COMPLETION_INDEX-$i"; done`,
  ].join('\n');
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      completions: PODS,
      parallelism: PODS,
      completionMode: 'Indexed',
      backoffLimit: 0,
      template: {
        metadata: { labels: { application: name } },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name: 'application',
              image: 'hashicorp/consul:1.22.7',
              imagePullPolicy: 'IfNotPresent',
              command: ['sh', '-c', script],
              resources: { requests: { cpu: '1m', memory: '8Mi' } },
            },
          ],
        },
      },
    },
  };
}

/** Runs it to its end. @returns the answers, `register 200` -> how many */
async function run(namespace: string, name: string): Promise<Map<string, number>> {
  await kubectlApply(JSON.stringify(application(name)), '-n', namespace);
  await eventually(`the end of ${name}`, 180_000, async () => {
    const { status } = await kubectlJson<{ status: { succeeded?: number; failed?: number } }>(
      ...['-n', namespace, 'get', 'job', name],
    );
    if (status.failed) throw new Error(`${name}: ${JSON.stringify(status)}`);
    return status.succeeded === PODS ? true : undefined;
  });
  const selector = [`-l=application=${name}`, '--tail=-1', `--max-log-requests=${PODS}`];
  const said = await kubectl('-n', namespace, 'logs', ...selector);
  const answers = new Map<string, number>();
  for (const line of said.trim().split('\n')) answers.set(line, (answers.get(line) ?? 0) + 1);
  return answers;
}

/** Ids of its services at the agents, each asked at its own address. */
async function held(namespace: string, name: string): Promise<string[]> {
  const agents = await pods(namespace, 'client');
  const all = await Promise.all(
    agents.map(({ status }) =>
      consul<Record<string, { Service: string }>>(status.podIP ?? '', '/v1/agent/services'),
    ),
  );
  return all
    .flatMap((services) =>
      Object.entries(services).flatMap(([id, { Service }]) => (Service === name ? [id] : [])),
    )
    .sort();
}

/** Ids of its services in the catalog, as a server tells them at its own address. */
async function catalogued(namespace: string, name: string): Promise<string[]> {
  const [server] = await pods(namespace, 'server');
  const found = await consul<{ ServiceID: string }[]>(
    server?.status.podIP ?? '',
    `/v1/catalog/service/${name}?consistent`,
  );
  return found.map(({ ServiceID }) => ServiceID).sort();
}

/** Waits until the agents have told the catalog all they have to tell. */
async function settled(namespace: string, name: string): Promise<string[]> {
  const ids = await held(namespace, name);
  await eventually('the catalog as the agents have it', ROUND_MS, async () => {
    const known = await catalogued(namespace, name);
    return JSON.stringify(known) === JSON.stringify(ids) ? true : undefined;
  });
  return ids;
}

describe.concurrent('sixty services that come and go through the Service, from six pods', () => {
  it.each([
    ['statefulset', { sessionAffinity: 'None' }],
    ['daemonset', { internalTrafficPolicy: 'Cluster' }],
  ])('leave no ghost at a %s of clients, and many with plain balancing', async (clients, plain) => {
    await within(`ghosts-${clients}`, async (namespace) => {
      const { 'client-replicas': _, ...small } = SMALL;
      const replicas = clients === 'statefulset' && { 'client-replicas': '3' };
      const given = { ...small, ...replicas, namespace, clients, 'smoke-service': 'false' };
      const outcome = await deploy(given);
      expect(outcome.code, outcome.log).toBe(0);

      const answers = await run(namespace, 'tidy');
      const all = PODS * EACH;
      expect(Object.fromEntries(answers)).toEqual({ 'register 200': all, 'deregister 200': all });
      expect(await settled(namespace, 'tidy')).toEqual([]);

      await kubectl(
        '-n',
        namespace,
        'patch',
        'service',
        'consul-client',
        `-p=${JSON.stringify({ spec: plain })}`,
      );
      const balanced = await run(namespace, 'untidy');
      expect(balanced.get('register 200')).toBe(all);
      expect(balanced.get('deregister 404')).toBeGreaterThan(0);
      const ghosts = await settled(namespace, 'untidy');
      console.log(`${clients}: ${ghosts.length} ghosts of ${all} with plain balancing, none as rendered`);
      expect(ghosts).toHaveLength(balanced.get('deregister 404') ?? 0);
    })();
  });
});
