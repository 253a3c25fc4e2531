import { readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { publish } from '../../src/report/publish.ts';
import { keepAndCompare, proveContent, restoreSnapshot } from '../../src/steps/snapshot/restore.ts';
import { readToRestore } from '../../src/steps/snapshot/to-restore.ts';
import { checkTokens } from '../../src/steps/snapshot/tokens.ts';
import { clientOf, fakeConsul } from '../consul/fake-consul.ts';
import { appended, keyRecord, packed, SNAPSHOT, summed } from '../consul/snapshot/fixture.ts';
import { folder, json, kubeconfig, page } from '../kubernetes/fake-server.ts';
import { runStep, type Step } from '../modes/step.ts';
import { forwardTo } from '../session/fake-port-forward.ts';
import { startApi, startRun } from '../session/fixture.ts';

/** The token of the real snapshot, and one that is added to it. */
const MANAGEMENT = '00000000-0000-0000-0000-00000000feed';
const SECRET = 'ae2b9ca6-5630-2b95-d18e-7609c258fa78';
const TOKEN = [
  17,
  { AccessorID: 'an-accessor', SecretID: SECRET, Description: 'of the servers', Policies: [{ ID: 'id-kv' }] },
] as const;
const POLICY = [19, { ID: 'id-kv', Name: 'kv', Rules: 'key_prefix "" { policy = "write" }' }] as const;
const WITH_TOKEN = () => appended([TOKEN, POLICY]);

const FORMS = [MANAGEMENT, SECRET].flatMap((secret) => [
  secret,
  secret.replaceAll('-', ''),
  ...(['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(secret).toString(form)),
]);

const REPORTS = {
  'report-path': 'report.json',
  'junit-path': 'junit.xml',
  'summary-path': 'summary.md',
  'report-html': 'report.html',
  'log-level': 'debug',
};

/** All that a step has printed and written, by where it went. */
async function written({ log, summary, outputs, state, workspace }: Step): Promise<Record<string, string>> {
  const files = ['report.json', 'junit.xml', 'summary.md', 'report.html'];
  const read = await Promise.all(
    files.map(async (name) => [name, await readFile(join(workspace, name), 'utf8')]),
  );
  return {
    log,
    summary,
    outputs: JSON.stringify(outputs),
    state: JSON.stringify(state),
    ...Object.fromEntries(read),
  };
}

function expectNoToken(texts: Record<string, string>): void {
  for (const [name, text] of Object.entries(texts)) {
    expect(text.length, name).toBeGreaterThan(1);
    for (const form of FORMS) expect(text, name).not.toContain(form);
  }
}

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(await folder(), 'consul.snap');
  await writeFile(path, bytes);
  return path;
}

/** A cluster with one server, which holds this. */
async function clusterWith(bytes: Buffer) {
  const consul = await fakeConsul(({ path }) =>
    path === '/v1/snapshot' ? { bytes } : { body: [], headers: { 'x-consul-index': '18' } },
  );
  const pod = {
    metadata: { name: 'consul-server-0', uid: 'a', labels: { 'consul-role': 'server' } },
    status: { phase: 'Running' },
  };
  const api = await startApi({}, (call, response) => {
    if (!call.path.endsWith('/pods')) return false;
    json(response, 200, page(call, [pod]));
    return true;
  });
  forwardTo(api, consul.dial);
  return {
    ...REPORTS,
    kubeconfig: Buffer.from(kubeconfig(api.url, { token: 'a-token-of-a-user' })).toString('base64'),
  };
}

test('no token gets out where a snapshot is taken', async () => {
  const inputs = await clusterWith(WITH_TOKEN());
  const step = await runStep({ ...inputs, mode: 'snapshot', 'snapshot-plain': 'true' });
  expect(step.code, step.log).toBe(0);
  expect(step.summary).toContain('Snapshot of 3 keys');
  expectNoToken(await written(step));
});

test('no token gets out where a snapshot is taken that is damaged', async () => {
  const inputs = await clusterWith(WITH_TOKEN().subarray(0, -30));
  const step = await runStep({ ...inputs, mode: 'snapshot', 'snapshot-plain': 'true' });
  expect(step.outputs['failure-reason'], step.log).toBe('snapshot');
  expectNoToken(await written(step));
});

test('no token gets out where a file is inspected and compared', async () => {
  const inputs = await clusterWith(WITH_TOKEN());
  const restore = await fileOf(SNAPSHOT);
  const step = await runStep({ ...inputs, mode: 'inspect', restore, compare: 'cluster' });
  expect(step.code, step.log).toBe(0);
  expect(step.outputs.differences).toBe('2');
  expectNoToken(await written(step));
});

test('and a key of that name gets out there, so these tests look where they have to', async () => {
  const inputs = await clusterWith(appended([keyRecord(SECRET)]));
  const restore = await fileOf(appended([keyRecord(MANAGEMENT)]));
  const step = await runStep({ ...inputs, mode: 'inspect', restore, compare: 'cluster' });
  expect(step.code, step.log).toBe(0);
  const texts = await written(step);
  // JUnit has nothing of what a green check has seen.
  for (const name of ['log', 'summary', 'report.json', 'summary.md', 'report.html']) {
    expect(texts[name], name).toContain(MANAGEMENT);
    expect(texts[name], name).toContain(SECRET);
  }
});

test.each<[string, () => Buffer]>([
  ['cut off', () => WITH_TOKEN().subarray(0, -30)],
  ['of other sums', () => packed((at) => writeFileSync(join(at, 'SHA256SUMS'), `${SECRET}  state.bin\n`))],
  ['without JSON', () => packed((at) => meta(at, `{"ID": ${MANAGEMENT}`))],
  ['that ends within a token', () => packed((at) => cut(at, MANAGEMENT))],
  ['whose token is a record of another type', () => packed((at) => wrong(at))],
])('no token gets out of a file %s', async (_, bytes) => {
  const restore = await fileOf(bytes());
  const step = await runStep({ ...REPORTS, mode: 'inspect', restore });
  expect(step.outputs['failure-reason'], step.log).toBe('snapshot');
  expectNoToken(await written(step));
});

test.each<[string, string, string | undefined]>([
  ['is refused, since it has no such token', SECRET, 'acl-denied'],
  ['goes through', MANAGEMENT, undefined],
])('no token gets out where a restore %s', async (_, lent, reason) => {
  const path = await fileOf(SNAPSHOT);
  const workspace = await folder();
  const files = Object.fromEntries(
    ['report.json', 'junit.xml', 'summary.md', 'report.html'].map((name) => [name, join(workspace, name)]),
  );
  let held = WITH_TOKEN();
  const fake = await fakeConsul(({ method, path }) => {
    if (path === '/v1/acl/token/self') return { body: { AccessorID: 'an-accessor', SecretID: lent } };
    if (path !== '/v1/snapshot') return { body: [], headers: { 'x-consul-index': '5' } };
    if (method === 'PUT') held = SNAPSHOT;
    return method === 'PUT' ? {} : { bytes: held };
  });
  const { run, lines } = startRun({
    mode: 'restore',
    restorePath: path,
    snapshotPath: join(workspace, 'kept.snap'),
    snapshotPlain: true,
    reportPath: files['report.json'],
    junitPath: files['junit.xml'],
    summaryPath: files['summary.md'],
    reportHtml: files['report.html'],
  });
  const client = clientOf(fake);
  const servers = async () => [client];
  const error: unknown = await (async () => {
    const file = await readToRestore(run, path);
    const now = await keepAndCompare(run, servers, file);
    await checkTokens(run, servers, { now, restored: file.tokens });
    await restoreSnapshot(run, servers, file);
    await proveContent(run, servers, file);
  })().catch((thrown) => thrown);
  expect(error instanceof Failure ? error.reason : error).toBe(reason);

  const texts: Record<string, string> = {};
  const sinks = {
    setOutput: async (name: string, value: string) => {
      texts.outputs = `${texts.outputs ?? ''}${name}=${value}\n`;
    },
    writeSummary: async (markdown: string) => {
      texts.summary = markdown;
    },
  };
  const result = run.result(error instanceof Failure ? error : undefined);
  await publish(result, { log: run.log, config: run.config, sinks });
  for (const [name, at] of Object.entries(files)) texts[name] = await readFile(at, 'utf8');
  expectNoToken({ ...texts, log: lines.join('\n') });
});

function meta(at: string, text: string): void {
  writeFileSync(join(at, 'meta.json'), text);
  summed(at);
}

/** In the middle of this text. */
function cut(at: string, text: string): void {
  const state = readFileSync(join(at, 'state.bin'));
  writeFileSync(join(at, 'state.bin'), state.subarray(0, state.indexOf(text) + text.length / 2));
  summed(at);
}

/** The state begins with its header, then the tokens where keys should be. */
function wrong(at: string): void {
  const state = readFileSync(join(at, 'state.bin'));
  const header = Buffer.from([0x81, 0xa9, ...Buffer.from('LastIndex'), 0x12]);
  const token = Buffer.from([0xd9, MANAGEMENT.length, ...Buffer.from(MANAGEMENT)]);
  writeFileSync(join(at, 'state.bin'), Buffer.concat([header, Buffer.from([2]), token, state]));
  summed(at);
}
