import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import {
  eventually,
  kubectl,
  kubectlApply,
  kubectlJson,
  namespaceName,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { deploy, type Outcome } from '../run/action.ts';

/** Too short for the deadline to pass for an answer: what is found out must be found out in seconds. */
const SHORT = { timeout: '25s', 'stable-for': '1s' };
/** The smallest that works, for what is not about the cluster itself. */
const TINY = { servers: '1', clients: 'none', 'server-storage': 'ephemeral', 'stable-for': '1s' };

const made: string[] = [];
function newNamespace(scenario: string): string {
  const name = namespaceName(scenario);
  made.push(name);
  return name;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consul-deploy-input-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  // At once: most of them were never made, unless a test has failed.
  await kubectl('delete', 'namespace', ...made, '--ignore-not-found', '--wait=false');
});

/** Refused, for this reason, before anything was written. */
async function expectRefused(outcome: Outcome, reason: string, namespace: string): Promise<void> {
  expect(outcome.code, outcome.log).toBe(1);
  expect(outcome.outputs).toMatchObject({ result: 'failure', 'failure-reason': reason, changed: 'false' });
  expect(outcome.report).toMatchObject({ result: 'failure', changed: false, objects: [] });
  expect(outcome.report?.failure?.reason).toBe(reason);
  expect(outcome.report?.left).toMatch(/^Nothing was changed|^No cluster was touched/);
  expect(outcome.summary).toContain('Consul is not proven');
  expect(await kubectl('get', 'namespace', namespace, '--ignore-not-found', '-o', 'name')).toBe('');
}

const failureOf = ({ report }: Outcome) => report?.failure ?? { what: '', hint: '', where: '', details: [] };

interface Access {
  clusters: { name: string; cluster: Record<string, unknown> & { server: string } }[];
  users: { name: string; user: Record<string, unknown> }[];
}

/** The kubeconfig in use with changes, as the one line of base64 that a secret would hold. */
async function kubeconfig(change: (access: Access) => void): Promise<string> {
  const access = JSON.parse(
    await kubectl('config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'),
  ) as Access;
  change(access);
  return Buffer.from(JSON.stringify(access)).toString('base64');
}

function withToken(token: string) {
  return (access: Access) => {
    for (const one of access.users) one.user = { token };
  };
}

describe('inputs that cannot be right', () => {
  it('are all told in one message, each with what was given and what is allowed', async () => {
    const namespace = newNamespace('mistakes');
    const given: Record<string, string> = {
      mode: 'deplyo',
      timeout: '90',
      'stable-for': '-1s',
      kubeconfig: 'YXBpVmVyc2lvbjogdjEK\nYXBpVmVyc2lvbjogdjEK',
      'create-namespace': 'yes',
      'expect-cluster': 'my cluster',
      name: 'Consul',
      image: 'hashicorp/consul:1.22.7 ',
      datacenter: 'dc 1',
      domain: 'consul..',
      servers: '2',
      clients: 'statefullset',
      'client-replicas': 'ten',
      recursors: '8.8.8.8,dns.example.com',
      'server-storage': '10 gigs',
      'server-resources': '{"requests":{"cpus":"1"}}',
      'server-config': '{"log_level":',
      patches: '[{"target":{"kind":"StatefulSet"},"merge":{}}]',
      'force-conflicts': 'replicas',
      adopt: 'allways',
      'expect-plan': 'sha256:1',
      'max-prune': 'some',
      'on-drift': 'ignore',
      'destroy-data': 'please',
      'max-unready-clients': '-5%',
      'manifests-path': '/etc/passwd',
      'log-level': 'verbose',
    };
    // Surrounding white space is none of the user's mistakes.
    const { image: _, ...mistaken } = given;
    const outcome = await deploy({ ...given, namespace });

    await expectRefused(outcome, 'invalid-input', namespace);
    const { details, what } = failureOf(outcome);
    const named = details.map((line) => line.slice(0, line.indexOf(':')));
    expect([...new Set(named)].sort()).toEqual(Object.keys(mistaken).sort());
    expect(what).toContain(`${details.length} mistakes`);
    for (const line of details) expect(line).toMatch(/: given .+; allowed: .+/);
    const line = (name: string) => details[named.indexOf(name)];
    expect(line('mode')).toBe(
      'mode: given "deplyo"; allowed: deploy, plan, verify, sweep, snapshot, inspect, rehearse, restore, destroy or render; did you mean `deploy`?',
    );
    expect(line('clients')).toContain('did you mean `statefulset`?');
    expect(line('timeout')).toContain('write 90s or 90m');
    expect(line('client-replicas')).toBe(
      'client-replicas: given "ten"; allowed: a whole number from 1 to 5000',
    );
    // One annotation has them all too, and none repeats what may be a secret.
    for (const one of details) expect(outcome.log).toContain(one.slice(0, one.indexOf(';')));
    expect(outcome.log + outcome.summary).not.toContain('YXBpVmVyc2lvbjogdjEK');
    expect(outcome.log + outcome.summary).not.toContain('"log_level":');
  });

  it('are also those that are not there, with what may be meant', async () => {
    const namespace = newNamespace('unknown-input');
    const outcome = await deploy({ ...SHORT, namespace, 'expect-clusters': '*staging*' });

    await expectRefused(outcome, 'invalid-input', namespace);
    expect(failureOf(outcome).details).toEqual([
      '"expect-clusters": there is no such input; did you mean `expect-cluster`?',
    ]);
  });

  it('are also those that contradict each other', async () => {
    const namespace = newNamespace('contradiction');
    const outcome = await deploy({ namespace, timeout: '10s', 'stable-for': '10s' });

    await expectRefused(outcome, 'invalid-input', namespace);
    expect(failureOf(outcome).details).toEqual([
      'stable-for: given "10s"; allowed: less than timeout, which is 10s',
    ]);
  });

  it('are also patches for what is not rendered', async () => {
    const namespace = newNamespace('patch');
    const patches = '[{"target":{"kind":"StatefulSet","name":"consul-servers"},"merge":{"spec":{}}}]';
    const outcome = await deploy({ ...SHORT, namespace, patches });

    await expectRefused(outcome, 'invalid-input', namespace);
    expect(failureOf(outcome).details[0]).toContain('patch 1 (StatefulSet/consul-servers): there is no such');
  });
});

