import { afterAll, describe, expect, it } from 'vitest';
import { deploy } from '../run/action.ts';
import { expectRefused, failureOf, newNamespace, removeNamespaces, SHORT } from './refusal.ts';

afterAll(removeNamespaces);

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
