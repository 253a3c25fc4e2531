import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/**
 * Stands in for Go: says that it has begun and ended, names packages as `go build -v` does, and does for each program what its
 * plan says. The scripts around it are the real ones.
 */
const GO = `#!/bin/bash
case $1 in
  version) echo 'go version of the test'; exit ;;
  mod) exit ;;
  list) echo "$STUB/go-discover"; exit ;;
esac
for ((i = 1; i <= $#; i++)); do
  case \${!i} in -o) next=$((i + 1)); out=\${!next} ;; -modfile=*) modfile=\${!i#-modfile=} ;; esac
done
name=\${out##*/}
echo "begin $name" >>"$STUB/said"
echo "$GOGC $GOMEMLIMIT" >"$STUB/memory-$name"
if [ "$modfile" ]; then cp "\${modfile%go.mod}go-discover/discover.go" "$STUB/$name.discover.go"; fi
printf 'example.org/one\\ngo: downloading example.org/two v1.0.0\\nexample.org/two\\n' >&2
if [ -e "$STUB/plan-$name" ]; then . "$STUB/plan-$name"; fi
echo "program $name" >"$out"
chmod +x "$out"
echo "end $name" >>"$STUB/said"
`;
/** Until the file is there. */
const wait = (file: string) => `until [ -e "$STUB/${file}" ]; do sleep 0.05; done`;

let folder: string;
let stub: string;
let bed: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'testbed-build-'));
  [stub, bed, children] = [join(folder, 'stub'), join(folder, 'bed'), []];
  mkdirSync(stub);
  writeFileSync(join(stub, 'go'), GO);
  chmodSync(join(stub, 'go'), 0o755);
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const plan = (program: string, ...lines: string[]) =>
  writeFileSync(join(stub, `plan-${program}`), lines.join('\n'));
const said = () =>
  existsSync(join(stub, 'said')) ? readFileSync(join(stub, 'said'), 'utf8').trim().split('\n') : [];

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(command: string, args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const env = { ...process.env, STUB: stub, CONSUL_DEPLOY_TESTBED: bed, PATH: `${stub}:${process.env.PATH}` };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk;
    });
  }
  return {
    child,
    ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, ...texts }))),
  };
}

const build = (...args: string[]) => start('testbed/build', args);
/** The functions themselves, after the start that all commands of the test bed have. */
const shell = (script: string) => {
  const parts = ['bed', 'programs', 'build', 'progress'].map((name) => `. testbed/lib/${name}.sh`);
  return start('bash', ['-c', [...parts, 'mkdir -p "$BIN" "$BED/stamps"; GO_VERSION=1', script].join('\n')])
    .ended;
};

/** Processes that have this folder in their environment: all that a build has started, whatever became of its parents. */
function left(): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`STUB=${stub}\0`);
      } catch {
        return false;
      }
    })
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line !== '');
}