describe('the wrong cluster, or none', () => {
  it('is refused where expect-cluster does not match', async () => {
    const namespace = newNamespace('wrong-cluster');
    const outcome = await deploy({ ...SHORT, namespace, 'expect-cluster': '*production*' });

    await expectRefused(outcome, 'wrong-cluster', namespace);
    const server = (await kubectl('config', 'view', '--minify', '-o', 'jsonpath={..server}')).trim();
    expect(failureOf(outcome).what).toContain(`"*production*" matches neither the API server ${server}`);
  });

  it('is not guessed without a kubeconfig', async () => {
    const namespace = newNamespace('no-kubeconfig');
    const outcome = await deploy({ ...SHORT, namespace }, { KUBECONFIG: '' });

    await expectRefused(outcome, 'kubeconfig', namespace);
    expect(failureOf(outcome).what).toContain('neither the input nor KUBECONFIG is set');
  });

  it('is named where the kubeconfig is not there', async () => {
    const namespace = newNamespace('missing-kubeconfig');
    const path = join(folder, 'nowhere.yaml');
    const outcome = await deploy({ ...SHORT, namespace, kubeconfig: path });

    await expectRefused(outcome, 'kubeconfig', namespace);
    expect(failureOf(outcome)).toMatchObject({ what: 'the file does not exist', where: path });
  });

  it('is found unreachable long before the deadline', async () => {
    const namespace = newNamespace('unreachable');
    const server = `https://127.0.0.1:${await closedPort()}`;
    const outcome = await deploy({
      ...SHORT,
      namespace,
      kubeconfig: await kubeconfig(({ clusters }) => {
        for (const { cluster } of clusters) cluster.server = server;
      }),
    });

    await expectRefused(outcome, 'unreachable', namespace);
    expect(failureOf(outcome).where).toBe(server);
    expect(failureOf(outcome).hint).toContain('Nothing listens there');
  });

  async function closedPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    return address.port;
  }

  it('is told when it does not accept the token, which nobody gets to see', async () => {
    const namespace = newNamespace('unauthorized');
    const token = 'nobody-knows-this-token';
    const outcome = await deploy({ ...SHORT, namespace, kubeconfig: await kubeconfig(withToken(token)) });

    await expectRefused(outcome, 'unauthorized', namespace);
    expect(failureOf(outcome).what).toContain('does not accept the credentials');
    expect(outcome.log + outcome.summary + JSON.stringify(outcome.report)).not.toContain(token);
  });
});

