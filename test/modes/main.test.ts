import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/manifests/yaml.ts';
import { kubeconfig, startServer } from '../kubernetes/fake-server.ts';
import { runStep, type Step } from './step.ts';

const schema = JSON.parse(readFileSync(new URL('../../docs/report.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv2020({ allErrors: true }).compile(schema);

async function report({ workspace }: Step): Promise<Record<string, unknown>> {
  const read = JSON.parse(await readFile(join(workspace, 'report.json'), 'utf8')) as Record<string, unknown>;
  expect(validate(read) ? [] : validate.errors).toEqual([]);
  return read;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a run that goes well', () => {
  test('exits with 0 and leaves outputs, summary, report and manifests', async () => {
    const step = await runStep({ mode: 'render', 'report-path': 'report.json' });
    expect(step.code, step.log).toBe(0);
    expect(step.outputs).toMatchObject({
      result: 'success',
      'failure-reason': '',
      changed: 'false',
      'manifest-digest': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      report: join(step.workspace, 'report.json'),
    });
    expect(await report(step)).toMatchObject({ mode: 'render', result: 'success' });
    expect(step.summary).not.toBe('');
    const yaml = await readFile(join(step.workspace, 'consul-manifests.yaml'), 'utf8');
    expect(parseManifests(yaml, 'file').length).toBeGreaterThan(10);
    expect(step.state).toEqual({ STATE_main: 'finished' });
    expect(step.log).not.toContain('::error');
  });
});

describe('wrong inputs', () => {
  test('fail before anything else, all named, and the report goes where it should', async () => {
    const step = await runStep({ servers: '2', timeut: '5m', 'report-path': 'report.json' });
    expect(step.code).toBe(1);
    expect(step.outputs).toMatchObject({
      result: 'failure',
      'failure-reason': 'invalid-input',
      changed: 'false',
    });
    expect(step.summary).toContain('servers');
    const { failure } = (await report(step)) as { failure: { reason: string; details: string[] } };
    expect(failure.reason).toBe('invalid-input');
    expect(failure.details.map((line) => line.split(':')[0])).toEqual(['servers', '"timeut"']);
    expect(step.log.match(/^::error /gm)).toHaveLength(1);
    expect(step.state).toEqual({ STATE_main: 'finished' });
  });

  test.each([
    ['destroy', 'Consul is not removed: an input is wrong'],
    ['plan', 'There is no plan: 2 mistakes in the inputs'],
    ['verify', 'Consul is not proven: an input is wrong'],
    ['verfy', 'Consul is not proven: an input is wrong'],
  ])('are those of the mode that was meant: %s', async (mode, headline) => {
    const wrong: Record<string, string> = {
      ...(mode === 'plan' && { servers: '2', timeout: '5' }),
      ...(mode === 'verify' && { servers: '2' }),
    };
    const step = await runStep({ mode, 'report-path': 'report.json', ...wrong });
    expect(step.summary).toContain(headline);
    expect(await report(step)).toMatchObject({ mode: mode === 'verfy' ? 'deploy' : mode, changed: false });
  });

  test('of the report itself still leave outputs and summary', async () => {
    const step = await runStep({ 'report-path': '/etc/report.json', summary: 'maybe' });
    expect(step.code).toBe(1);
    expect(step.outputs).toMatchObject({ 'failure-reason': 'invalid-input', report: '' });
    expect(step.summary).toContain('report-path');
  });

  test('outside a runner exit with 1, too, and print no commands', async () => {
    const step = await runStep(
      { servers: '2' },
      { GITHUB_ACTIONS: '', GITHUB_OUTPUT: '', GITHUB_STATE: '', GITHUB_STEP_SUMMARY: '' },
    );
    expect(step.code).toBe(1);
    expect(step.log).toContain('servers: given "2"; allowed: 1, 3 or 5');
    expect(step.log).not.toContain('::');
    expect([step.outputs, step.state, step.summary]).toEqual([{}, {}, '']);
  });
});

test('a failure names the section on its reason, where the action came from and at its version', async () => {
  const env = {
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_ACTION_REPOSITORY: 'acme/deploy-consul',
    GITHUB_ACTION_REF: 'v7.8.9',
  };
  const step = await runStep({ servers: '2', 'report-path': 'report.json', 'junit-path': 'junit.xml' }, env);
  const help = 'https://github.com/acme/deploy-consul/blob/v7.8.9/docs/troubleshooting.md#invalid-input';
  expect(step.summary).toContain(`[invalid-input](${help})`);
  expect(await report(step)).toMatchObject({ failure: { help } });
  expect(await readFile(join(step.workspace, 'junit.xml'), 'utf8')).toContain(`Help: ${help}`);
  // In the annotation and in the closing lines.
  expect(step.log.split(help)).toHaveLength(3);
});

describe('a cluster', () => {
  test('that refuses is a failure of the run', async () => {
    const { url } = await startServer((_, response) => response.writeHead(401).end());
    const config = base64(kubeconfig(url, { token: 'hunter2' }));
    const step = await runStep({ kubeconfig: config, 'report-path': 'report.json' });
    expect(step.code, step.log).toBe(1);
    expect(step.outputs).toMatchObject({
      result: 'failure',
      'failure-reason': 'unauthorized',
      changed: 'false',
    });
    expect(await report(step)).toMatchObject({
      left: 'Nothing was changed.',
      phases: [
        { name: 'render', status: 'passed' },
        { name: 'connect', status: 'failed' },
      ],
    });
  });

  test("gets the kubeconfig's secrets masked before they are used, and nothing prints them", async () => {
    const masked: boolean[] = [];
    let log = '';
    const { url } = await startServer((_, response) => {
      masked.push(log.includes('::add-mask::hunter2\n'));
      response.writeHead(401).end();
    });
    const config = base64(kubeconfig(url, { token: 'hunter2' }));
    const step = await runStep({ kubeconfig: config, 'log-level': 'debug' }, {}, (text) => {
      log = text;
    });
    expect(masked.length).toBeGreaterThan(0);
    expect(step.log).toContain(`::add-mask::${config}\n`);
    expect(step.log).toContain('::add-mask::hunter2\n');
    const rest = step.log.replaceAll(/^::add-mask::.*$/gm, '');
    expect(rest + step.summary + JSON.stringify(step.outputs)).not.toMatch(/hunter2/);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'that does not answer: %s ends the run, with its report',
    async (signal) => {
      const { url } = await startServer(() => undefined);
      const inputs = { kubeconfig: base64(kubeconfig(url)), 'report-path': 'report.json' };
      const step = await runStep(inputs, {}, (log, kill) => {
        if (log.includes('Connect and check')) kill(signal);
      });
      expect(step.code, step.log).toBe(1);
      expect(step.outputs).toMatchObject({ result: 'cancelled', 'failure-reason': 'cancelled' });
      expect(await report(step)).toMatchObject({
        result: 'cancelled',
        failure: { what: `the run was cancelled (${signal})` },
      });
      expect(step.state).toEqual({ STATE_main: 'finished' });
    },
  );

  test('that does not answer: the deadline ends the run', async () => {
    const { url } = await startServer(() => undefined);
    const step = await runStep({ kubeconfig: base64(kubeconfig(url)), timeout: '1s', 'stable-for': '0s' });
    expect(step.code, step.log).toBe(1);
    expect(step.outputs).toMatchObject({ result: 'failure', 'failure-reason': 'timeout' });
  });
});
