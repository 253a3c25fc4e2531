import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { CERTIFICATE, connectTo, folder, json, KEY, signal, startServer, status } from '../fake-server.ts';

const API_VERSION = 'client.authentication.k8s.io/v1';
const GET = { method: 'GET', path: '/api/v1/pods' } as const;

/** A plugin that counts its runs, keeps what it was told, and hands out token-1, token-2, ... */
async function plugin(credential = '{"token":"token-\'$run\'"}', prelude = '') {
  const directory = await folder();
  const command = join(directory, 'plugin');
  const script = [
    '#!/bin/sh',
    `cd '${directory}'`,
    'echo run >> runs',
    'run=$(grep -c run runs)',
    'printf %s "$KUBERNETES_EXEC_INFO" > info',
    'printf %s "$EXTRA" > extra',
    prelude,
    `printf %s '{"kind":"ExecCredential","apiVersion":"${API_VERSION}","status":${credential}}'`,
  ];
  await writeFile(command, script.join('\n'));
  await chmod(command, 0o755);
  const read = (name: string) => readFile(join(directory, name), 'utf8');
  return { command, directory, read, runs: async () => (await read('runs')).trim().split('\n').length };
}

const exec = (command: string, more: object = {}) => ({
  exec: { apiVersion: API_VERSION, command, interactiveMode: 'Never', ...more },
});