describe('a user without permissions', () => {
  const namespace = namespaceName('forbidden');
  const user = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'runner', namespace } };
  const inputs = { ...SHORT, ...TINY, namespace, 'create-namespace': 'false' };
  let access: string;
  beforeAll(async () => {
    made.push(namespace);
    await kubectl('create', 'namespace', namespace);
    await kubectlApply(JSON.stringify(user));
    const token = (await kubectl('-n', namespace, 'create', 'token', 'runner')).trim();
    access = await kubeconfig(withToken(token));
  });

  async function expectForbidden(): Promise<Outcome> {
    const before = await everything(namespace);
    const outcome = await deploy({ ...inputs, kubeconfig: access });
    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({
      result: 'failure',
      'failure-reason': 'forbidden',
      changed: 'false',
    });
    expect(outcome.report?.left).toBe('Nothing was changed.');
    expect(await everything(namespace)).toEqual(before);
    return outcome;
  }

  it('is told everything that is missing, with a Role to paste that is enough', async () => {
    const outcome = await expectForbidden();
    const { details, hint } = failureOf(outcome);
    for (const permission of [
      `get namespaces in ${namespace}`,
      `patch statefulsets (apps) in ${namespace}`,
      `watch pods in ${namespace}`,
      `create pods/portforward in ${namespace}`,
      `update leases (coordination.k8s.io) in ${namespace}`,
    ]) {
      expect(details).toContain(permission);
    }
    const roles = hint?.slice(hint.indexOf('apiVersion:')) ?? '';
    await kubectlApply(roles, '--validate=strict');
    await kubectl(
      ...['-n', namespace, 'create', 'rolebinding', 'runner', '--role=consul-deploy'],
      `--serviceaccount=${namespace}:runner`,
    );
    const again = await deploy({ ...inputs, timeout: '60s', kubeconfig: access });
    expect(again.code, again.log).toBe(0);
    expect(again.outputs).toMatchObject({ result: 'success', voters: '1' });
  });
});

/** Names of all objects that a run could have left, the lock among them. */
async function everything(namespace: string): Promise<string[]> {
  const kinds =
    'configmaps,services,serviceaccounts,poddisruptionbudgets,statefulsets,daemonsets,pods,leases';
  return (await kubectl('-n', namespace, 'get', kinds, '-o', 'name')).trim().split('\n');
}

describe('a cluster that cannot take it', () => {
  it('has no such namespace, and none may be created', async () => {
    const namespace = newNamespace('no-namespace');
    const outcome = await deploy({ ...SHORT, namespace, 'create-namespace': 'false' });

    await expectRefused(outcome, 'unfit-cluster', namespace);
    expect(failureOf(outcome).what).toBe(`the namespace ${namespace} does not exist`);
    expect(failureOf(outcome).hint).toContain('create-namespace: true');
  });

  it('has no such StorageClass', async () => {
    const namespace = newNamespace('storage-class');
    const outcome = await deploy({ ...SHORT, namespace, 'storage-class': 'nonesuch' });

    await expectRefused(outcome, 'unfit-cluster', namespace);
    expect(failureOf(outcome).what).toContain('there is no StorageClass nonesuch; there are ');
    const classes = (await kubectl('get', 'storageclasses', '-o', 'name')).trim().split('\n');
    for (const one of classes) expect(failureOf(outcome).what).toContain(one.split('/')[1] ?? '');
  });

  describe('because the namespace is being removed', () => {
    const namespace = namespaceName('terminating');
    afterEach(async () => {
      const release = [
        'patch',
        'configmap',
        'held',
        '--type=merge',
        '-p',
        '{"metadata":{"finalizers":null}}',
      ];
      await kubectl('-n', namespace, ...release);
    });

    it('is told so', async () => {
      await kubectl('create', 'namespace', namespace);
      const metadata = { name: 'held', namespace, finalizers: ['e2e.consul-deploy/held'] };
      await kubectlApply(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata }));
      await removeNamespace(namespace);
      const outcome = await deploy({ ...SHORT, namespace });

      expect(outcome.code, outcome.log).toBe(1);
      expect(outcome.outputs).toMatchObject({ 'failure-reason': 'unfit-cluster', changed: 'false' });
      expect(failureOf(outcome).what).toBe(`the namespace ${namespace} is being removed`);
      expect(failureOf(outcome).hint).toContain('Wait until it is gone');
    });
  });
});

describe('a post-render command', () => {
  it('that fails is shown with what it said', async () => {
    const namespace = newNamespace('post-render');
    const command = 'echo no such overlay >&2; exit 3';
    const outcome = await deploy({ ...SHORT, namespace, 'post-render': command });

    await expectRefused(outcome, 'post-render', namespace);
    expect(failureOf(outcome)).toMatchObject({
      what: 'it ended with status 3',
      details: ['no such overlay'],
    });
  });

  it.each([
    ['nothing', 'true', 'there is no object in it'],
    ['what is no object', 'echo hello', 'document 1: has no apiVersion, kind'],
    ['what is no YAML', 'echo "{"', 'document 1: '],
  ])('that prints %s is refused', async (_, command, detail) => {
    const namespace = newNamespace('garbage');
    const outcome = await deploy({ ...SHORT, namespace, 'post-render': command });

    await expectRefused(outcome, 'post-render', namespace);
    expect(failureOf(outcome).what).toBe('the output is not a set of Kubernetes objects');
    expect(failureOf(outcome).details.join('\n')).toContain(detail);
  });

  it('that is not there is named', async () => {
    const namespace = newNamespace('no-command');
    const outcome = await deploy({ ...SHORT, namespace, 'post-render': './no-such-command --now' });

    await expectRefused(outcome, 'post-render', namespace);
    expect(failureOf(outcome).what).toBe('it ended with status 127');
    expect(failureOf(outcome).details.join()).toContain('no-such-command');
  });
});

