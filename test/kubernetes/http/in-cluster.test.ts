import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Transport } from '../../../src/kubernetes/http/transport.ts';
import { selfSigned } from '../../certificate.ts';
import { CERTIFICATE, folder, json, kubeconfig, startServer, status } from '../fake-server.ts';

const GET = { method: 'GET', path: '/version', signal: AbortSignal.timeout(20_000) } as const;

/** What a pod of that API server has: two variables, and the files of its ServiceAccount. */
async function pod(url: string, { ca = CERTIFICATE, files = {} as Record<string, string> } = {}) {
  const root = await folder(files);
  const account = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
  await mkdir(account, { recursive: true });
  await writeFile(join(account, 'ca.crt'), ca);
  await writeFile(join(account, 'namespace'), 'arc-runners');
  const { hostname, port } = new URL(url);
  const env = { KUBECONFIG: '', KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { root, writeToken: (token: string) => writeFile(join(account, 'token'), `${token}\n`) };
}

async function connect(root: string): Promise<Transport> {
  const transport = await Transport.connect({ root, userAgent: 'test/1' });
  onTestFinished(() => transport.close());
  return transport;
}

describe('a runner in a pod, without a kubeconfig', () => {
  test('asks the API server of its cluster as its ServiceAccount, by TLS', async () => {
    const server = await startServer((_call, response) => json(response, 200, { gitVersion: 'v1.36.3' }), {});
    const { root, writeToken } = await pod(server.url);
    await writeToken('of-the-pod');
    const transport = await connect(root);
    const masked: string[] = [];
    transport.onToken = (token) => masked.push(token);
    await expect(transport.request(GET)).resolves.toMatchObject({ body: { gitVersion: 'v1.36.3' } });
    expect(transport.server).toBe(server.url);
    expect(server.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer of-the-pod']);
    expect(masked).toEqual(['of-the-pod']);
  });

  test('takes the token that the kubelet has renewed', async () => {
    let valid = 'first';
    const server = await startServer((call, response) => {
      if (call.headers.authorization === `Bearer ${valid}`) json(response, 200, {});
      else status(response, 401, { reason: 'Unauthorized' });
    }, {});
    const { root, writeToken } = await pod(server.url);
    await writeToken('first');
    const transport = await connect(root);
    await transport.request(GET);
    valid = 'second';
    await writeToken('second');
    await expect(transport.request(GET)).resolves.toMatchObject({ status: 200 });
    expect(server.calls.at(-1)?.headers.authorization).toBe('Bearer second');
  });

  test('gives its token to no server under another authority', async () => {
    const server = await startServer((_call, response) => json(response, 200, {}), {});
    const { root, writeToken } = await pod(server.url, { ca: selfSigned('another').cert });
    await writeToken('of-the-pod');
    const transport = await connect(root);
    await expect(transport.request(GET)).rejects.toThrow(/self-signed certificate/);
    expect(server.calls).toEqual([]);
  });

  test('has no cluster where its ServiceAccount mounts no token', async () => {
    const { root } = await pod('https://127.0.0.1:1');
    await expect(connect(root)).rejects.toMatchObject({
      reason: 'kubeconfig',
      what: expect.stringContaining('the pod that this runs in has no token'),
      hint: expect.stringContaining('automountServiceAccountToken'),
    });
  });

  test('takes the cluster that KUBECONFIG names, before its own', async () => {
    const { root, writeToken } = await pod('https://127.0.0.1:1', {
      files: { config: kubeconfig('https://named.example:6443') },
    });
    await writeToken('of-the-pod');
    vi.stubEnv('KUBECONFIG', join(root, 'config'));
    expect((await connect(root)).server).toBe('https://named.example:6443');
  });
});