describe('credential plugin', () => {
  test('runs once for 25 calls at once, and each secret is announced before its first use', async () => {
    const { command, runs } = await plugin();
    const masked: string[] = [];
    const server = await startServer((call, response) => {
      const isMasked = masked.includes(String(call.headers.authorization).replace('Bearer ', ''));
      json(response, isMasked ? 200 : 500, {});
    });
    const transport = await connectTo(server.url, exec(command));
    transport.onToken = (token) => masked.push(token);
    await Promise.all(Array.from({ length: 25 }, () => transport.request({ ...GET, signal: signal() })));
    expect(await runs()).toBe(1);
    expect(masked).toEqual(['token-1']);
  });

  test('runs once more for 25 calls refused with 401', async () => {
    const { command, runs } = await plugin();
    const server = await startServer((call, response) => {
      if (call.headers.authorization === 'Bearer token-2') json(response, 200, {});
      else status(response, 401, { reason: 'Unauthorized', message: 'Unauthorized' });
    });
    const transport = await connectTo(server.url, exec(command));
    await Promise.all(Array.from({ length: 25 }, () => transport.request({ ...GET, signal: signal() })));
    expect(await runs()).toBe(2);
  });

  test('a second 401 is final', async () => {
    const { command, runs } = await plugin();
    const server = await startServer((_call, response) => status(response, 401, { reason: 'Unauthorized' }));
    const transport = await connectTo(server.url, exec(command));
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({ status: 401 });
    expect(server.calls).toHaveLength(2);
    expect(await runs()).toBe(2);
  });

  test('runs again when the credential has expired, and not before', async () => {
    const expired = await plugin('{"token":"token-\'$run\'","expirationTimestamp":"2020-01-01T00:00:00Z"}');
    const valid = await plugin('{"token":"token-\'$run\'","expirationTimestamp":"2999-01-01T00:00:00Z"}');
    const server = await startServer((_call, response) => json(response, 200, {}));
    for (const { command } of [expired, valid]) {
      const transport = await connectTo(server.url, exec(command));
      await transport.request({ ...GET, signal: signal() });
      await transport.request({ ...GET, signal: signal() });
    }
    expect(await expired.runs()).toBeGreaterThan(1);
    expect(await valid.runs()).toBe(1);
  });

  test('may say with null what it does not know', async () => {
    const nothing = '"expirationTimestamp":null,"clientCertificateData":null,"clientKeyData":null';
    const { command, runs } = await plugin(`{"token":"token-'$run'",${nothing}}`);
    const server = await startServer((_call, response) => json(response, 200, {}));
    const transport = await connectTo(server.url, exec(command));
    await transport.request({ ...GET, signal: signal() });
    await transport.request({ ...GET, signal: signal() });
    expect(server.calls.map(({ headers }) => headers.authorization)).toEqual(Array(2).fill('Bearer token-1'));
    expect(await runs()).toBe(1);
  });

  test('is told what the cluster has for it, and its authority by data, not by file', async () => {
    const { command, read } = await plugin();
    const server = await startServer((_call, response) => json(response, 200, {}), {});
    const transport = await connectTo(server.url, exec(command, { provideClusterInfo: true }), {
      'certificate-authority': '/none.crt',
      extensions: [
        { name: 'other', extension: { audience: 'not this' } },
        { name: 'client.authentication.k8s.io/exec', extension: { audience: '06e3fbd18de8', parts: [1] } },
      ],
    });
    await transport.request({ ...GET, signal: signal() });
    expect(JSON.parse(await read('info')).spec.cluster).toEqual({
      server: server.url,
      'certificate-authority-data': Buffer.from(CERTIFICATE).toString('base64'),
      config: { audience: '06e3fbd18de8', parts: [1] },
    });
  });

  test('is told the version it has to speak and the cluster it is for', async () => {
    const { command, read } = await plugin();
    const server = await startServer((_call, response) => json(response, 200, {}), {});
    const env = [{ name: 'EXTRA', value: 'more' }];
    const transport = await connectTo(server.url, exec(command, { provideClusterInfo: true, env }));
    await transport.request({ ...GET, signal: signal() });
    expect(JSON.parse(await read('info'))).toEqual({
      apiVersion: API_VERSION,
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: {
          server: server.url,
          'certificate-authority-data': Buffer.from(CERTIFICATE).toString('base64'),
        },
      },
    });
    expect(await read('extra')).toBe('more');
  });

  test('may hand out a client certificate', async () => {
    const status = JSON.stringify({ clientCertificateData: CERTIFICATE, clientKeyData: KEY });
    const { directory, command } = await plugin();
    await writeFile(command, `#!/bin/sh\ncat '${directory}/credential'\n`);
    await writeFile(
      join(directory, 'credential'),
      `{"kind":"ExecCredential","apiVersion":"${API_VERSION}","status":${status}}`,
    );
    const server = await startServer(
      (_call, response, request) =>
        json(response, 200, { name: (request.socket as TLSSocket).getPeerCertificate().subject.CN }),
      { requestCert: true, rejectUnauthorized: true, ca: CERTIFICATE },
    );
    const transport = await connectTo(server.url, exec(command));
    const { body } = await transport.request({ ...GET, signal: signal() });
    expect(body).toEqual({ name: 'localhost' });
  });

  test('that is missing is named, with the hint of the kubeconfig', async () => {
    const transport = await connectTo(
      'https://127.0.0.1:1',
      exec('no-such-plugin', { installHint: 'Get it.' }),
    );
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({
      reason: 'kubeconfig',
      what: 'it cannot be run (ENOENT)',
      where: 'credential plugin no-such-plugin',
      hint: 'Get it.',
    });
  });

  test('that gives up is quoted, but no token of its complaint', async () => {
    const token = 'eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMzQ1Njc4OTAifQ.payload.signature';
    const { command } = await plugin('{}', `echo "session expired for ${token}" >&2; exit 3`);
    const transport = await connectTo('https://127.0.0.1:1', exec(command));
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({
      reason: 'unauthorized',
      what: 'it ended with exit code 3',
      details: ['session expired for (hidden)'],
    });
  });

  test.each([
    ['nothing in the credential', '{}', 'its output is not an ExecCredential'],
    ['broken JSON', '{', 'its output is not JSON'],
  ])('%s is refused', async (_name, credential, what) => {
    const { command } = await plugin(credential);
    const transport = await connectTo('https://127.0.0.1:1', exec(command));
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({
      reason: 'kubeconfig',
      what: expect.stringContaining(what),
    });
  });

  test('another version of the API is refused', async () => {
    const { command } = await plugin();
    const user = exec(command, { apiVersion: 'client.authentication.k8s.io/v1beta1' });
    const transport = await connectTo('https://127.0.0.1:1', user);
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({
      reason: 'kubeconfig',
    });
  });

  test('does not hold up a caller that gives up, nor end the wait of the others', async () => {
    const { command, directory } = await plugin(undefined, 'while [ ! -e go ]; do sleep 0.05; done');
    const server = await startServer((_call, response) => json(response, 200, {}));
    const transport = await connectTo(server.url, exec(command));
    const controller = new AbortController();
    const reason = new Error('enough');
    const impatient = transport.request({ ...GET, signal: controller.signal });
    const patient = transport.request({ ...GET, signal: signal() });
    controller.abort(reason);
    await expect(impatient).rejects.toBe(reason);
    await writeFile(join(directory, 'go'), '');
    await expect(patient).resolves.toMatchObject({ status: 200 });
  });
});