describe.runIf(process.platform === 'linux')('testbed/build', () => {
  test('builds what is asked for, prints where it is, and builds nothing twice', async () => {
    const first = await build('age', 'actionlint').ended;
    expect(first).toMatchObject({ code: 0, stdout: `${bed}/bin/age\n${bed}/bin/actionlint\n` });
    expect(readFileSync(`${bed}/bin/age`, 'utf8')).toBe('program age\n');
    expect(said()).toEqual(['begin age', 'end age', 'begin actionlint', 'end actionlint']);
    const again = await build('age', 'actionlint').ended;
    expect(again).toEqual({ ...first, stderr: '' });
    expect(said()).toHaveLength(4);
  });

  test('says a line for each program where there is no terminal: what now, what then, how long', async () => {
    const { stderr } = await build('age', 'helm').ended;
    const [first, second, last, ...more] = stderr.trim().split('\n');
    expect(first).toMatch(/^building age \d+ %; then helm; about 2 min left$/);
    expect(second).toMatch(/^building helm \d+ %; about \d+ (s|min) left$/);
    expect(last).toMatch(/^built age \(\d+ s\), helm \(\d+ s\) in \d+ s$/);
    expect(more).toEqual([]);
  });

  test('writes one line over again and again where there is one', async () => {
    plan('act', wait('go-on'));
    const { ended, child } = start('script', ['-qefc', 'testbed/build act', '/dev/null']);
    let shown = '';
    child.stdout?.on('data', (chunk: string) => {
      shown += chunk;
    });
    await expect.poll(() => shown.split('\r\x1b[Kbuilding act').length).toBeGreaterThan(3);
    writeFileSync(join(stub, 'go-on'), '');
    const { stdout, code } = await ended;
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split('\x1b[K').at(-1)?.trim())).toEqual([
      expect.stringMatching(/^built act \(\d+ s\) in \d+ s$/),
      `${bed}/bin/act`,
      '',
    ]);
  });

  test('shows the end of its log when one fails, without what went well, and leaves nothing half-built', async () => {
    plan('act', "printf '# example.org/three\\nthree.go:7:2: undefined: four\\n' >&2", 'exit 1');
    const { code, stdout, stderr } = await build('age', 'act').ended;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('could not build act');
    expect(stderr).toContain('    # example.org/three\n    three.go:7:2: undefined: four\n');
    expect(stderr).not.toMatch(/downloading|example\.org\/one/);
    expect(readdirSync(`${bed}/bin`)).toEqual(['age']);
    expect(existsSync(`${bed}/building`)).toBe(false);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'ended by %s, it leaves nothing that the next build meets',
    async (signal) => {
      // As a compiler that Go has started.
      plan('act', 'sleep 600 &', 'echo > "$STUB/compiles"', 'wait');
      const { child, ended } = build('age', 'act');
      await expect.poll(() => existsSync(join(stub, 'compiles'))).toBe(true);
      child.kill(signal);
      await ended;
      if (signal === 'SIGKILL') {
        // Nobody is left to end what Go has started; that one ends by itself, and nobody builds meanwhile.
        await expect.poll(() => left()).toEqual(['sleep 600 ']);
        const next = build('age');
        await expect.poll(() => left().some((line) => line.includes('flock'))).toBe(true);
        for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
          if (isSleep(pid)) process.kill(Number(pid));
        }
        expect(await next.ended).toMatchObject({ code: 0 });
      }
      await expect.poll(() => left()).toEqual([]);
      plan('act');
      expect(await build('age', 'act').ended).toMatchObject({ code: 0 });
      expect(said().filter((line) => line === 'begin age')).toHaveLength(1);
      expect(existsSync(`${bed}/building`)).toBe(false);
    },
  );

  function isSleep(pid: string): boolean {
    try {
      const mine = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`STUB=${stub}\0`);
      return mine && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\x00600\x00';
    } catch {
      return false;
    }
  }

  test('run twice at once, one waits for the other and has nothing left to do', async () => {
    plan('act', wait('go-on'));
    const one = build('act');
    await expect.poll(() => said()).toEqual(['begin act']);
    const two = build('act');
    await expect.poll(() => left().some((line) => line.includes('flock -w'))).toBe(true);
    writeFileSync(join(stub, 'go-on'), '');
    const [first, second] = await Promise.all([one.ended, two.ended]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(second.stderr).toMatch(/^another build is running/);
    expect(said()).toEqual(['begin act', 'end act']);
  });

  test('refuses what it does not know, before anything is built', async () => {
    expect(await build('age', 'emacs').ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("unknown program 'emacs'"),
    });
    expect((await build('--with', 'consul').ended).stderr).toContain('there are: consul-previous');
    expect(said()).toEqual([]);
  });

  test('leaves the SDKs of clouds out of Consul, and nothing else', async () => {
    const clouds = ['aws', 'os', 'vsphere'];
    const lines = ['mdns', ...clouds].flatMap((name) => [
      `\t"github.com/hashicorp/go-discover/provider/${name}"`,
      `\t"${name}": &${name}.Provider{},`,
    ]);
    const other = ['package discover', 'import "os"', 'const aws = "aws"'];
    mkdirSync(join(stub, 'go-discover'));
    writeFileSync(join(stub, 'go-discover/discover.go'), [...other, ...lines, ''].join('\n'));
    expect(await build('consul').ended).toMatchObject({ code: 0 });
    expect(readFileSync(join(stub, 'consul.discover.go'), 'utf8')).toBe(
      [...other, ...lines.filter((line) => line.includes('mdns')), ''].join('\n'),
    );
  });
});

