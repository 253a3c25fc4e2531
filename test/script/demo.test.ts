import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clusterMismatch } from '../../src/session/expected-cluster.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

let folder: string;
let calls: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-'));
  calls = join(folder, 'calls');
  mkdirSync(join(folder, 'bin'));
  // Nothing of the machine's but what scripts are made of: what is there is what a test puts there.
  for (const name of 'bash basename cat chmod cp cut dirname grep mkdir rm sed'.split(' '))
    command(name, `exec ${spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim()} "$@"`, false);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Puts a command on the path, which notes how it is called. */
function command(name: string, script = 'exit 0', noted = true): void {
  const note = noted ? `echo "${name} $*" >>"${calls}"\n` : '';
  writeFileSync(join(folder, 'bin', name), `#!/bin/bash\n${note}${script}\n`);
  chmodSync(join(folder, 'bin', name), 0o755);
}

function run(args: string[], env: Record<string, string> = {}, input = '') {
  const { status, stdout, stderr } = spawnSync('/bin/bash', args, {
    encoding: 'utf8',
    env: { HOME: folder, PATH: join(folder, 'bin'), ...env },
    input,
  });
  return { status, stdout, stderr };
}

const called = () => readFileSync(calls, 'utf8').trim().split('\n');

describe('which cluster the demo takes', () => {
  const docker = (answers: boolean) => command('docker', answers ? 'exit 0' : 'echo no daemon >&2; exit 1');
  const choose = (word = '', env: Record<string, string> = {}) => {
    const script = `set -euo pipefail; . script/lib/setup.sh; . script/lib/cluster.sh; choose_cluster ${word}; echo "$CLUSTER: $WHY"`;
    return run(['-c', script, 'demo'], env);
  };

  test.each([
    ['there is no Docker', []],
    ['Docker does not answer', ['docker: dead', 'kind', 'kubectl', 'go']],
    ['Docker answers, but kubectl is missing', ['docker', 'kind', 'go']],
    ['Docker answers, but there is no kind, and no Go to build it', ['docker', 'kubectl']],
  ])('the test bed, as %s; and then --kind is refused', (why, there) => {
    for (const name of there) name.startsWith('docker') ? docker(name === 'docker') : command(name);
    expect(choose().stdout).toBe(`bed: ${why}\n`);
    const refused = choose('kind');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`kind cannot be taken: ${why}\n`);
  });

  test.each(['kind', 'go'])('kind where Docker answers and there is %s', (one) => {
    docker(true);
    for (const name of ['kubectl', one]) command(name);
    expect(choose().stdout).toBe('kind: Docker answers\n');
    expect(choose('kind').stdout).toBe('kind: --kind\n');
    expect(choose('bed').stdout).toBe('bed: --bed\n');
    expect(called()).toContain('docker info');
  });

  test('that of KUBECONFIG before all others, unless a flag says otherwise', () => {
    docker(true);
    for (const name of ['kubectl', 'kind']) command(name);
    const env = { KUBECONFIG: '/some/where' };
    expect(choose('', env).stdout).toBe('own: KUBECONFIG\n');
    expect(choose('own', env).stdout).toBe('own: --own\n');
    expect(choose('kind', env).stdout).toBe('kind: --kind\n');
    expect(choose('bed', env).stdout).toBe('bed: --bed\n');
  });

  test('and --own is refused where there is no KUBECONFIG', () => {
    const { status, stdout, stderr } = choose('own');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('KUBECONFIG, which is not set');
  });
});

