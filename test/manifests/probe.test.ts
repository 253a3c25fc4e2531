import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { agentOf, config, SHAPES } from './fixture.ts';

test.each(SHAPES.filter(({ config: { clients } }) => clients !== 'none'))(
  'every agent has all three: $shape',
  ({ config: given }) => {
    for (const role of ['server', 'client'] as const) {
      const { startupProbe, readinessProbe, livenessProbe, ports } = agentOf(given, role);
      for (const probe of [startupProbe, readinessProbe]) {
        expect(probe?.httpGet?.scheme).toBe('HTTP');
        expect(ports?.find(({ name }) => name === probe?.httpGet?.port)?.containerPort).toBe(8500);
      }
      expect(livenessProbe?.exec?.command?.slice(0, 2)).toEqual(['/bin/sh', '-c']);
    }
  },
);

describe('what they ask', () => {
  const server = agentOf(config(), 'server');
  const client = agentOf(config(), 'client');

  test('ready is who knows a leader, without `stale`', () => {
    for (const { readinessProbe } of [server, client]) {
      expect(readinessProbe?.httpGet?.path).toBe('/v1/catalog/service/consul-deploy-probe');
    }
  });

  test('a server has started when its port answers, a client when any server does', () => {
    expect(server.startupProbe?.httpGet?.path).toBe('/v1/status/leader');
    expect(client.startupProbe?.httpGet?.path).toBe('/v1/catalog/service/consul-deploy-probe?stale');
  });

  test('a server that its guard may hold back is left alone for an hour, any other is not', () => {
    const seconds = (['service', 'pod'] as const).map((serverAddresses) => {
      const { startupProbe } = agentOf(config({ serverAddresses }), 'server');
      return (startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0);
    });
    expect(seconds).toEqual([3600, 300]);
  });

  test('a restart comes after minutes, a first start may take five', () => {
    for (const { startupProbe, livenessProbe } of [server, client]) {
      expect(
        (startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0),
      ).toBeGreaterThanOrEqual(300);
      expect(
        (livenessProbe?.periodSeconds ?? 0) * (livenessProbe?.failureThreshold ?? 0),
      ).toBeGreaterThanOrEqual(180);
      expect(livenessProbe?.timeoutSeconds).toBeLessThan(livenessProbe?.periodSeconds ?? 0);
    }
  });
});

interface Outcome {
  code: number;
  joined: string[];
}

/**
 * Runs a liveness probe in the shell, against a `curl` that answers as told and notes the joins.
 * @param answers shell patterns of URLs, and what curl prints for them
 */
async function live(
  script: string | undefined,
  answers: Record<string, string>,
  hostname = 'consul-client-0',
  net = '10.0.0.',
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-probe-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const cases = Object.entries(answers).map(([url, text]) => `${url}) printf '%s' '${text}' ;;`);
  const curl = [
    '#!/bin/sh',
    'for url; do case $url in http*) break ;; esac; done',
    'case $url in',
    `*/v1/agent/join/*) echo "\${url##*/}" >> '${folder}/joined' ;;`,
    ...cases,
    'esac',
  ].join('\n');
  await writeFile(join(folder, 'curl'), curl);
  await chmod(join(folder, 'curl'), 0o755);
  await writeFile(join(folder, 'joined'), '');
  const env = {
    PATH: `${folder}:/usr/bin:/bin`,
    HOSTNAME: hostname,
    CONSUL_SERVER_SERVICE_HOST: `${net}100`,
    ...Object.fromEntries([0, 1, 2].map((n) => [`CONSUL_SERVER_${n}_SERVICE_HOST`, `${net}${n}`])),
  };
  const code = await new Promise<number>((resolve) => {
    execFile('/bin/sh', ['-c', script ?? ''], { env }, (error) => resolve(error ? Number(error.code) : 0));
  });
  return {
    code,
    joined: (await readFile(join(folder, 'joined'), 'utf8')).split('\n').filter(Boolean).sort(),
  };
}