test('CoreDNS takes what it shares with Kubernetes in the same version, so that it is compiled once', () => {
  const versions = (program: string) => {
    const text = readFileSync(`testbed/tools/${program}/go.mod`, 'utf8');
    const required = [...text.matchAll(/^(?:\t|require )(\S+) (v\S+)/gm)];
    // What replaces a module says so in place of it.
    const replaced = [...text.matchAll(/^(?:\t|replace )(\S+) => \S+ (v\S+)/gm)];
    return new Map([...required, ...replaced].map(([, module = '', version]) => [module, version]));
  };
  const [kubernetes, coredns] = [versions('kubernetes'), versions('coredns')];
  const shared = [...coredns.keys()].filter((module) => kubernetes.has(module));
  expect(shared).toContain('k8s.io/client-go');
  expect(shared.length).toBeGreaterThan(40);
  for (const module of shared)
    expect([module, coredns.get(module)]).toEqual([module, kubernetes.get(module)]);
});

describe.runIf(process.platform === 'linux')('lanes of programs', () => {
  test('are built beside each other where there is memory for that', async () => {
    // Each waits for the other one.
    plan('age', 'echo > "$STUB/age"', wait('act'));
    plan('act', 'echo > "$STUB/act"', wait('age'));
    const { code } = await shell("memory_for_two() { true; }; build_programs 'age actionlint' act");
    expect(code).toBe(0);
    expect(said().indexOf('begin actionlint')).toBeGreaterThan(said().indexOf('end age'));
  });

  test('are built one after the other where there is not', async () => {
    const { stderr } = await shell("memory_for_two() { false; }; build_programs 'age actionlint' act");
    const lines = stderr.trim().split('\n').slice(0, -1);
    const under = lines.map((line) => line.replace(/ \d+ %/g, '').replace(/;.*/, ''));
    expect(under).toEqual(['building age', 'building actionlint', 'building act']);
  });

  test.each([
    ['never take memory back where there is enough', true, '', 'off 3GiB\n'],
    ['take it back where there is not', false, '', ' \n'],
    ['do as they are told', true, 'export GOGC=50;', '50 3GiB\n'],
  ])('compilers %s', async (_, enough, settings, told) => {
    await shell(`unset GOGC GOMEMLIMIT; ${settings} memory_to_waste() { ${enough}; }; build_programs age`);
    expect(readFileSync(join(stub, 'memory-age'), 'utf8')).toBe(told);
  });

  test('end together when one fails', async () => {
    plan('age', 'echo > "$STUB/age"', 'sleep 600');
    plan('act', wait('age'), 'exit 1');
    expect((await shell('memory_for_two() { true; }; build_programs age act')).code).toBe(1);
    await expect.poll(() => left()).toEqual([]);
  });
});

describe('how long is left', () => {
  test.each([
    // total, done, elapsed, left
    [600, 0, 0, 600],
    [600, 300, 300, 300],
    [600, 570, 570, 30],
  ])('%i s of work, %i done: after %i s %i are left', async (total, done, elapsed, expected) => {
    expect((await shell(`seconds_left ${total} ${done} ${elapsed}`)).stdout).toBe(`${expected}\n`);
  });

  test('is scaled by what the first steps took here', async () => {
    const left = async (elapsed: number) => Number((await shell(`seconds_left 600 100 ${elapsed}`)).stdout);
    expect(await left(200)).toBeGreaterThan(800);
    expect(await left(50)).toBeLessThan(350);
  });

  test.each([
    [540, 'about 9 min left'],
    [91, 'about 2 min left'],
    [89, 'about 90 s left'],
    [12, 'about 10 s left'],
    [3, 'nearly done'],
  ])('%i s is told as %s', async (seconds, text) => {
    expect((await shell(`about ${seconds}`)).stdout).toBe(`${text}\n`);
  });
});