describe('the cluster of KUBECONFIG is taken only by consent', () => {
  const env = { KUBECONFIG: '/some/where' };
  const SHOWN = 'KUBECONFIG names the context admin@prod, the API server https://prod.example:6443.';
  const agree = (input: string, { terminal = true, why = 'KUBECONFIG' } = {}) => {
    const script = `set -euo pipefail; . script/lib/setup.sh; . script/lib/cluster.sh
      is_terminal() { ${terminal}; }; KUBECTL=kubectl WHY=${why}; agree_to_own consul-demo; echo "agreed: $CONTEXT"`;
    return run(['-c', script, 'demo'], env, input);
  };

  beforeEach(() => {
    command('kubectl', `case "$2" in view) echo https://prod.example:6443 ;; *) echo admin@prod ;; esac`);
  });

  test.each(['y', 'Y', 'yes'])('the answer %s, after it was shown', (answer) => {
    const { status, stdout } = agree(`${answer}\n`);
    expect(status).toBe(0);
    expect(stdout.indexOf(SHOWN)).toBe(0);
    expect(stdout).toContain('in namespace consul-demo');
    expect(stdout).toContain('agreed: admin@prod\n');
  });

  test.each(['n', '', 'prod'])('and not the answer "%s"', (answer) => {
    const { status, stdout, stderr } = agree(`${answer}\n`);
    expect(status).toBe(1);
    expect(stdout).not.toContain('agreed');
    expect(stderr).toContain('nothing was done');
  });

  test('nobody is asked where there is no terminal: it is refused, whatever comes in', () => {
    const { status, stdout, stderr } = agree('y\n', { terminal: false });
    expect([status, stdout]).toEqual([1, `${SHOWN}\n`]);
    expect(stderr).toContain('script/demo --own says so');
  });

  test('--own is an answer', () => {
    expect(agree('', { terminal: false, why: '--own' }).stdout).toBe(`${SHOWN}\nagreed: admin@prod\n`);
  });

  test('a name cannot write over what is shown', () => {
    command('kubectl', `printf 'prod\\r\\033[2Kdev\\n'`);
    expect(agree('y\n').stdout).toContain('the context prod??[2Kdev, the API server prod??[2Kdev.\n');
  });

  test('a context that is missing is told', () => {
    command('kubectl', 'exit 1');
    expect(agree('y\n').stderr).toContain('KUBECONFIG=/some/where has no current context');
  });

  test('script/demo asks before it touches anything', () => {
    const { status, stdout, stderr } = run(['script/demo'], env);
    expect(status).toBe(1);
    expect(stdout).toContain(SHOWN);
    expect(stderr).toContain('nothing was done');
    expect(called().filter((line) => !line.startsWith('kubectl config '))).toEqual([]);
  });

  test.each(['kind-x', 'arn:aws:eks:eu-west-1:1:cluster/x', 'user@https://[::1]:6443', 'a(b)*c?{d,e}!\\'])(
    'the action is held to the very context: %s',
    (context) => {
      const script = `. script/lib/cluster.sh; as_glob "$CONTEXT"`;
      const glob = run(['-c', script], { CONTEXT: context }).stdout;
      expect(clusterMismatch(glob, 'https://prod.example:6443', context)).toBeUndefined();
      expect(clusterMismatch(glob, 'https://prod.example:6443', `${context}x`)).toBeDefined();
      expect(clusterMismatch(glob, 'https://prod.example:6443', `x${context.slice(1)}`)).toBeDefined();
    },
  );
});

test.each([
  ['sha256sum', '"$1" = package.json'],
  ['shasum', '"$*" = "-a 256 package.json"'],
])('what a package-lock.json is, is known by %s', (name, called) => {
  command(name, `[ ${called} ] && echo 'abc  package.json'`);
  expect(run(['-c', '. script/lib/setup.sh; sha256 package.json', 'demo']).stdout).toBe('abc\n');
});

test('scripts tell how they are called in words that sed of BSD knows, too', () => {
  for (const script of ['demo', 'kind', 'test'])
    expect(read(`script/${script}`)).not.toMatch(/sed [^\n]*\\\?/);
});