describe('mode: render', () => {
  const NO_CLUSTER = { KUBECONFIG: '/nonexistent/kubeconfig' };

  it('needs no cluster, and Kubernetes takes what it writes as it is', async () => {
    const namespace = newNamespace('render');
    const outcome = await deploy({ mode: 'render', namespace }, NO_CLUSTER);
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({ result: 'success', changed: 'false' });
    expect(outcome.report?.left).toBe('No cluster was touched.');
    const yaml = outcome.read('consul-manifests.yaml');
    const documents = parseAllDocuments(yaml);
    const rendered = (Array.isArray(documents) ? documents : []).map((one) => one.toJS() as object);
    expect(rendered).toHaveLength(outcome.report?.objects.length ?? 0);
    expect(await kubectl('get', 'namespace', namespace, '--ignore-not-found')).toBe('');

    await kubectl('create', 'namespace', namespace);
    const file = join(folder, 'rendered.yaml');
    await writeFile(file, yaml);
    const { items } = await kubectlJson<{ items: object[] }>(
      ...['apply', '--server-side', '--dry-run=server', '--validate=strict', '--force-conflicts', '-f', file],
    );
    // Everything that was rendered is in what would be stored; the rest are Kubernetes' own defaults.
    expect(items).toMatchObject(rendered);
  });

  it('writes the same for the same inputs, and says so by the digest', async () => {
    const inputs = { mode: 'render', 'client-config': '{"log_level":"debug"}' };
    const [one, two, other] = await Promise.all([
      deploy(inputs, NO_CLUSTER),
      deploy({ ...inputs, 'manifests-path': 'consul-manifests.yaml' }, NO_CLUSTER),
      deploy({ mode: 'render' }, NO_CLUSTER),
    ]);
    const digest = one.outputs['manifest-digest'];
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(two.outputs['manifest-digest']).toBe(digest);
    expect(two.read('consul-manifests.yaml')).toBe(one.read('consul-manifests.yaml'));
    expect(other.outputs['manifest-digest']).not.toBe(digest);
    expect(other.read('consul-manifests.yaml')).not.toBe(one.read('consul-manifests.yaml'));
  });
});

describe('a field that another manager owns', () => {
  const namespace = namespaceName('conflict');
  const inputs = {
    ...TINY,
    timeout: '60s',
    namespace,
    clients: 'statefulset',
    'client-replicas': '2',
  };
  const replicas = (field: string) =>
    kubectl('-n', namespace, 'get', 'statefulset', 'consul-client', '-o', `jsonpath={${field}}`);

  beforeAll(async () => {
    made.push(namespace);
    const first = await deploy(inputs);
    expect(first.code, first.log).toBe(0);
    const metadata = { name: 'consul-client', namespace };
    const other = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { replicas: 3 } };
    await kubectlApply(
      JSON.stringify(other),
      ...['--server-side', '--field-manager=other', '--force-conflicts'],
    );
    await eventually('the third client is ready', 60_000, async () =>
      (await replicas('.status.readyReplicas')) === '3' ? true : undefined,
    );
  });

  it('is left to it, and everything else too', async () => {
    const before = await versions(namespace);
    // A change of its own, which must not be written either.
    const outcome = await deploy({ ...inputs, ...SHORT, 'client-config': '{"log_level":"debug"}' });

    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({
      result: 'failure',
      'failure-reason': 'conflict',
      changed: 'false',
    });
    expect(failureOf(outcome).details).toEqual([
      'StatefulSet/consul-client .spec.replicas: owned by "other" (live 3, wanted 2)',
    ]);
    expect(failureOf(outcome).hint).toContain('force-conflicts: StatefulSet/consul-client:.spec.replicas');
    expect(await versions(namespace)).toEqual(before);
  });

  it('is taken over where force-conflicts allows it', async () => {
    const outcome = await deploy({ ...inputs, 'force-conflicts': 'StatefulSet/consul-client:spec.replicas' });

    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({ result: 'success', changed: 'true', 'clients-ready': '2' });
    expect(outcome.report?.warnings.join('\n')).toContain(
      'StatefulSet/consul-client: fields of other managers are taken over',
    );
    expect(await replicas('.spec.replicas')).toBe('2');
  });
});
