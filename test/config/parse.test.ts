import { describe, expect, test } from 'vitest';
import type { Input } from '../../src/config/inputs/input.ts';
import { INPUT_NAMES, INPUTS } from '../../src/config/inputs.ts';
import { type Given, parseConfig } from '../../src/config/parse.ts';
import { given, mistakes } from './given.ts';

describe('parseConfig', () => {
  test('nothing given is the defaults', () => {
    expect(parseConfig({})).toEqual({
      mode: 'deploy',
      timeout: 600_000,
      stableFor: 10_000,
      kubeconfig: { kind: 'default' },
      context: undefined,
      namespace: 'consul',
      createNamespace: true,
      expectCluster: undefined,
      name: 'consul',
      image: 'hashicorp/consul:1.22.7',
      datacenter: 'dc1',
      domain: 'consul',
      servers: 3,
      clients: 'statefulset',
      clientReplicas: 10,
      clientMaxUnavailable: { kind: 'percent', percent: 10 },
      recursors: [],
      ui: true,
      serverStorage: { kind: 'persistent', size: '10Gi' },
      storageClass: undefined,
      serverAddresses: 'auto',
      gossipEncryption: 'auto',
      gossipKeySecret: undefined,
      tls: 'auto',
      tlsSecret: undefined,
      tlsClientSecret: undefined,
      https: 'off',
      renew: false,
      rotate: [],
      snapshot: 'auto',
      snapshotKey: undefined,
      snapshotPlain: false,
      snapshotPath: '',
      restoreFrom: 'snapshot',
      restorePath: undefined,
      compare: undefined,
      rehearse: false,
      serverResources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
      clientResources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
      serverConfig: undefined,
      clientConfig: undefined,
      patches: [],
      postRender: undefined,
      forceConflicts: [],
      adopt: 'if-unowned',
      expectPlan: undefined,
      allowDataLoss: [],
      prune: true,
      maxPrune: { kind: 'percent', percent: 30 },
      onDrift: 'fail',
      confirm: undefined,
      destroyData: false,
      sweepApply: false,
      deregister: [],
      lock: true,
      moveRegistrations: false,
      smoke: true,
      smokeService: true,
      smokeDns: true,
      maxUnreadyClients: { kind: 'count', count: 0 },
      chaos: [],
      summary: true,
      reportPath: undefined,
      junitPath: undefined,
      summaryPath: undefined,
      reportHtml: undefined,
      manifestsPath: undefined,
      logLevel: 'info',
    });
  });

  test('empty and blank text is not given', () => {
    const blank = Object.fromEntries(INPUT_NAMES.map((name, index) => [name, index % 2 ? '' : ' \n ']));
    expect(parseConfig(given(blank))).toEqual(parseConfig({}));
  });

  test('every input reaches the Config', () => {
    const config = parseConfig(
      given({
        mode: 'deploy',
        timeout: '1h30m',
        'stable-for': '0',
        kubeconfig: '/etc/kube/config',
        context: 'kind-a',
        namespace: 'team-a',
        'create-namespace': 'FALSE',
        'expect-cluster': '*staging*',
        name: 'c2',
        image: 'registry.example.com:5000/consul:1.20.0',
        datacenter: 'eu_1',
        domain: 'cluster.local',
        servers: ' 5 ',
        clients: 'statefulset',
        'client-replicas': '5000',
        'client-max-unavailable': '25',
        recursors: '8.8.8.8:53, 2001:db8::1',
        ui: 'False',
        'server-storage': '1.5Ti',
        'storage-class': 'fast.ssd',
        'server-addresses': 'pod',
        'gossip-encryption': 'true',
        'gossip-key-secret': 'our-key',
        tls: 'true',
        'tls-secret': 'for-servers',
        'tls-client-secret': 'for-clients',
        https: 'also',
        renew: 'true',
        rotate: 'gossip',
        snapshot: 'always',
        'snapshot-key': 'a passphrase of some words',
        'snapshot-plain': 'false',
        'snapshot-path': '/s.age',
        restore: '',
        rehearse: 'false',
        'server-resources': 'limits: {cpu: 2}',
        'client-resources': '{}',
        'server-config': '{"log_level": "debug"}',
        'client-config': 'log_level = "debug"',
        patches: '- target: {kind: Service, name: c2-ui}\n  merge: {spec: {type: LoadBalancer}}',
        'post-render': 'kustomize build',
        'force-conflicts': 'StatefulSet/c2-client:.spec.replicas',
        adopt: 'always',
        'expect-plan': `sha256:${'0a'.repeat(32)}`,
        'allow-data-loss': 'StatefulSet/c2-*, PersistentVolumeClaim/*',
        prune: 'false',
        'max-prune': '3',
        'on-drift': 'report',
        confirm: 'c2',
        'destroy-data': 'true',
        lock: 'false',
        'move-registrations': 'true',
        smoke: 'false',
        'smoke-service': 'false',
        'smoke-dns': 'false',
        'max-unready-clients': '10%',
        chaos: '',
        summary: 'false',
        'report-path': '/r.json',
        'junit-path': '/j.xml',
        'summary-path': '/s.md',
        'report-html': '/r.html',
        'manifests-path': '/m.yaml',
        'log-level': 'debug',
      }),
    );
    expect(config).toEqual({
      mode: 'deploy',
      timeout: 5_400_000,
      stableFor: 0,
      kubeconfig: { kind: 'path', path: '/etc/kube/config' },
      context: 'kind-a',
      namespace: 'team-a',
      createNamespace: false,
      expectCluster: '*staging*',
      name: 'c2',
      image: 'registry.example.com:5000/consul:1.20.0',
      datacenter: 'eu_1',
      domain: 'cluster.local',
      servers: 5,
      clients: 'statefulset',
      clientReplicas: 5000,
      clientMaxUnavailable: { kind: 'count', count: 25 },
      recursors: ['8.8.8.8:53', '2001:db8::1'],
      ui: false,
      serverStorage: { kind: 'persistent', size: '1.5Ti' },
      storageClass: 'fast.ssd',
      serverAddresses: 'pod',
      gossipEncryption: 'true',
      gossipKeySecret: 'our-key',
      tls: 'true',
      tlsSecret: 'for-servers',
      tlsClientSecret: 'for-clients',
      https: 'also',
      renew: true,
      rotate: ['gossip'],
      snapshot: 'always',
      snapshotKey: { kind: 'passphrase', passphrase: 'a passphrase of some words' },
      snapshotPlain: false,
      snapshotPath: '/s.age',
      restoreFrom: 'snapshot',
      restorePath: undefined,
      compare: undefined,
      rehearse: false,
      serverResources: { limits: { cpu: '2' } },
      clientResources: {},
      serverConfig: { format: 'json', text: '{"log_level": "debug"}' },
      clientConfig: { format: 'hcl', text: 'log_level = "debug"' },
      patches: [{ target: { kind: 'Service', name: 'c2-ui' }, merge: { spec: { type: 'LoadBalancer' } } }],
      postRender: 'kustomize build',
      forceConflicts: ['StatefulSet/c2-client:.spec.replicas'],
      adopt: 'always',
      expectPlan: `sha256:${'0a'.repeat(32)}`,
      allowDataLoss: ['StatefulSet/c2-*', 'PersistentVolumeClaim/*'],
      prune: false,
      maxPrune: { kind: 'count', count: 3 },
      onDrift: 'report',
      confirm: 'c2',
      destroyData: true,
      sweepApply: false,
      deregister: [],
      lock: false,
      moveRegistrations: true,
      smoke: false,
      smokeService: false,
      smokeDns: false,
      maxUnreadyClients: { kind: 'percent', percent: 10 },
      chaos: [],
      summary: false,
      reportPath: '/r.json',
      junitPath: '/j.xml',
      summaryPath: '/s.md',
      reportHtml: '/r.html',
      manifestsPath: '/m.yaml',
      logLevel: 'debug',
    });
  });

  test('the Config is frozen through and through', () => {
    const config = parseConfig(
      given({ patches: '{target: {kind: Pod, name: x}, merge: {spec: {a: [{b: 1}]}}}' }),
    );
    const thawed: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) thawed.push(path);
      for (const [key, part] of Object.entries(value)) walk(part, `${path}.${key}`);
    };
    walk(config, 'config');
    expect(thawed).toEqual([]);
    expect(config.patches).toHaveLength(1);
  });

  test('every mistake is told at once, with what was given, what is allowed and what was probably meant', () => {
    expect(
      mistakes({
        clients: 'deamonset',
        'client-replicas': 'ten',
        timeout: '10',
        lock: 'Ture',
        servers: '4',
        recursors: '1.1.1.1, dns.example, 0.0.0.0',
        servres: '3',
        quux: 'secret-value',
      }),
    ).toEqual([
      'timeout: given "10"; allowed: a duration such as 90s, 10m or 1h30m, from 1s to 24h; a number needs its unit: write 10s or 10m',
      'servers: given "4"; allowed: 1, 3 or 5',
      'clients: given "deamonset"; allowed: statefulset, daemonset or none; did you mean `daemonset`?',
      'client-replicas: given "ten"; allowed: a whole number from 1 to 5000',
      'recursors: given "dns.example"; allowed: IP addresses of DNS servers, each with an optional port, one per line or comma-separated',
      'recursors: given "0.0.0.0"; allowed: IP addresses of DNS servers, each with an optional port, one per line or comma-separated',
      'lock: given "Ture"; allowed: true or false; did you mean `true`?',
      '"servres": there is no such input; did you mean `servers`?',
      '"quux": there is no such input; see docs/reference/inputs.md for those there are',
    ]);
  });

  test('the Failure says how many mistakes there are, that nothing was changed, and where to correct them', () => {
    const failureOf = (inputs: Record<string, string>, ...more: [Given?]) => {
      try {
        return parseConfig(given(inputs), ...more);
      } catch (error) {
        return error;
      }
    };
    const where = 'inputs';
    const hint =
      'Nothing was changed. Correct the lines below under `with:` of the step; docs/reference/inputs.md describes every input';
    expect(failureOf({ servers: '4' })).toMatchObject({ what: 'an input is wrong', where, hint });
    expect(failureOf({ servers: '4', ui: 'x' })).toMatchObject({
      what: '2 mistakes in the inputs',
      where,
      hint,
    });
    const told = { mistakes: ['--nonsense: there is no such flag'], correct: 'on the command line' };
    expect(failureOf({ ui: 'x' }, told)).toMatchObject({
      what: '2 mistakes in the inputs',
      hint: 'Nothing was changed. Correct the lines below on the command line',
      details: [told.mistakes[0], expect.stringMatching(/^ui: /)],
    });
    expect(failureOf({}, { correct: 'on the command line' })).toEqual(parseConfig({}));
  });

  test('an underscore in place of a hyphen is told as a near miss', () => {
    expect(mistakes({ client_replicas: '3' })).toEqual([
      '"client_replicas": there is no such input; did you mean `client-replicas`?',
    ]);
  });

  test("the desktop's INPUT_METHOD is no input", () => {
    expect(mistakes({ method: 'ibus' })).toEqual([]);
    expect(mistakes({ methods: 'ibus' })).toHaveLength(1);
  });

  test('a wrong value of every input that can be wrong is one mistake each', () => {
    const wrong = '\u0000\n{';
    const free = ['server-config', 'client-config'];
    const names = INPUT_NAMES.filter((name) => !free.includes(name));
    const lines = mistakes(Object.fromEntries(names.map((name) => [name, `x${wrong}x`])));
    expect(new Set(lines.map((line) => line.slice(0, line.indexOf(':'))))).toEqual(new Set(names));
  });

  test('values of confidential inputs are never repeated', () => {
    const canary = 'canary7';
    const confidential = INPUT_NAMES.filter((name) => (INPUTS[name] as Input).confidential);
    expect(confidential).toEqual([
      'kubeconfig',
      'server-config',
      'client-config',
      'patches',
      'post-render',
      'snapshot-key',
    ]);
    const lines = [
      `{"a": ${canary}}`,
      `{"${canary}": 1,}`,
      `{"a": "${canary}\n"}`,
      `a: &${canary} [*${canary}2]`,
      `- !${canary} {${canary}: ${canary}, target: {${canary}: 1}}`,
      `{target: {kind: ${canary}, name: "${canary} x"}, operations: [{op: ${canary}, path: ${canary}, ${canary}: 1}]}`,
      `? [${canary}]\n: 1`,
      `${canary}\u0000\nx`,
      `clusters: [${canary}]\nusers: [${canary}]`,
      Buffer.from(`token: ${canary}`.repeat(40)).toString('base64'),
    ].flatMap((text) => confidential.flatMap((name) => mistakes({ [name]: text })));
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => /canary|Y2FuYXJ5/i.test(line))).toEqual([]);
  });

  test('a line of the message stays one line, of bounded length', () => {
    const lines = mistakes({ clients: `a\r\nb\u2028c\u202E\u001b[31m${'x'.repeat(5000)}`, context: 'a\nb' });
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202E]/u);
      expect(line.length).toBeLessThan(300);
    }
  });

  test('text nested too deeply is a mistake and not a crash', () => {
    const deep = '['.repeat(20_000);
    expect(
      mistakes({
        patches: deep,
        'server-resources': deep,
        kubeconfig: deep,
        'server-config': `{"a":${deep}`,
      }),
    ).toHaveLength(4);
  });
});
