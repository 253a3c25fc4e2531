import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { Log } from '../../src/report/log.ts';
import { publish } from '../../src/report/publish.ts';
import type { PhaseStep, Result } from '../../src/report/result.ts';
import { Secrets } from '../../src/report/secret.ts';
import { maskInputs } from '../../src/runner.ts';
import { given } from '../config/given.ts';
import { json, kubeconfig, startServer, status } from '../kubernetes/fake-server.ts';
import { runStep, type Step } from '../modes/step.ts';
import { startApi } from '../session/fixture.ts';
import { failure } from './example.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
/** Recognisable, and with characters that base64, URLs and JSON write in another way. */
const canary = (place: string) => `${place}/canary?+"${base64(place)}`;
const pem = (place: string) =>
  `-----BEGIN PRIVATE KEY-----\n${base64(place.repeat(8))}\n${base64(`${place}2`.repeat(6))}\n-----END PRIVATE KEY-----\n`;
const hcl = (text: string) => JSON.stringify(text);

const user = {
  token: canary('kubeconfig-token'),
  password: canary('kubeconfig-password'),
  username: 'deployer',
  'client-key-data': base64(pem('client-key')),
};
const inputs = {
  kubeconfig: base64(
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1' } }],
      users: [{ name: 'u', user }],
    }),
  ),
  'server-config': JSON.stringify({
    encrypt: canary('encrypt'),
    license: canary('license'),
    acl: {
      tokens: {
        initial_management: canary('management'),
        agent: canary('agent'),
        default: canary('default'),
        replication: canary('replication'),
        dns: canary('dns'),
        managed_service_provider: [{ accessor_id: 'a', secret_id: canary('secret-id') }],
      },
    },
    connect: { ca_config: { private_key: pem('ca-key') } },
    service: {
      name: 'web',
      check: {
        header: { Authorization: [`Bearer ${canary('bearer')}`] },
        http: 'http://user:url-canary@host/',
      },
    },
  }),
  'client-config': [
    `encrypt = ${hcl(canary('hcl-encrypt'))}`,
    `acl { tokens { agent = ${hcl(canary('hcl-agent'))} } }`,
    `ca_config { secret = ${hcl(canary('hcl-secret'))} key = <<EOF\n${pem('hcl-key')}EOF\n}`,
  ].join('\n'),
  patches: JSON.stringify([
    {
      target: { kind: 'ConfigMap', name: 'consul-server' },
      merge: { data: { 'x.json': JSON.stringify({ encrypt: canary('patch-encrypt') }) } },
    },
    {
      target: { kind: 'StatefulSet', name: 'consul-server' },
      operations: [{ op: 'add', path: '/spec/password', value: canary('patch-password') }],
    },
    {
      target: { kind: 'StatefulSet', name: 'consul-server' },
      merge: {
        env: ['CONSUL_HTTP_AUTH', 'DB_PASS', 'GOOGLE_CREDENTIALS', 'GPG_KEY'].map((name) => ({
          name,
          value: canary(name),
        })),
      },
    },
  ]),
};

const PLACES: Record<string, string> = {
  'kubeconfig, whole': inputs.kubeconfig,
  'kubeconfig, token': user.token,
  'kubeconfig, password': user.password,
  'kubeconfig, client key': user['client-key-data'],
  'kubeconfig, client key decoded': pem('client-key'),
  'token of a plugin': canary('plugin-token'),
  'password in a URL': 'url-canary',
  'server-config, private key': pem('ca-key'),
  'client-config, private key': pem('hcl-key'),
  ...Object.fromEntries(
    [
      ...['encrypt', 'license', 'management', 'agent', 'default', 'replication', 'dns', 'secret-id'],
      ...['bearer', 'CONSUL_HTTP_AUTH', 'DB_PASS', 'GOOGLE_CREDENTIALS', 'GPG_KEY'],
      ...['hcl-encrypt', 'hcl-agent', 'hcl-secret', 'patch-encrypt', 'patch-password'],
    ].map((place) => [place, canary(place)]),
  ),
};

