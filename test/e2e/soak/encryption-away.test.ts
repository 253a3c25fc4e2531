import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, kubectl, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { check, deploy, logged, type Outcome, start } from '../run/action.ts';
import { LIVING } from '../run/scenario.ts';

const QUOTA = 'no-more-pods';

/** Each way to encryption, its states, and who is away while the agents go to one of them. */
describe.each([
  {
    what: 'gossip',
    input: 'gossip-encryption',
    states: ['keyed', 'sending', 'strict'],
    away: 'consul-client-1',
    there: 'encrypted and enforced at 5 of 5 agents',
    back: 'plaintext at 5 of 5 agents',
  },
  {
    what: 'tls',
    input: 'tls',
    states: ['present', 'outgoing', 'enforced'],
    away: 'consul-server-2',
    there: 'TLS, enforced at 3 of 3 servers',
    back: 'plaintext at 3 of 3 servers',
  },
])(
  'a cluster that is encrypted ($what) while $away is away',
  ({ what, input, states, away, there, back }) => {
    const namespace = namespaceName(`away-${what}`);
    const given = { ...LIVING, namespace, timeout: '5m' };
    const green = async (inputs: Record<string, string> = {}): Promise<Outcome> => {
      const outcome = await deploy({ ...given, ...inputs });
      expect(outcome.code, outcome.log).toBe(0);
      return outcome;
    };

    beforeAll(async () => {
      expect(check(await green({ [input]: 'false' }), what).observed).toContain(back);
    });
    afterAll(() => removeNamespace(namespace));

    it.each(states)(
      'on its way to "%s": that run says why it waits, and the one after it, with all there again, finishes it',
      async (state) => {
        const running = start({ ...given, [input]: 'true' });
        await logged(running, `go to the state "${state}"`);
        await takeAway(namespace, away);
        const red = await running.outcome;
        expect(red.code, red.log).toBe(1);
        expect(red.report?.left).toMatch(
          /every agent understands the others.*the next run goes on from there/,
        );
        expect(red.report?.failure?.what, red.log).toBeTruthy();
        await kubectl('-n', namespace, 'delete', 'resourcequota', QUOTA);

        expect(check(await green(), what).observed).toContain(there);
        expect(check(await green({ [input]: 'false' }), what).observed).toContain(back);
      },
    );

    it('before the first step: nothing is written, and it goes all the way when all are there again', async () => {
      await takeAway(namespace, away);
      const secrets = await kubectl('-n', namespace, 'get', 'secrets', '-o', 'name');
      const red = await deploy({ ...given, [input]: 'true' });
      expect(red.code, red.log).toBe(1);
      expect(red.report?.failure?.what, red.log).toBeTruthy();
      expect(await kubectl('-n', namespace, 'get', 'secrets', '-o', 'name')).toBe(secrets);
      await kubectl('-n', namespace, 'delete', 'resourcequota', QUOTA);
      expect(check(await green({ [input]: 'true' }), what).observed).toContain(there);
    });
  },
);

/** The pod goes, and none may come in its place: its agent is not frozen, which a restart would end, but not there. */
async function takeAway(namespace: string, pod: string): Promise<void> {
  await kubectl('-n', namespace, 'create', 'quota', QUOTA, '--hard=pods=0');
  await kubectl('-n', namespace, 'delete', 'pod', pod, '--wait=false');
  await eventually(`${pod} is gone`, 60_000, async () =>
    (await pods(namespace)).every(({ metadata }) => metadata.name !== pod) ? true : undefined,
  );
}
