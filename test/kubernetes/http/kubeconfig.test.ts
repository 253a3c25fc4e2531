import type { RequestOptions } from 'node:https';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { loadKubeConfig } from '../../../src/kubernetes/http/kubeconfig.ts';
import { folder, kubeconfig } from '../fake-server.ts';

function environment(KUBECONFIG: string): void {
  vi.stubEnv('KUBECONFIG', KUBECONFIG);
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '');
  onTestFinished(() => void vi.unstubAllEnvs());
}

describe('loadKubeConfig', () => {
  test('reads text and files, and takes paths in a file as relative to it', async () => {
    const user = {
      'client-certificate': 'user.crt',
      'client-key': '/abs/user.key',
      exec: { command: 'bin/login', apiVersion: 'v1' },
    };
    const yaml = kubeconfig('https://one:6443', user);
    const directory = await folder({ config: yaml });
    const fromFile = await loadKubeConfig({ path: join(directory, 'config') });
    expect(fromFile.getCurrentCluster()?.server).toBe('https://one:6443');
    expect(fromFile.getCurrentUser()).toMatchObject({
      certFile: join(directory, 'user.crt'),
      keyFile: '/abs/user.key',
      exec: { command: join(directory, 'bin/login') },
    });
    const fromText = await loadKubeConfig({ yaml });
    expect(fromText.getCurrentContext()).toBe('fake');
  });

  test('data wins over the file beside it, which need not be there', async () => {
    const user = {
      'client-certificate': 'none.crt',
      'client-certificate-data': 'Y2VydA==',
      'client-key': 'none.key',
      'client-key-data': 'a2V5',
    };
    const cluster = { 'certificate-authority': 'none.crt', 'certificate-authority-data': 'Y2E=' };
    const config = await loadKubeConfig({ yaml: kubeconfig('https://one:6443', user, cluster) });
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    expect([options.ca, options.cert, options.key].map(String)).toEqual(['ca', 'cert', 'key']);
  });

  test.each(['the input', 'KUBECONFIG'])('~ in a path is the home directory, in %s', async (where) => {
    const home = await folder({ config: kubeconfig('https://one:6443') });
    const path = '~/config';
    environment(where === 'KUBECONFIG' ? ['none', path].join(delimiter) : '');
    vi.stubEnv('HOME', home);
    const config = await loadKubeConfig(where === 'KUBECONFIG' ? {} : { path });
    expect(config.getCurrentCluster()?.server).toBe('https://one:6443');
  });

  test('merges the files of KUBECONFIG; the first wins, and missing ones are passed over', async () => {
    const directory = await folder({
      a: kubeconfig('https://first:6443'),
      b: kubeconfig('https://second:6443').replaceAll('name: fake', 'name: other'),
      c: kubeconfig('https://third:6443'),
    });
    environment(['none', 'a', 'b', 'c'].map((name) => join(directory, name)).join(delimiter));
    const merged = await loadKubeConfig({});
    expect(merged.getContexts().map(({ name }) => name)).toEqual(['fake', 'other']);
    expect(merged.getCurrentCluster()?.server).toBe('https://first:6443');
  });

  test('never falls back to an address that nobody named', async () => {
    environment('');
    await expect(loadKubeConfig({})).rejects.toMatchObject({
      reason: 'kubeconfig',
      hint: expect.stringContaining('KUBECONFIG'),
    });
  });

  test('an unknown context is refused with those there are', async () => {
    const failure = loadKubeConfig({ yaml: kubeconfig('https://one'), context: 'prod' });
    await expect(failure).rejects.toMatchObject({
      reason: 'kubeconfig',
      what: 'the kubeconfig has no context "prod"',
      hint: expect.stringContaining('There are: fake.'),
    });
  });

  test.each([
    ['a YAML error', 'a: "secret-key', 'the kubeconfig is not valid YAML'],
    ['a word', 'hello', 'this is not a kubeconfig'],
    ['nothing', '', 'this is not a kubeconfig'],
    ['a cluster without a name', 'clusters: [{cluster: {server: x}}]', 'clusters.0.name'],
    ['a cluster without a server', 'clusters: [{name: a, cluster: {}}]', 'server is missing'],
    ['no context', 'clusters: []', 'no current context'],
    [
      'a context without its cluster',
      'current-context: a\ncontexts: [{name: a, context: {cluster: b}}]',
      'names a cluster that is not in it',
    ],
    ['groups to impersonate', kubeconfig('https://one', { as: 'a', 'as-groups': ['b'] }), '`as-groups`'],
  ])('%s is refused', async (_name, yaml, what) => {
    const error = await loadKubeConfig({ yaml }).catch((error: unknown) => error);
    expect(error).toMatchObject({ reason: 'kubeconfig', what: expect.stringContaining(what) });
    expect(String((error as Error).message)).not.toContain('secret-key');
  });

  test.each(['missing', '.'])('a file that cannot be read is named: %s', async (name) => {
    const path = join(await folder(), name);
    await expect(loadKubeConfig({ path })).rejects.toMatchObject({ reason: 'kubeconfig', where: path });
  });
});
