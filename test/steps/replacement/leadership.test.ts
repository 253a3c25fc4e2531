import { describe, expect, test } from 'vitest';
import { handOver } from '../../../src/steps/replacement/leadership.ts';
import { agentsOf, type FakeAnswer, fakeConsul } from '../../consul/fake-consul.ts';
import { healthyAnswers } from '../../consul/server-answers.ts';
import { pod } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const TRANSFER = '/v1/operator/raft/transfer-leader';
const READ = '/v1/kv/consul-deploy/smoke/none';
const address = (at: number) => `10.0.0.${at + 1}:8300`;

/** Three servers over real HTTP, of which the first leads; `instead` answers before they do. */
async function start(instead: (path: string, name: string) => FakeAnswer | undefined = () => undefined) {
  let leader = 0;
  const asked: string[] = [];
  const names = [0, 1, 2].map((at) => `consul-server-${at}`);
  const fakes = new Map(
    await Promise.all(
      names.map(async (name) => {
        const fake = await fakeConsul(({ method, path, query }) => {
          const own = instead(path, name);
          if (method === 'POST') asked.push(`${name} ${query.get('id') ?? 'any'}`);
          if (own) return own;
          if (method === 'POST' && path === TRANSFER) {
            leader = Number(query.get('id')?.at(-1) ?? 1);
            return { body: { Success: true } };
          }
          if (path === '/v1/status/leader') return { body: address(leader) };
          return healthyAnswers(name)[path] ?? { status: 404, text: '' };
        });
        return [name, fake] as const;
      }),
    ),
  );
  const { run, lines } = startRun();
  const agents = agentsOf(fakes);
  const workloads = { pods: () => names.map((name, at) => pod(name, { ip: `10.0.0.${at + 1}` })) };
  const hand = (awayFrom: string, rather?: string[]) =>
    handOver(run, { workloads, agents }, { awayFrom, ...(rather && { rather }) });
  const requests = (path: string) =>
    names.flatMap((name) => (fakes.get(name)?.requests.some((one) => one.path === path) ? [name] : []));
  return { hand, asked, lines, requests, names, run };
}

describe('before a server stops', () => {
  test('a leader hands over to whom it rather should, and requests through each server reach that one', async () => {
    const { hand, asked, lines, requests, names } = await start();
    expect(await hand('consul-server-0', ['consul-server-2'])).toBe('done');
    expect(asked).toEqual(['consul-server-0 id-2']);
    expect(lines.join('\n')).toContain('consul-server-0 has handed the leadership over to consul-server-2');
    expect(requests(READ)).toEqual(names);
  });

  test('a follower asks nobody to take over', async () => {
    const { hand, asked } = await start();
    expect(await hand('consul-server-1', ['consul-server-2'])).toBe('none');
    expect(asked).toEqual([]);
  });

  test('a handover that ACLs deny, or that fails, is told in the report, and ends nothing', async () => {
    const { hand, lines, run } = await start((path) =>
      path === TRANSFER ? { status: 403, text: 'Permission denied' } : undefined,
    );
    expect(await hand('consul-server-0')).toBe('failed');
    expect(lines.join('\n')).toMatch(/has not handed the leadership over: .* answered 403/);
    expect(run.known.warnings).toEqual([
      expect.stringMatching(/^consul-server-0 stops while it leads, so writes may wait .* answered 403/),
    ]);
  });

  test('a leader that has not handed over is asked once more, and then there is nothing to warn of', async () => {
    let times = 0;
    const { hand, asked, run } = await start((path) =>
      path === TRANSFER && times++ === 0 ? { status: 500, text: 'cannot transfer now' } : undefined,
    );
    expect(await hand('consul-server-0')).toBe('done');
    expect(asked).toEqual(['consul-server-0 any', 'consul-server-0 any']);
    expect(run.known.warnings).toEqual([]);
  });

  test('an election in between is waited for, at each server', async () => {
    let elections = 0;
    const { hand, requests, names } = await start((path, name) =>
      path === READ && name === 'consul-server-1' && elections++ < 2
        ? { status: 500, text: 'No cluster leader' }
        : undefined,
    );
    expect(await hand('consul-server-0')).toBe('done');
    expect(elections).toBe(3);
    expect(requests(READ)).toEqual(names);
  });

  test('a read that ACLs deny was answered all the same', async () => {
    const { hand } = await start((path) =>
      path === READ ? { status: 403, text: 'Permission denied' } : undefined,
    );
    expect(await hand('consul-server-0')).toBe('done');
  });
});