/** Each way a secret may be written, a key by its lines too. */
function forms(secret: string): string[] {
  const lines = secret.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  return [...new Set([secret.trim(), ...lines])].flatMap((text) => [
    text,
    base64(text),
    Buffer.from(text).toString('base64url'),
    encodeURIComponent(text),
    JSON.stringify(text).slice(1, -1),
    text.replace(/\s+/g, ' '),
  ]);
}

/** As main does it. */
function known(): Secrets {
  const secrets = new Secrets();
  const env = given(inputs);
  maskInputs(parseConfig(env), env, (secret) => secrets.add(secret));
  secrets.add(canary('plugin-token'));
  return secrets;
}

const CLOSED = new Set([
  'mode',
  'result',
  'reason',
  'id',
  'group',
  'status',
  'action',
  'consequence',
  'class',
  'remedy',
  'outcome',
  'state',
  'raft',
]);
const NAMED = { kind: '', name: '', namespace: '' };
const SOME = { total: 1, names: [''] };
const NAMES = { onlyHere: SOME, onlyThere: SOME, changed: SOME };
const FIELD = { path: '', before: '', after: '' };

/** A Result that has this text wherever a text can stand. */
function filled(text: string): Result {
  const full = {
    ...failure(),
    leader: '',
    manifestsPath: '',
    voters: 3,
    planDigest: '',
    plannedSnapshot: '',
    snapshot: {
      path: '',
      bytes: 1,
      sha256: '',
      index: 1,
      encrypted: true,
      stale: false,
      takenAt: '',
      versions: [''],
      counts: { keys: 1 },
      prefixes: [{ prefix: '', keys: 1, bytes: 1 }],
      services: [{ service: '', instances: 1, nodes: 1 }],
    },
    difference: {
      ...{ with: '', index: 1, takenAt: '', total: 1, keys: NAMES, nodes: NAMES, services: NAMES },
      counts: [{ kind: '', here: 1, there: 2 }],
    },
    plan: [{ ...NAMED, consequence: 'rolls-pods' as const, fields: [FIELD], pods: [''], notes: [''] }],
    ghosts: [
      {
        ...{ class: 'unheld' as const, remedy: 'catalog' as const, outcome: 'found' as const, counts: true },
        ...{ nodes: [''], service: '', evidence: '', why: '' },
      },
    ],
    drift: [{ ...NAMED, what: 'changed' as const, fields: [FIELD], by: '', at: '' }],
  };
  const fill = (value: unknown, key = ''): unknown => {
    if (typeof value === 'string') return CLOSED.has(key) ? value : `it says ${text} here`;
    if (Array.isArray(value)) return value.map((entry) => fill(entry));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, fill(entry, name)]));
  };
  // Names of phases are words of this project; those of their steps are not.
  const waits = [{ what: '', ms: 1 }];
  const steps = fill([{ name: '', startMs: 0, endMs: 1, status: 'passed', waits }]) as PhaseStep[];
  const phases = full.phases.map((phase) => (phase.name === 'apply' ? { ...phase, steps } : phase));
  return { ...(fill(full) as Result), phases };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consul-deploy-reports-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Everything that a run with this text in all its words prints and writes, by where it goes. */
