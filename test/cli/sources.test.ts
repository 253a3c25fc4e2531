import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { asRunner, readEnvironment } from '../../src/cli/environment.ts';
import { parseInputs, readInputs } from '../../src/cli/file.ts';
import { isInput, OWN_FLAGS } from '../../src/cli/names.ts';
import { secretFlags } from '../../src/cli/secret-flag.ts';
import { INPUT_NAMES, type InputName } from '../../src/config/inputs.ts';
import { folder, kubeconfig } from '../kubernetes/fake-server.ts';

describe('the environment', () => {
  test('has each input by its name in capitals', () => {
    const env = Object.fromEntries(
      INPUT_NAMES.map((name) => [`CONSUL_DEPLOY_${name.toUpperCase().replace(/-/g, '_')}`, `of ${name}`]),
    );
    const { inputs, mistakes } = readEnvironment({ PATH: '/bin', CONSUL_HTTP_ADDR: 'x', ...env });
    expect(Object.fromEntries(inputs)).toEqual(
      Object.fromEntries(INPUT_NAMES.map((name) => [name, `of ${name}`])),
    );
    expect(mistakes).toEqual([]);
  });

  test('a variable without a value is not given', () => {
    expect(readEnvironment({ CONSUL_DEPLOY_CONTEXT: ' ' }).inputs.size).toBe(0);
  });

  test('a name that is near another is told, without its value', () => {
    const env = {
      CONSUL_DEPLOY_SNAPSHOTKEY: 'hunter2',
      CONSUL_DEPLOY_expect_cluster: 'x',
      CONSUL_DEPLOY_: '',
    };
    expect(readEnvironment(env).mistakes).toEqual([
      'CONSUL_DEPLOY_SNAPSHOTKEY: there is no such input; did you mean `CONSUL_DEPLOY_SNAPSHOT_KEY`?',
      'CONSUL_DEPLOY_expect_cluster: there is no such input; did you mean `CONSUL_DEPLOY_EXPECT_CLUSTER`?',
      'CONSUL_DEPLOY_: there is no such input; see `consul-deploy --help` for those there are',
    ]);
  });

  test('what Kubernetes sets for a Service of that name is none', () => {
    const env = {
      CONSUL_DEPLOY_SERVICE_HOST: '10.0.0.1',
      CONSUL_DEPLOY_SERVICE_PORT: '80',
      CONSUL_DEPLOY_SERVICE_PORT_HTTP: '80',
      CONSUL_DEPLOY_PORT: 'tcp://10.0.0.1:80',
      CONSUL_DEPLOY_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(readEnvironment(env)).toEqual({ inputs: new Map(), mistakes: [] });
  });

  test('the action reads the given inputs and no others', () => {
    const env = asRunner({ PATH: '/bin', INPUT_NAME: 'stray' }, new Map([['server-config', '{}']]));
    expect(env).toEqual({ PATH: '/bin', 'INPUT_SERVER-CONFIG': '{}' });
  });
});

describe('the file', () => {
  test('has text and numbers as they are written, lists as lines, and the rest as JSON', () => {
    const yaml = `
servers: 3
ui: no
lock: true
name: "consul"
context:
snapshot-key: 1234567890.50
recursors: [10.0.0.1, 10.0.0.2]
rotate: []
force-conflicts:
  - Service/x:.spec
server-config:
  limits: {http_max_conns_per_client: 300}
patches:
  - target: {kind: Service, name: x}
    merge: {metadata: {labels: {a: b}}}
client-config: |
  log_level = "debug"
`;
    const { inputs, mistakes } = parseInputs(yaml);
    expect(mistakes).toEqual([]);
    expect(Object.fromEntries(inputs)).toEqual({
      servers: '3',
      ui: 'no',
      lock: 'true',
      name: 'consul',
      context: '',
      'snapshot-key': '1234567890.50',
      recursors: '10.0.0.1\n10.0.0.2',
      rotate: '',
      'force-conflicts': 'Service/x:.spec',
      'server-config': '{"limits":{"http_max_conns_per_client":300}}',
      patches: '[{"target":{"kind":"Service","name":"x"},"merge":{"metadata":{"labels":{"a":"b"}}}}]',
      'client-config': 'log_level = "debug"\n',
    });
  });

  test('an alias stands for what it names', () => {
    const { inputs } = parseInputs('name: &n production\nconfirm: *n\n');
    expect(inputs.get('confirm')).toBe('production');
  });

  test.each(['', '# nothing\n', '---\n'])('%j has no inputs', (yaml) =>
    expect(parseInputs(yaml)).toEqual({ inputs: new Map(), mistakes: [] }),
  );

  test.each([
    ['- servers', '--file: allowed: one YAML map of inputs'],
    ['servers: 1\n---\nservers: 3\n', '--file: allowed: one YAML map of inputs'],
    ['a: "x', '--file: line 1, column 6: YAML error MISSING_CHAR'],
    ['servers: 1\nservers: 3\n', '--file: line 2, column 1: YAML error DUPLICATE_KEY'],
    ['server: 3', '--file: "server": there is no such input; did you mean `servers`?'],
  ])('%j is refused', (yaml, mistake) => expect(parseInputs(yaml).mistakes).toEqual([mistake]));

  test('is read from its path, and one that is not there is named', async () => {
    const path = await folder({ 'inputs.yml': 'servers: 5\n' });
    expect((await readInputs(join(path, 'inputs.yml'))).inputs.get('servers')).toBe('5');
    const missing = join(path, 'none.yml');
    expect((await readInputs(missing)).mistakes).toEqual([
      `--file: there is no file ${JSON.stringify(missing)}`,
    ]);
  });
});

describe('a secret is no flag', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
  const refused = (name: InputName, value: string) => secretFlags(new Map([[name, value]])).length > 0;

  test.each<[InputName, string]>([
    ['kubeconfig', base64(kubeconfig('https://10.0.0.1', { token: 'hunter2' }))],
    ['kubeconfig', 'apiVersion: v1\nclusters: []\n'],
    ['snapshot-key', 'a passphrase of some words'],
    ['snapshot-key', 'short'],
    ['server-config', '{"encrypt":"pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="}'],
    ['client-config', 'acl { tokens { agent = "2b778dd9-f5f1-6f29-b4b4-9a5fa948757a" } }'],
    ['patches', '- target: {kind: StatefulSet, name: x}\n  merge: {spec: {password: correct-horse}}\n'],
    ['post-render', 'curl https://deployer:correct-horse@example.com'],
  ])('%s: %j', (name, value) => {
    const [mistake = ''] = secretFlags(new Map([[name, value]]));
    expect(mistake).toContain(`${name}: given as a flag`);
    expect(mistake).toContain(`CONSUL_DEPLOY_${name.toUpperCase().replace('-', '_')}`);
    expect(mistake).toContain('--file');
    expect(mistake).not.toContain(value);
  });

  test.each<[InputName, string]>([
    ['kubeconfig', '/home/me/.kube/config'],
    ['kubeconfig', ''],
    ['snapshot-key', RECIPIENT],
    ['server-config', '{"log_level":"debug"}'],
    ['post-render', 'kustomize build'],
    ['namespace', 'consul'],
  ])('and what is none may be one: %s: %j', (name, value) => expect(refused(name, value)).toBe(false));
});

test('no input has the name of a flag of the command', () => {
  expect(Object.keys(OWN_FLAGS).filter(isInput)).toEqual([]);
});
