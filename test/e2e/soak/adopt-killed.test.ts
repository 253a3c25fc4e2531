import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { startOriginal } from '../adoption/original.ts';
import {
  expectAllKept,
  expectNewShape,
  expectRegistered,
  inputs,
  register,
  registrations,
} from '../adoption/takeover.ts';
import { consul } from '../consul/consul.ts';
import { put } from '../consul/registration.ts';
import { eventually, kubectl, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { check, deploy, killedAt } from '../run/action.ts';
import { underLoad } from '../traffic/store-load.ts';

/** Two runs are ended and three begin: on a loaded machine that takes its time. */
const KILLED_MS = 600_000;

describe('a takeover that is killed in the middle', () => {
  const namespace = namespaceName('adopt-killed');
  const given = { ...inputs, namespace, 'server-storage': 'ephemeral' };
  afterAll(() => removeNamespace(namespace));

  it(
    'is finished by the next runs, wherever it was ended, and loses nothing',
    async () => {
      const key = randomBytes(32).toString('base64');
      await startOriginal(namespace, 2, key);
      const [server] = await pods(namespace, 'server');
      const autopilot = '/v1/operator/autopilot/configuration';
      const settings = await consul<object>(server?.status.podIP ?? '', autopilot);
      // How long a newcomer is watched before it votes: it is not what this is about, and takes most of the time.
      await put(server?.status.podIP ?? '', autopilot, { ...settings, ServerStabilizationTime: '2s' });
      await register(namespace);
      const before = await eventually('the first result of the HTTP check', 20_000, async () => {
        const found = await registrations(namespace);
        return JSON.stringify(found).includes('"Status":"passing"},{"CheckID":"web-told"')
          ? found
          : undefined;
      });
      const { load } = await underLoad(namespace, async () => {
        // Between its two halves: the StatefulSet is gone, and its pods are nobody's.
        await killedAt(given, 'StatefulSet/consul-server: removed without its pods');
        // With one server moved and another on its way.
        await killedAt(given, 'consul-server-1 is replaced');
        const last = await deploy(given);
        expect(last.code, last.log).toBe(0);
        // Encrypted before, and all the way: with the key that its owners have made.
        expect(check(last, 'gossip').observed).toBe('encrypted and enforced at 5 of 5 agents (on the wire)');
        expect(last.log).not.toContain(key);
      });
      console.log(
        `adopt, killed twice: ${load.written.size} writes acknowledged; longest gap: writes ${Math.round(load.writeGapMs)} ms, reads ${Math.round(load.readGapMs)} ms`,
      );
      await expectAllKept(namespace, load.written);
      await expectNewShape(namespace);
      const secret = await kubectl(
        '-n',
        namespace,
        'get',
        'secret',
        'consul-gossip',
        '-o',
        'jsonpath={.data.keyring}',
      );
      expect(JSON.parse(Buffer.from(secret, 'base64').toString())).toEqual([key]);
      await expectRegistered(namespace, before);
    },
    KILLED_MS,
  );
});
