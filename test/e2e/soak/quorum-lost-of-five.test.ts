import { generateIdentity } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consul, raftViews } from '../consul/consul.ts';
import {
  eventually,
  kubectl,
  namespaceName,
  pods,
  removeNamespace,
  signalAgent,
} from '../kubernetes/cluster.ts';
import { check, deploy } from '../run/action.ts';

const ALL = [0, 1, 2, 3, 4].map((at) => `consul-server-${at}`);
const HELD = 'not started: the data directory is empty';
const keysOf = (part: string) => Array.from({ length: 30 }, (_, index) => `app/${part}/${index}`).sort();
const [EARLY, LATE] = [keysOf('early'), keysOf('late')];
/** Five servers on the three nodes of the test bed. */
const PATCHES = JSON.stringify([
  {
    target: { kind: 'StatefulSet', name: 'consul-server' },
    merge: { spec: { template: { spec: { affinity: null } } } },
  },
]);

describe('five servers, of which three lose their data and one of the others lags behind', () => {
  const namespace = namespaceName('lost-of-five');
  const given = {
    ...{ namespace, timeout: '8m', 'stable-for': '0s', 'smoke-dns': 'false', patches: PATCHES },
    ...{ servers: '5', 'server-storage': '1Gi', 'client-replicas': '1' },
  };

  async function ipOf(server: string): Promise<string> {
    const found = (await pods(namespace, 'server')).find(({ metadata }) => metadata.name === server);
    return found?.status.podIP ?? '';
  }

  async function write(server: string, keys: readonly string[]): Promise<void> {
    const ip = await ipOf(server);
    for (const key of keys) await consul(ip, `/v1/kv/${key}`, { method: 'PUT', body: `value of ${key}` });
  }

  /** What a server itself has, whether somebody leads or not. */
  async function ownKeys(server: string): Promise<string[]> {
    return (await consul<string[]>(await ipOf(server), '/v1/kv/app?keys&stale')).sort();
  }

  beforeAll(async () => {
    const outcome = await deploy(given);
    expect(outcome.code, outcome.log).toBe(0);
  }, 600_000);
  afterAll(() => removeNamespace(namespace));

  it('the one with the later writes wins, and all of them are on five voters again', async () => {
    const ip = await ipOf('consul-server-0');
    const leader = await consul<string>(ip, '/v1/status/leader');
    const [view] = await raftViews(namespace);
    const leads = view?.servers.find(({ Address }) => Address === leader)?.Node ?? '';
    const [ahead = '', behind = ''] = ALL.filter((name) => name !== leads);
    const lost = ALL.filter((name) => name !== ahead && name !== behind);

    await write(ahead, EARLY);
    await eventually(`${behind} has what was written`, 20_000, async () =>
      (await ownKeys(behind)).length === EARLY.length ? true : undefined,
    );
    await signalAgent(namespace, behind, 'STOP');
    await write(ahead, LATE);
    await eventually(`${ahead} has all of it`, 20_000, async () =>
      (await ownKeys(ahead)).length === EARLY.length + LATE.length ? true : undefined,
    );
    const before = new Set((await pods(namespace, 'server')).map(({ metadata }) => metadata.uid));
    await kubectl(
      ...['-n', namespace, 'delete', '--wait=false'],
      ...lost.flatMap((server) => [`pvc/data-${server}`, `pod/${server}`]),
    );
    for (const server of lost) {
      await eventually(`${server} is held back`, 120_000, async () => {
        const pod = (await pods(namespace, 'server')).find(({ metadata }) => metadata.name === server);
        if (!pod || before.has(pod.metadata.uid) || pod.status.phase !== 'Running') return undefined;
        const log = await kubectl('-n', namespace, 'logs', server).catch(() => '');
        return log.includes(HELD) ? true : undefined;
      });
    }
    // Its liveness probe may have had it started anew meanwhile; it finds nobody who leads.
    await eventually(`${behind} answers again`, 120_000, async () => {
      await signalAgent(namespace, behind, 'CONT').catch(() => undefined);
      return ownKeys(behind).catch(() => undefined);
    });
    expect(await ownKeys(behind)).toEqual(EARLY);
    expect(await ownKeys(ahead)).toEqual([...EARLY, ...LATE].sort());

    const verified = await deploy({ ...given, mode: 'verify', timeout: '2m' });
    expect(verified.code, verified.log).toBe(1);
    expect(verified.report?.failure?.hint).toContain('`from: survivor`');

    const inputs = { ...given, mode: 'restore', from: 'survivor', confirm: 'consul' };
    const outcome = await deploy({ ...inputs, 'snapshot-key': await generateIdentity() });
    expect(outcome.code, outcome.log).toBe(0);
    const { observed } = check(outcome, 'survivor');
    expect(observed).toContain(`${ahead} has what there was`);
    for (const server of lost) expect(observed).toContain(server);
    expect(check(outcome, 'restore-content')).toMatchObject({ status: 'passed', observed: 'all of them' });
    for (const { pod, servers } of await raftViews(namespace)) {
      expect(servers.map(({ Node, Voter }) => [Node, Voter]).sort(), pod).toEqual(
        ALL.map((name) => [name, true]),
      );
      expect(await ownKeys(pod), pod).toEqual([...EARLY, ...LATE].sort());
    }
  }, 1_200_000);
});