async function outputs(text: string, secrets: Secrets): Promise<Record<string, string>> {
  const written: Record<string, string> = {};
  for (const style of ['plain', 'actions'] as const) {
    const lines: string[] = [];
    vi.useFakeTimers();
    const log = new Log({ style, level: 'debug', secrets, write: (line) => lines.push(line) });
    log.startHeartbeat();
    log.group(`group ${text}`);
    written['status line of a phase'] = log.status();
    log.info(`info ${text}`);
    log.debug(`debug\n${text}`);
    log.progress(`progress ${text}`);
    written['status line of a wait'] = log.status();
    vi.advanceTimersByTime(16_000);
    log.warning(`warning ${text}`);
    log.annotation({ title: `title ${text}`, message: `message ${text}` });
    log.closing([`closing ${text}`]);
    vi.useRealTimers();
    written[`log, ${style}`] = lines.splice(0).join('\n');
    const config = {
      summary: true,
      reportPath: join(folder, 'report.json'),
      junitPath: join(folder, 'junit.xml'),
      summaryPath: join(folder, 'summary.md'),
      reportHtml: join(folder, 'report.html'),
    };
    const sinks = {
      setOutput: async (name: string, value: string) => {
        written[`output ${name}`] = value;
      },
      writeSummary: async (markdown: string) => {
        written.summary = markdown;
      },
    };
    await publish(filled(text), { log, config, sinks });
    written[`closing report and annotation, ${style}`] = lines.join('\n');
    written['JSON report'] = await readFile(config.reportPath, 'utf8');
    written['JUnit report'] = await readFile(config.junitPath, 'utf8');
    written['HTML report'] = await readFile(config.reportHtml, 'utf8');
    written['summary file'] = await readFile(config.summaryPath, 'utf8');
  }
  return written;
}

/** Where any eight characters of this text stand. */
function traces(text: string, written: Record<string, string>): string[] {
  const pieces = Array.from({ length: Math.max(1, text.length - 7) }, (_, at) => text.slice(at, at + 8));
  return Object.entries(written)
    .filter(([, content]) => pieces.some((piece) => content.includes(piece)))
    .map(([name]) => name);
}

