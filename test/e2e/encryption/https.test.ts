import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { kubectl, namespaceName, removeNamespace } from '../kubernetes/cluster.ts';
import { check, deploy, type Outcome } from '../run/action.ts';
import { address, expectRed, SMALL } from '../run/scenario.ts';

describe('a cluster that serves HTTPS', () => {
  const namespace = namespaceName('https');
  const given = { ...SMALL, namespace, servers: '1', 'client-replicas': '1', 'server-storage': '1Gi' };
  const run = (inputs: Record<string, string>): Promise<Outcome> => deploy({ ...given, ...inputs });
  const green = async (inputs: Record<string, string>): Promise<Outcome> => {
    const outcome = await run(inputs);
    expect(outcome.code, outcome.log).toBe(0);
    return outcome;
  };
  afterAll(() => removeNamespace(namespace));

  it('consul-k8s#669, consul-k8s#944, consul-helm#157: alone from the first day, with probes and proof that still work', async () => {
    const outcome = await green({ https: 'only' });
    expect(check(outcome, 'https').observed).toBe(
      'at 2 of 2 agents; plain HTTP within the pod alone, as the agents say',
    );
    const ca = await authority(namespace);
    for (const [pod, name] of [
      ['consul-server-0', `consul-server.${namespace}.svc`],
      ['consul-client-0', `consul-client.${namespace}.svc`],
    ] as const) {
      const ip = await address(namespace, pod);
      expect(await listens(ip, 8500)).toBe(false);
      expect(await ask(ip, ca, name)).toBe(200);
      await expect(ask(ip, ca, 'somebody.else')).rejects.toThrow(/does not match/);
    }
    const verified = await run({ mode: 'verify' });
    expect(verified.code, verified.log).toBe(0);
    expect(check(verified, 'https').status).toBe('passed');
  });

  it('and beside plain HTTP when asked to', async () => {
    await green({ https: 'also' });
    const ip = await address(namespace, 'consul-client-0');
    expect(await listens(ip, 8500)).toBe(true);
    expect(await ask(ip, await authority(namespace), 'localhost')).toBe(200);
  });

  it('needs certificates: without TLS it is refused before anything is written', async () => {
    await green({ tls: 'false' });
    expectRed(await run({ https: 'only' }), 'certificate');
  });
});

async function authority(namespace: string): Promise<string> {
  const path = 'jsonpath={.data.ca\\.crt}';
  const text = await kubectl('-n', namespace, 'get', 'secret', 'consul-server-tls', '-o', path);
  return Buffer.from(text, 'base64').toString();
}

async function listens(ip: string, port: number): Promise<boolean> {
  const socket = connect(port, ip);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The status with which an agent answers, as whoever trusts the authority alone asks it under a name. */
function ask(ip: string, ca: string, servername: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const options = { host: ip, port: 8501, path: '/v1/status/leader', ca, servername, agent: false };
  const asked = request(options, (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  asked.on('error', reject);
  asked.end();
  return promise;
}