test('what the demo leaves is in a folder of its own, that nobody could have made beforehand', () => {
  const demo = read('script/demo');
  expect(demo).toMatch(/^out=\$\(mktemp -d /m);
  expect(demo).not.toContain('rm -rf');
});

test('npm ci is not let loose on a folder that node_modules only leads to', () => {
  command('npm');
  command('sha256sum', 'echo 0  package-lock.json');
  const [here, elsewhere] = [join(folder, 'here'), join(folder, 'elsewhere')];
  for (const made of [here, elsewhere]) mkdirSync(made);
  writeFileSync(join(here, 'package-lock.json'), '{}');
  symlinkSync(elsewhere, join(here, 'node_modules'));
  const { status, stderr } = run([
    '-c',
    `set -e; . script/lib/setup.sh; cd ${here}; install_modules`,
    'demo',
  ]);
  expect(status).toBe(1);
  expect(stderr).toContain('node_modules is a link');
  expect(called().filter((line) => line.startsWith('npm'))).toEqual([]);
});

describe('script/demo', () => {
  test('tells how it is called, and refuses what it does not know before it touches anything', () => {
    const help = run(['script/demo', '--help']);
    expect(help.status).toBe(0);
    for (const word of ['--keep', '--kind', '--bed', '--own', 'KUBECONFIG'])
      expect(help.stdout).toContain(word);
    expect(help.stdout).not.toContain('set -euo');
    const wrong = run(['script/demo', '--kidn']);
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain('unknown option --kidn');
  });
});

describe('script/kind', () => {
  const VERSION = /^VERSION=(.*)$/m.exec(read('script/kind'))?.[1];
  const kubeconfig = () => join(folder, '.cache/consul-deploy/kind/kubeconfig');
  /** Knows the clusters that it has made. */
  const kind = (version = VERSION) => `case "$1 $2" in
    'version '*) echo "kind ${version} go1.26.0 linux/amd64" ;;
    'get clusters') cat "${folder}/clusters" 2>/dev/null || echo 'No kind clusters found.' >&2 ;;
    'create cluster') echo Creating; echo consul-deploy >"${folder}/clusters" ;;
    'delete cluster') rm "${folder}/clusters" ;;
  esac`;

  beforeEach(() => {
    command('docker');
    command('kubectl');
  });

  test('makes the cluster of .github/kind.yaml once, prints where its kubeconfig is, and removes it', () => {
    command('kind', kind());
    expect(run(['script/kind', 'status']).status).toBe(1);
    expect(run(['script/kind', 'up'])).toMatchObject({ status: 0, stdout: `${kubeconfig()}\n` });
    const create = called().filter((line) => line.startsWith('kind create'));
    expect(create).toEqual([
      expect.stringMatching(
        /^kind create cluster --name consul-deploy --config \.github\/kind\.yaml --image kindest\/node:v\S+@sha256:\S+ --kubeconfig \S+ --wait 180s$/,
      ),
    ]);
    expect(create[0]).toContain(kubeconfig());
    expect(called()).toContainEqual(
      expect.stringMatching(/^kubectl .* wait --for=condition=Ready nodes --all/),
    );
    expect(run(['script/kind', 'status']).status).toBe(0);
    expect(run(['script/kind', 'up'])).toMatchObject({ status: 0, stdout: `${kubeconfig()}\n` });
    expect(called().filter((line) => line.startsWith('kind create'))).toEqual(create);
    expect(called()).toContainEqual(expect.stringMatching(/^kind export kubeconfig --name consul-deploy/));
    expect(run(['script/kind', 'down']).status).toBe(0);
    expect(run(['script/kind', 'status']).status).toBe(1);
  });

  test('says so where the cluster that is there has another Kubernetes, and nothing where it has the same', () => {
    command('kind', kind());
    expect(run(['script/kind', 'up']).status).toBe(0);
    const image = /--image (\S+)/.exec(called().join('\n'))?.[1];
    for (const [has, says] of [
      [image, ''],
      ['kindest/node:v1.29.14@sha256:0', 'and of another node image: kindest/node:v1.29.14@sha256:0, not '],
    ]) {
      command('docker', `if [ "$1 $4" = 'inspect consul-deploy-control-plane' ]; then echo '${has}'; fi`);
      const { status, stdout, stderr } = run(['script/kind', 'up']);
      expect([status, stdout]).toEqual([0, `${kubeconfig()}\n`]);
      says ? expect(stderr).toContain(says) : expect(stderr).not.toContain('node image');
    }
  });

  test('takes another Kubernetes where KIND_NODE_IMAGE names one, as the workflow does', () => {
    command('kind', kind());
    const image = 'kindest/node:v1.29.14@sha256:0';
    expect(run(['script/kind', 'up'], { KIND_NODE_IMAGE: image }).status).toBe(0);
    expect(called().find((line) => line.startsWith('kind create'))).toContain(` --image ${image} `);
  });

  test.each([
    ['none', undefined],
    ['another version', 'v0.1.0'],
  ])('builds its version of kind where there is %s', (_, other) => {
    if (other) command('kind', kind(other));
    writeFileSync(join(folder, 'built'), `#!/bin/bash\n${kind()}\n`);
    command('go', `mkdir -p "$GOBIN"; cp "${folder}/built" "$GOBIN/kind"; chmod +x "$GOBIN/kind"`);
    expect(run(['script/kind', 'up'])).toMatchObject({ status: 0, stdout: `${kubeconfig()}\n` });
    expect(called()).toContain(`go install sigs.k8s.io/kind@${VERSION}`);
    expect(run(['script/kind', 'up']).status).toBe(0);
    expect(called().filter((line) => line.startsWith('go install'))).toHaveLength(1);
  });

  test('takes another version where there is no Go, and says so; refuses where there is neither', () => {
    command('kind', kind('v0.1.0'));
    const { status, stderr } = run(['script/kind', 'up']);
    expect(status).toBe(0);
    expect(stderr).toContain(`is not ${VERSION}`);
    rmSync(join(folder, 'bin/kind'));
    const refused = run(['script/kind', 'up']);
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('kind is missing, and so is Go to build it');
  });

  test('prints no path where the cluster cannot be made', () => {
    command('kind', kind().replace('echo Creating;', 'echo no room >&2; exit 1;'));
    expect(run(['script/kind', 'up'])).toMatchObject({ status: 1, stdout: '' });
  });
});

describe('what a deploy is asked from outside', () => {
  const OUTPUTS = {
    result: 'success',
    'failure-reason': '',
    changed: 'true',
    voters: '3',
    'clients-ready': '10',
    'consul-version': '1.22.7',
    leader: 'consul-server-1',
    image: `docker.io/hashicorp/consul@sha256:${'a'.repeat(64)}`,
  };
  /** As Consul 1.22.7 prints them. */
  const peer = (i: number, voter = true) =>
    `consul-server-${i}  0b5bc8a5-${i}  10.96.0.${i}:8300  ${i === 1 ? 'leader  ' : 'follower'}  ${voter}  3  59  ${i === 1 ? '-' : '0 commits'}`;
  const HEAD = 'Node  ID  Address  State  Voter  RaftProtocol  Commit Index  Trails Leader By';
  const PEERS = [HEAD, peer(0), peer(1), peer(2)];
  const member = (i: number, status = 'alive') =>
    `node-${i}  10.244.1.${i}:8301  ${status}  server  1.22.7  2  dc1`;
  const MEMBERS = [
    'Node  Address  Status  Type  Build  Protocol  DC',
    ...Array.from({ length: 13 }, (_, i) => member(i)),
  ];

  function ask(given: {
    outputs?: object;
    report?: object;
    peers?: string[];
    members?: string[];
    options?: string[];
  }) {
    writeFileSync(join(folder, 'outputs'), JSON.stringify({ ...OUTPUTS, ...given.outputs }));
    writeFileSync(
      join(folder, 'report'),
      JSON.stringify({ namespace: 'here', result: 'success', ...given.report }),
    );
    writeFileSync(join(folder, 'peers'), (given.peers ?? PEERS).join('\n'));
    writeFileSync(join(folder, 'members'), (given.members ?? MEMBERS).join('\n'));
    command('kubectl', `case "$*" in *list-peers) cat ${folder}/peers ;; *) cat ${folder}/members ;; esac`);
    const args = [
      ...(given.options ?? ['--changed', '--pulled']),
      join(folder, 'outputs'),
      join(folder, 'report'),
    ];
    const { status, stdout } = spawnSync(process.execPath, ['script/lib/check-deploy.mjs', ...args], {
      encoding: 'utf8',
      env: { PATH: join(folder, 'bin') },
    });
    return { status, wrong: stdout.split('\n').filter((line) => line.startsWith('  ✗')) };
  }

  test('is green when all of it is as it should be', () => {
    expect(ask({})).toEqual({ status: 0, wrong: [] });
    expect(called()[0]).toBe(
      'kubectl -n here exec consul-server-0 -c consul -- consul operator raft list-peers',
    );
  });

  test.each([
    ['result', { outputs: { result: 'failure' } }],
    ['changed', { outputs: { changed: 'false' } }],
    ['voters', { outputs: { voters: '2' } }],
    ['clients ready', { outputs: { 'clients-ready': '9' } }],
    ['version of Consul', { outputs: { 'consul-version': '1.22.2' } }],
    ['image', { outputs: { image: 'hashicorp/consul:1.22.7' } }],
    ['result in the report', { report: { result: 'failure' } }],
    ['voters', { peers: [HEAD, peer(0), peer(1), peer(2, false)] }],
    ['leader', { outputs: { leader: 'consul-server-2' } }],
    ['members alive', { members: [...MEMBERS.slice(0, 13), member(12, 'failed')] }],
  ])('is red for another %s: %o', (what, given) => {
    const { status, wrong } = ask(given);
    expect(status).toBe(1);
    expect(wrong).toEqual([expect.stringContaining(`✗ ${what}: `)]);
  });

  test('does not ask for a change of a second deploy, nor for the digest of an image from a file', () => {
    const outputs = { changed: 'false', image: 'hashicorp/consul:1.22.7' };
    expect(ask({ outputs, options: [] })).toEqual({ status: 0, wrong: [] });
  });
});

describe('the workflow that deploys on kind', () => {
  const text = read('.github/workflows/e2e-kind.yml');
  const { jobs } = parse(text) as {
    jobs: {
      deploy: {
        steps: { name?: string; run?: string; env?: object }[];
        strategy: { matrix: { include: { 'node-image': string }[] } };
      };
    };
  };
  const runs = jobs.deploy.steps.map(({ run = '' }) => run).join('\n');

  test('makes its cluster and asks its deploy by the scripts of the demo', () => {
    const demo = read('script/demo');
    for (const script of ['script/kind up', 'script/lib/check-deploy.mjs']) {
      expect(demo).toContain(script);
      expect(runs).toContain(script);
    }
    expect(text).not.toMatch(/kind create|helm\/kind-action/);
  });

  test('has the Kubernetes that the demo takes', () => {
    const images = jobs.deploy.strategy.matrix.include.map((one) => one['node-image']);
    expect(images).toContain(/KIND_NODE_IMAGE:-([^}]*)\}/.exec(read('script/kind'))?.[1]);
  });
});
