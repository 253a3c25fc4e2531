import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { type FakeConsul, fakeConsul } from '../consul/fake-consul.ts';
import { altered, SNAPSHOT } from '../consul/snapshot/fixture.ts';
import { folder, json, kubeconfig, page } from '../kubernetes/fake-server.ts';
import { forwardTo } from '../session/fake-port-forward.ts';
import { startApi } from '../session/fixture.ts';
import { runStep, type Step } from './step.ts';

const schema = JSON.parse(await readFile(new URL('../../docs/report.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv2020({ allErrors: true }).compile(schema);

const REPORTS = {
  mode: 'inspect',
  'report-path': 'report.json',
  'junit-path': 'junit.xml',
  'summary-path': 'summary.md',
  'log-level': 'debug',
};
/** What is in the real snapshot and must get out nowhere: its token, and the values of its keys. */
const SECRETS = ['00000000-0000-0000-0000-00000000feed', 'straße', 'STRAße'];
/** Their bytes and digests would give short ones away, too. */
const FORMS = SECRETS.flatMap((secret) => [
  secret,
  ...(['hex', 'base64'] as const).map((form) => Buffer.from(secret).toString(form)),
]);

async function files(): Promise<{ here: string; other: string }> {
  const place = await folder();
  const [here, other] = [join(place, 'here.snap'), join(place, 'other.snap')];
  await writeFile(here, SNAPSHOT);
  await writeFile(other, altered('straße', 'STRAße'));
  return { here, other };
}

/** All that the step has printed and written; the report is as its schema says. */
async function written({ log, summary, outputs, workspace }: Step): Promise<string> {
  const [report = '', ...texts] = await Promise.all(
    ['report.json', 'junit.xml', 'summary.md'].map((name) => readFile(join(workspace, name), 'utf8')),
  );
  expect(validate(JSON.parse(report)), JSON.stringify(validate.errors)).toBe(true);
  return [log, summary, JSON.stringify(outputs), report, ...texts].join('\n');
}

function expectNoSecret(text: string): void {
  for (const form of FORMS) expect(text).not.toContain(form);
}

test('a file is inspected without a cluster', async () => {
  const { here } = await files();
  const step = await runStep({ ...REPORTS, restore: here }, { KUBECONFIG: '/nonexistent' });
  expect(step.code, step.log).toBe(0);
  expect(step.outputs).toMatchObject({
    result: 'success',
    changed: 'false',
    snapshot: here,
    'snapshot-index': '18',
    differences: '',
  });
  expect(step.summary).toContain('Snapshot of 3 keys and 2 services, read to its end in');
  expect(step.summary).toContain('| `app/` | 3 | 11 bytes |');
  expect(step.summary).toContain('with servers of Consul 1.22.7');
  expectNoSecret(await written(step));
});

test('two files are compared without a cluster, and no value of them gets out', async () => {
  const { here, other } = await files();
  const step = await runStep({ ...REPORTS, restore: here, compare: other }, { KUBECONFIG: '/nonexistent' });
  expect(step.code, step.log).toBe(0);
  expect(step.outputs.differences).toBe('1');
  const text = await written(step);
  expect(text).toContain('app/ümlaut');
  expectNoSecret(text);
});

/** A cluster with one server, which holds this. */
async function clusterWith(bytes: Buffer, denied: string[] = []) {
  const consul: FakeConsul = await fakeConsul(({ path }) =>
    path === '/v1/snapshot' ? { bytes } : { body: [], headers: { 'x-consul-index': '18' } },
  );
  const pod = {
    metadata: { name: 'consul-server-0', uid: 'a', labels: { 'consul-role': 'server' } },
    status: { phase: 'Running' },
  };
  const api = await startApi({ denied }, (call, response) => {
    if (!call.path.endsWith('/pods')) return false;
    json(response, 200, page(call, [pod]));
    return true;
  });
  forwardTo(api, consul.dial);
  const inputs = {
    ...REPORTS,
    kubeconfig: Buffer.from(kubeconfig(api.url, { token: 'a-token-of-a-user' })).toString('base64'),
  };
  return { api, consul, inputs };
}

test('the cluster is compared: it is only read, no file is left, and no value gets out', async () => {
  const { here } = await files();
  const { api, consul, inputs } = await clusterWith(altered('straße', 'STRAße'));
  const step = await runStep({ ...inputs, restore: here, compare: 'cluster', 'snapshot-plain': 'true' });
  expect(step.code, step.log).toBe(0);
  expect(step.outputs).toMatchObject({ changed: 'false', differences: '1', snapshot: here });
  expect(step.summary).toContain('1 difference from the cluster');
  expectNoSecret(await written(step));

  expect(new Set(consul.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
  const asked = api.calls.filter(({ path }) => path.endsWith('/selfsubjectaccessreviews'));
  // What docs/rbac-snapshot.yaml gives.
  expect(asked.map(({ body }) => JSON.parse(body).spec.resourceAttributes)).toEqual([
    expect.objectContaining({ verb: 'list', resource: 'pods', namespace: 'consul' }),
    expect.objectContaining({ verb: 'get', resource: 'pods', subresource: 'portforward' }),
    expect.objectContaining({ verb: 'create', resource: 'pods', subresource: 'portforward' }),
  ]);
  const others = api.calls.filter((call) => !asked.includes(call));
  expect(new Set(others.map(({ method }) => method))).toEqual(new Set(['GET']));
  const left = ['junit.xml', 'output', 'report.json', 'state', 'summary', 'summary.md'];
  expect((await readdir(step.workspace)).sort()).toEqual(left);
});

test('a cluster that refuses: what is in the file is told all the same', async () => {
  const { here } = await files();
  const { inputs, consul } = await clusterWith(SNAPSHOT, ['list pods']);
  const step = await runStep({ ...inputs, restore: here, compare: 'cluster' });
  expect(step.code, step.log).toBe(1);
  expect(step.outputs).toMatchObject({
    'failure-reason': 'forbidden',
    'snapshot-index': '18',
    differences: '',
  });
  expect(step.summary).toContain('The snapshot is not compared');
  expect(step.summary).toContain('| `app/` | 3 |');
  expect(consul.requests).toEqual([]);
  await written(step);
});

test('a file that is damaged is told before a cluster is asked for anything', async () => {
  const { here } = await files();
  await writeFile(here, SNAPSHOT.subarray(0, -30));
  const { inputs, api } = await clusterWith(SNAPSHOT);
  const step = await runStep({ ...inputs, restore: here, compare: 'cluster' });
  expect(step.code, step.log).toBe(1);
  expect(step.outputs).toMatchObject({ 'failure-reason': 'snapshot', snapshot: '' });
  expect(step.summary).toContain('The snapshot is not inspected: the snapshot is damaged');
  expect(api.calls).toEqual([]);
  await written(step);
});