describe('liveness of a server', () => {
  const script = agentOf(config(), 'server').livenessProbe?.exec?.command?.[2];
  const own = '*127.0.0.1:8500/v1/status/leader';
  const others = '*10.0.0.100:8500/v1/status/leader';
  const leader = '"10.1.1.1:8300"';

  test.each([
    ['it knows a leader', { [own]: leader, [others]: leader }],
    ['nobody knows one: a restart would help nobody', { [own]: '""', [others]: '""' }],
    ['no other answers', { [own]: '""', [others]: '' }],
    ['the others answer with an error', { [own]: '""', [others]: 'No cluster leader' }],
  ])('lives: %s', async (_, answers) => {
    expect(await live(script, answers, 'consul-server-1')).toEqual({ code: 0, joined: [] });
  });

  test.each([
    ['it knows none', '""'],
    ['it does not answer', ''],
  ])('fails when others know a leader and %s, and joins all others before', async (_, answer) => {
    expect(await live(script, { [own]: answer, [others]: leader }, 'consul-server-1')).toEqual({
      code: 1,
      joined: ['10.0.0.0', '10.0.0.2'],
    });
  });
});

test('in an IPv6 cluster the server Service is asked at an address in brackets', async () => {
  const leader = '"[fd00::1]:8300"';
  const answers = {
    '*127.0.0.1:8500/v1/status/leader': '""',
    '*//"[fd00::100]":8500/v1/status/leader': leader,
  };
  const script = agentOf(config(), 'server').livenessProbe?.exec?.command?.[2];
  expect(await live(script, answers, 'consul-server-1', 'fd00::')).toEqual({
    code: 1,
    joined: ['fd00::0', 'fd00::2'],
  });
});

describe('liveness of a client', () => {
  const script = agentOf(config(), 'client').livenessProbe?.exec?.command?.[2];
  const known = '*127.0.0.1:8500/v1/catalog/service/consul-deploy-probe?stale';
  const own = '*127.0.0.1:8500/v1/agent/version';
  const others = '*10.0.0.100:8500/v1/status/leader';
  const joined = ['10.0.0.0', '10.0.0.1', '10.0.0.2'];

  test.each(['200', '429', ''])('lives: status %j', async (status) => {
    expect(await live(script, { [known]: status })).toEqual({ code: 0, joined: [] });
  });

  test.each(['200', '403', '404'])(
    'lives: no server answers it, but it does by itself with %s',
    async (status) => {
      expect(await live(script, { [known]: '000', [own]: status })).toEqual({ code: 0, joined: [] });
    },
  );

  /** As the kernel writes it, for a port that is listened on. */
  const listening = (port: number) =>
    `   0: 00000000:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A 00000000:00000000\n`;
  const self = '*127.0.0.1:8500/v1/agent/self';
  const SELF = '{"DebugConfig":{"SerfPortLAN":8301,"SerfPortWAN":8302}}';

  test.each([
    ['ends the agent when its gossip has stopped', [8500, 8600], SELF, 1],
    ['lives with gossip', [8500, 8301], '', 0],
    ['lives with gossip at a port of its own', [8500, 9301], SELF.replace('8301', '9301'), 0],
    ['lives where it may not see its own configuration', [8500], 'Permission denied', 0],
    ['lives where it cannot see what listens', [], SELF, 0],
  ])('%s', async (_, ports, answer, code) => {
    const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-net-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'tcp6'), ports.map(listening).join(''));
    const here = script?.replaceAll('/proc/net', folder).replace('kill 1;', `echo >${folder}/ended;`);
    expect(await live(here, { [known]: '200', [self]: answer })).toEqual({ code, joined: [] });
    expect(existsSync(join(folder, 'ended'))).toBe(code === 1);
  });

  test('fails when it hangs', async () => {
    expect(await live(script, { [known]: '000', [own]: '000' })).toEqual({ code: 1, joined: [] });
  });

  test('fails as an orphan of servers with a leader, and joins them before', async () => {
    expect(await live(script, { [known]: '500', [others]: '"10.1.1.1:8300"' })).toEqual({ code: 1, joined });
  });

  test.each([
    ['no server answers: it is cut off', ''],
    ['the server there is knows no leader either', '""'],
    ['the server there is answers with an error', 'No cluster leader'],
  ])('joins and lives as an orphan when %s', async (_, answer) => {
    expect(await live(script, { [known]: '500', [others]: answer })).toEqual({ code: 0, joined });
  });
});

test('an image without curl is not restarted for it', async () => {
  for (const role of ['server', 'client'] as const) {
    const command = agentOf(config(), role).livenessProbe?.exec?.command?.[2] ?? '';
    const code = await new Promise<number>((resolve) => {
      execFile('/bin/sh', ['-c', command], { env: { PATH: '/nowhere' } }, (error) =>
        resolve(error ? Number(error.code) : 0),
      );
    });
    expect(code).toBe(0);
  }
});
