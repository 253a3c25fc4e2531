import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { consul, keys } from '../consul/consul.ts';
import {
  containers,
  isReady,
  kubectl,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { Act, type Acted, example, type Job, PASSPHRASE, REPOSITORY } from './act.ts';

const SHORT = { 'stable-for': '2s', 'server-storage': 'ephemeral' };
const { outputs: DECLARED } = parse(readFileSync('action.yml', 'utf8')) as { outputs: object };

describe('deploy-on-push.yml, run by act', () => {
  const namespace = namespaceName('workflow');
  let act: Act;
  let acted: Acted;

  beforeAll(async () => {
    act = await Act.start('production');
  });
  afterAll(async () => {
    act.close();
    await removeNamespace(namespace);
  });

  /** Takes what the action says. */
  function witness(_: string, job: Job): void {
    const told = Object.keys(DECLARED).map((name) => `${name}=\${{ steps.consul.outputs.${name} }}`);
    for (const step of job.steps) if (step.uses === './') step.id = 'consul';
    job.steps.push({
      name: 'A later step',
      run: [
        'cat >"$WITNESS/outputs" <<\'OUTPUTS\'',
        ...told,
        'OUTPUTS',
        `cp "$(sed -n 's/^report=//p' "$WITNESS/outputs")" "$WITNESS/report.json"`,
      ].join('\n'),
    });
  }

  it('is green, and nothing but the cluster was asked for anything', async () => {
    const inputs = { deploy: { ...SHORT, namespace, 'client-replicas': '2' } };
    acted = await act.run('deploy-on-push.yml', example('deploy-on-push.yml', inputs, witness), 'push');
    expect(acted.ok, acted.log).toBe(true);
    expect(acted.log).toContain('Job succeeded');
    expect(act.asked).toEqual([]);
    expect(act.fetched()).toEqual([]);
    expect((await pods(namespace)).filter(isReady)).toHaveLength(5);
  });

  it('hands the outputs to a later step', () => {
    const lines = act.read('outputs').trimEnd().split('\n');
    const outputs = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(Object.keys(outputs)).toEqual(Object.keys(DECLARED));
    expect(outputs).toMatchObject({
      result: 'success',
      'failure-reason': '',
      changed: 'true',
      voters: '3',
      'clients-ready': '2',
      'clients-desired': '2',
      'consul-version': '1.22.7',
      leader: expect.stringMatching(/^consul-server-[012]$/),
    });
    expect(outputs['manifest-digest']).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(Number(outputs['duration-ms'])).toBeGreaterThan(0);
  });

  it('has written the summary and the report', () => {
    // act takes the file away after the step and shows what is in it.
    expect(acted.log).toMatch(/Summary - ## .*Consul works: 3 voters, 2 clients/);
    expect(acted.log).toContain('```mermaid');
    expect(JSON.parse(act.read('report.json'))).toMatchObject({ result: 'success', namespace });
  });

  it('has run the post step, and shown the kubeconfig to nobody', () => {
    expect(acted.log).toMatch(/Success - Post \.\//);
    expect(acted.log).not.toContain(act.kubeconfig);
  });
});

/** Keeps the issues of a repository in a file: the number of the one that is open. */
const GH = `#!/bin/sh
echo "$*" >>"$WITNESS/gh"
case "$1 $2" in
  'issue list') cat "$WITNESS/open" 2>/dev/null || true ;;
  'issue create') echo 7 >"$WITNESS/open" ;;
  'issue close') rm "$WITNESS/open" ;;
esac
`;

describe('a promotion and the nights after it, run by act', () => {
  // Two namespaces stand for two environments.
  const [staging, production] = [namespaceName('staging'), namespaceName('production')];
  const small = { ...SHORT, servers: '1', clients: 'none' };
  let act: Act;

  beforeAll(async () => {
    act = await Act.start('staging-and-production');
    act.command('gh', GH);
  });
  afterAll(async () => {
    act.close();
    await Promise.all([removeNamespace(staging), removeNamespace(production)]);
  });

  it('staging-then-production.yml deploys to production what was planned, with the image of staging', async () => {
    const inputs = {
      staging: { ...small, namespace: staging },
      plan: { ...small, namespace: production },
      production: { ...small, namespace: production },
    };
    // What each job says of the plan.
    const witness = (name: string, job: Job) => {
      for (const step of job.steps) if (step.uses === './') step.id ??= 'consul';
      const [id] = job.steps.flatMap((step) => step.id ?? []);
      job.steps.push({ run: `echo '\${{ steps.${id}.outputs.plan-digest }}' >"$WITNESS/${name}"` });
    };
    const workflow = example('staging-then-production.yml', inputs, witness);
    const { ok, log } = await act.run('promote.yml', workflow, 'workflow_dispatch');
    expect(ok, log).toBe(true);
    expect(log.match(/Job succeeded/g)).toHaveLength(3);
    const images = async (namespace: string) =>
      (
        await kubectl(
          '-n',
          namespace,
          'get',
          'pods',
          '-o',
          'jsonpath={.items[*].status.containerStatuses[*].imageID}',
        )
      ).trim();
    expect(await images(production)).toBe(await images(staging));
    expect(act.read('plan')).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(act.read('production')).toBe(act.read('plan'));
  });

  it('plan-on-pull-request.yml shows what would change, comments on it once, and changes nothing', async () => {
    const inputs = { plan: { ...small, namespace: production, ui: 'false' } };
    const payload = {
      action: 'opened',
      number: 7,
      pull_request: { head: { repo: { full_name: REPOSITORY } } },
    };
    const workflow = example('plan-on-pull-request.yml', inputs);
    const { ok, log } = await act.run('plan.yml', workflow, 'pull_request', payload);
    expect(ok, log).toBe(true);
    expect(log).toMatch(/Summary - ## /);
    expect(log).toContain('ConfigMap/consul-server-config');
    // Here nothing was handed on to it: `example` leaves out the step that does.
    const posted = calls().filter((call) => call.includes('--method POST'));
    expect(posted).toEqual([expect.stringContaining(`repos/${REPOSITORY}/issues/7/comments`)]);
    expect(act.read('gh')).toContain('The plan could not be shown here.');
    await kubectl('-n', production, 'get', 'service/consul-ui');
  });

  /** One night: whether it was green, and what it did about issues. */
  async function night(): Promise<{ acted: Acted; calls: string[] }> {
    const before = calls().length;
    const inputs = { verify: { namespace: production, 'stable-for': '2s' } };
    const acted = await act.run('verify.yml', example('verify-nightly.yml', inputs), 'schedule');
    return { acted, calls: calls().slice(before) };
  }
  function calls(): string[] {
    try {
      return act.read('gh').trimEnd().split('\n');
    } catch {
      return [];
    }
  }
  const words = (lines: readonly string[]) => lines.map((line) => line.split(' ').slice(0, 2).join(' '));

  it('verify-nightly.yml leaves the issues alone while all is well', async () => {
    const { acted, calls } = await night();
    expect(acted.ok, acted.log).toBe(true);
    expect(acted.log).toMatch(/Summary - ## .*Consul works and is as deployed/);
    expect(words(calls)).toEqual(['issue list']);
  });

  it('opens one issue for drift, adds to it, and closes it when all is well again', async () => {
    await kubectl('-n', production, 'label', 'service/consul-ui', 'name=other', '--overwrite');
    const first = await night();
    expect(first.acted.ok, first.acted.log).toBe(false);
    expect(words(first.calls)).toEqual(['issue list', 'label create', 'issue create']);
    expect(first.calls.at(-1)).toContain('Consul is not as it should be: drift');

    const second = await night();
    expect(second.acted.ok).toBe(false);
    expect(words(second.calls)).toEqual(['issue list', 'issue comment']);
    expect(second.calls.at(-1)).toMatch(/^issue comment 7 --body Still so \(drift\): https/);

    await kubectl('-n', production, 'label', 'service/consul-ui', 'name=consul-ui', '--overwrite');
    const third = await night();
    expect(third.acted.ok, third.acted.log).toBe(true);
    expect(words(third.calls)).toEqual(['issue list', 'issue close']);
  });

  it('move-to-another-cluster.yml brings every key to the target, and leaves the source as it is', async () => {
    const ipOf = async (namespace: string) => (await pods(namespace, 'server'))[0]?.status.podIP ?? '';
    for (const value of ['1', '2'])
      await consul(await ipOf(staging), `/v1/kv/moved/${value}`, { method: 'PUT', body: value });
    const before = await Promise.all([versions(staging), containers(staging)]);
    const at = (namespace: string) => ({ ...small, namespace, 'expect-cluster': '*staging*' });
    const inputs = {
      target: at(production),
      'move.snapshot': { namespace: staging, 'expect-cluster': '*staging*' },
      'move.restore': at(production),
    };
    const workflow = example('move-to-another-cluster.yml', inputs);
    const { ok, log } = await act.run('move.yml', workflow, 'workflow_dispatch');
    expect(ok, log).toBe(true);
    expect(log.match(/Job succeeded/g)).toHaveLength(2);
    expect(log).not.toContain(PASSPHRASE);
    expect(await keys(await ipOf(production), 'moved')).toEqual(['moved/1', 'moved/2']);
    expect(await keys(await ipOf(staging), 'moved')).toEqual(['moved/1', 'moved/2']);
    expect(await Promise.all([versions(staging), containers(staging)])).toEqual(before);
  });
});

describe('preview.yml, run by act', () => {
  const number = process.pid;
  const namespace = `preview-${number}`;
  let act: Act;

  beforeAll(async () => {
    act = await Act.start('preview');
  });
  afterAll(async () => {
    act.close();
    await removeNamespace(namespace);
  });

  function pullRequest(action: string, from = REPOSITORY): Promise<Acted> {
    const inputs = { deploy: { 'stable-for': '2s' } };
    const payload = { action, number, pull_request: { head: { repo: { full_name: from } } } };
    return act.run('preview.yml', example('preview.yml', inputs), 'pull_request', payload);
  }
  const workloads = () =>
    kubectl(
      'get',
      'statefulsets',
      '--all-namespaces',
      '-o',
      'name',
      '--field-selector',
      `metadata.namespace=${namespace}`,
    );

  it('does nothing for a pull request from a fork', async () => {
    const { ok, log } = await pullRequest('opened', 'somebody/consul');
    expect(ok, log).toBe(true);
    expect(log).not.toContain('Run Main ./');
    expect(await workloads()).toBe('');
  });

  it('deploys a small cluster for a pull request', async () => {
    const { ok, log } = await pullRequest('opened');
    expect(ok, log).toBe(true);
    expect(log).toMatch(/Summary - ## .*Consul works: 1 voter/);
    expect(await workloads()).toBe('statefulset.apps/consul-server\n');
  });

  it('removes it with the pull request, and nothing is left', async () => {
    const { ok, log } = await pullRequest('closed');
    expect(ok, log).toBe(true);
    expect(log).not.toContain('Consul works');
    expect(await workloads()).toBe('');
    const left = await kubectl(
      '-n',
      namespace,
      'get',
      'services,configmaps,pods,leases,persistentvolumeclaims',
      '-o',
      'name',
    );
    expect(left.split('\n').filter((name) => name !== '' && !name.endsWith('/kube-root-ca.crt'))).toEqual([]);
  });
});