describe('a secret gets out nowhere', () => {
  test.each(Object.entries(PLACES))('%s', async (_, secret) => {
    const secrets = known();
    for (const form of forms(secret)) expect(traces(form, await outputs(form, secrets)), form).toEqual([]);
  });

  test('and without redaction would get out everywhere, so this test looks where it has to', async () => {
    const written = await outputs('canary-and-nothing-else', new Secrets());
    const closed =
      /^output (result|failure-reason|changed|voters|clients-\w+|snapshot-index|differences|duration-ms|report)$/;
    expect(Object.keys(written).length).toBeGreaterThan(15);
    expect(traces('canary-and-nothing-else', written)).toEqual(
      Object.keys(written).filter((name) => !closed.test(name)),
    );
  });

  test('also not where something that no report shows stands within it', async () => {
    const secrets = new Secrets();
    secrets.add('hunter-of-the-canary');
    const written = await outputs('hunter\u200b-of-\u001b[1mthe\u001b[0m-can\u0000ary', secrets);
    expect(traces('hunter-of-the-canary', written)).toEqual([]);
  });

  test('and not when it is itself something that reports show in another way', async () => {
    const secret = 'hunter\t\t-of-\u200b-the-\u001b[1mmagpies';
    const secrets = new Secrets();
    secrets.add(secret);
    for (const [name, text] of Object.entries(await outputs(secret, secrets))) {
      expect(text, name).not.toMatch(/hunter|magpie/);
    }
  });

  test('and the rest of the text stays', async () => {
    const written = await outputs(canary('encrypt'), known());
    for (const name of [
      'summary',
      'JSON report',
      'JUnit report',
      'HTML report',
      'closing report and annotation, plain',
    ]) {
      expect(written[name], name).toContain('it says');
      expect(written[name], name).toMatch(/says (\*\*\*|(&#42;){3}) here/);
    }
  });
});

test('a secret that is a word of ours leaves the verdict and its words alone', async () => {
  const secrets = new Secrets();
  for (const word of ['failure', 'timeout', 'deploy', 'failed', 'servers', 'connect']) secrets.add(word);
  const written = await outputs('harmless', secrets);
  expect([written['output result'], written['output failure-reason']]).toEqual(['failure', 'timeout']);
  expect(JSON.parse(written['JSON report'] ?? '')).toMatchObject({
    mode: 'deploy',
    result: 'failure',
    failure: { reason: 'timeout' },
    checks: failure().checks.map(({ id, group, status: state }) => ({ id, group, status: state })),
    phases: failure().phases,
  });
});

test('in a process outside a runner: what an API server repeats of our secrets is not passed on', async () => {
  const token = canary('real-token');
  const gossip = canary('real-gossip');
  const said = [token, gossip].flatMap(forms).join(' ');
  const { url } = await startServer((_, response) =>
    status(response, 403, { reason: 'Forbidden', message: `you sent ${said} and that is not enough` }),
  );
  const step = await runStep(
    {
      kubeconfig: base64(kubeconfig(url, { token })),
      'server-config': JSON.stringify({ encrypt: gossip }),
      'report-path': 'report.json',
      'junit-path': 'junit.xml',
      'report-html': 'report.html',
      'log-level': 'debug',
    },
    { GITHUB_ACTIONS: '' },
  );
  const written = await writtenBy(step);
  expect(step.code, step.log).toBe(1);
  for (const name of ['log', 'summary', 'report', 'junit', 'page'] as const) {
    expect(written[name], name).toMatch(/you sent (\*|&#42;)/);
  }
  for (const form of [token, gossip].flatMap(forms)) expect(traces(form, written), form).toEqual([]);
});

/** All that a step has printed and written. */
async function writtenBy(
  step: Step,
): Promise<Record<'log' | 'summary' | 'outputs' | 'report' | 'junit' | 'page', string>> {
  return {
    // What the runner is told to mask, it does not print.
    log: step.log.replaceAll(/^::add-mask::.*$/gm, ''),
    summary: step.summary,
    outputs: JSON.stringify(step.outputs),
    report: await readFile(join(step.workspace, 'report.json'), 'utf8'),
    junit: await readFile(join(step.workspace, 'junit.xml'), 'utf8'),
    page: await readFile(join(step.workspace, 'report.html'), 'utf8'),
  };
}

const REPORTS = {
  'report-path': 'report.json',
  'junit-path': 'junit.xml',
  'report-html': 'report.html',
  'log-level': 'debug',
};

test('a key in the cluster that nobody gave to the run: a conflict over it shows nothing of it', async () => {
  const key = base64('live-gossip-key-of-32-bytes-here');
  const path = '/api/v1/namespaces/consul/configmaps/consul-server-config';
  const field = '.data.extra.hcl';
  const api = await startApi({}, (call, response) => {
    if (call.path !== path) return false;
    const metadata = {
      name: 'consul-server-config',
      namespace: 'consul',
      managedFields: [{ manager: 'consul-deploy', operation: 'Apply' }],
    };
    const live = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'extra.hcl': `encrypt="${key}"` } };
    const cause = { reason: 'FieldManagerConflict', field, message: 'conflict with "vim" using v1' };
    if (call.method === 'GET') json(response, 200, live);
    else
      status(response, 409, { reason: 'Conflict', message: `it holds ${key}`, details: { causes: [cause] } });
    return true;
  });
  const step = await runStep({
    ...REPORTS,
    mode: 'plan',
    kubeconfig: base64(kubeconfig(api.url, { token: 'a-token-1' })),
    patches:
      'target: {kind: ConfigMap, name: consul-server-config}\nmerge: {data: {extra.hcl: log_level="debug"}}',
  });
  const written = await writtenBy(step);
  expect(step.outputs['failure-reason'], step.log).toBe('conflict');
  for (const name of ['log', 'summary', 'report', 'junit', 'page'] as const)
    expect(written[name], name).toContain(field);
  expect(traces(key, written)).toEqual([]);
  expect(step.log).toContain(`::add-mask::${key}\n`);
});

test('user and password in the URL of the server get out nowhere', async () => {
  const { url } = await startServer((_, response) =>
    status(response, 403, { reason: 'Forbidden', message: 'no' }),
  );
  const server = url.replace('://', '://admin:url-password-1@');
  const step = await runStep({ ...REPORTS, kubeconfig: base64(kubeconfig(server, { token: 'a-token-1' })) });
  const written = await writtenBy(step);
  expect(step.outputs['failure-reason'], step.log).toBe('forbidden');
  expect(written.report).toContain(url);
  expect(traces('url-password-1', written)).toEqual([]);
});