describe('other credentials', () => {
  test('a token file is read again after a 401', async () => {
    const directory = await folder({ token: 'old\n' });
    const server = await startServer((call, response) => {
      if (call.headers.authorization === 'Bearer new') json(response, 200, {});
      else status(response, 401, { reason: 'Unauthorized' });
    });
    const transport = await connectTo(server.url, { tokenFile: join(directory, 'token') });
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({ status: 401 });
    await writeFile(join(directory, 'token'), 'new\n');
    await expect(transport.request({ ...GET, signal: signal() })).resolves.toMatchObject({ status: 200 });
  });

  test.each([
    ['a token', { token: 'static' }],
    ['a plugin', exec('no-such-plugin')],
    ['name and password', { username: 'ann', password: 'pass' }],
  ])('a token file wins over %s', async (_name, user) => {
    const directory = await folder({ token: 'from-file\n' });
    const server = await startServer((_call, response) => json(response, 200, {}));
    const transport = await connectTo(server.url, { ...user, tokenFile: join(directory, 'token') });
    await transport.request({ ...GET, signal: signal() });
    expect(server.calls[0]?.headers.authorization).toBe('Bearer from-file');
  });

  test.each(['missing', 'empty'])('a token stands in for a token file that is %s', async (name) => {
    const directory = await folder({ empty: '\n' });
    const server = await startServer((_call, response) => json(response, 200, {}));
    const user = { token: 'static', tokenFile: join(directory, name) };
    const transport = await connectTo(server.url, user);
    await transport.request({ ...GET, signal: signal() });
    expect(server.calls[0]?.headers.authorization).toBe('Bearer static');
  });

  test.each(['missing', 'empty'])(
    'a token file that is %s is named where nothing stands in for it',
    async (name) => {
      const directory = await folder({ empty: '\n' });
      const path = join(directory, name);
      const server = await startServer((_call, response) => json(response, 200, {}));
      const transport = await connectTo(server.url, { tokenFile: path });
      await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({
        reason: 'kubeconfig',
        where: path,
      });
      expect(server.calls).toEqual([]);
    },
  );

  test('a static token is not tried twice', async () => {
    const server = await startServer((_call, response) => status(response, 401, { reason: 'Unauthorized' }));
    const transport = await connectTo(server.url, { token: 'old' });
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({ status: 401 });
    expect(server.calls).toHaveLength(1);
  });

  test('name and password, and impersonation', async () => {
    const server = await startServer((_call, response) => json(response, 200, {}));
    const masked: string[] = [];
    const transport = await connectTo(server.url, { username: 'ann', password: 'pass', as: 'bob' });
    transport.onToken = (token) => masked.push(token);
    await transport.request({ ...GET, signal: signal() });
    const basic = Buffer.from('ann:pass').toString('base64');
    expect(server.calls[0]?.headers).toMatchObject({
      authorization: `Basic ${basic}`,
      'impersonate-user': 'bob',
    });
    expect(masked).toEqual(['pass', basic]);
  });
});
