import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { leadershipHook } from '../../../src/manifests/server/leadership-hook.ts';

const OWN = '10.0.0.1';

/** Runs the hook beside an agent that names these leaders, one after the other, the last for good. */
async function run(
  own: string,
  leaders: string[],
  { transferStatus = 200, slowAnswers = 0, closes = false } = {},
): Promise<{ code: number; calls: string[] }> {
  const calls: string[] = [];
  let transferred = false;
  let at = 0;
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    if (request.url === '/v1/operator/raft/transfer-leader') {
      transferred = transferStatus === 200;
      response.writeHead(transferStatus).end();
      return;
    }
    if (closes) return void request.socket.destroy();
    if (slowAnswers-- > 0) return;
    if (transferred) at = Math.min(at + 1, leaders.length - 1);
    response.end(JSON.stringify(leaders[at]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const hook = leadershipHook(`"${own}"`, port, 8300) as { exec: { command: string[] } };
  const [command = '', ...rest] = hook.exec.command;
  const code = await new Promise<number>((resolve) => {
    execFile(command, rest, (error) => resolve(error ? Number(error.code) : 0));
  });
  return { code, calls };
}

const transfers = (calls: string[]) =>
  calls.filter((call) => call === 'POST /v1/operator/raft/transfer-leader').length;

test.each([
  ['IPv4', OWN, `${OWN}:8300`],
  ['IPv6', 'fd00::1', '[fd00::1]:8300'],
])('a leader hands over, and waits until another leads: %s', async (_, own, leader) => {
  const { code, calls } = await run(own, [leader, leader, '', '10.0.0.2:8300']);
  expect(code).toBe(0);
  expect(transfers(calls)).toBe(1);
  // Before, and then until there is another; none at first.
  expect(calls).toHaveLength(5);
});

test.each<[string, string[], Parameters<typeof run>[2]]>([
  ['knows no leader', [''], {}],
  ['does not run', [`${OWN}:8300`], { closes: true }],
])('one that %s is asked once', async (_, leaders, given) => {
  const { code, calls } = await run(OWN, leaders, given);
  expect({ code, calls }).toEqual({ code: 0, calls: ['GET /v1/status/leader'] });
});

test('a follower does nothing: its call would unseat the leader', async () => {
  const { code, calls } = await run(OWN, ['10.0.0.11:8300']);
  expect({ code, calls }).toEqual({ code: 0, calls: ['GET /v1/status/leader'] });
});

test.each([403, 500])('a hand-over that is refused (%i) does not hold up the stop', async (status) => {
  const { code, calls } = await run(OWN, [`${OWN}:8300`], { transferStatus: status });
  expect(code).toBe(0);
  expect(calls).toEqual(['GET /v1/status/leader', 'POST /v1/operator/raft/transfer-leader']);
});

test('a leader that is slow to answer is asked again, and hands over', async () => {
  const { code, calls } = await run(OWN, [`${OWN}:8300`, '10.0.0.2:8300'], { slowAnswers: 1 });
  expect(code).toBe(0);
  expect(transfers(calls)).toBe(1);
});

test('an agent that does not run, or knows no leader, is not waited for', async () => {
  const once = ['GET /v1/status/leader'];
  expect((await run(OWN, [''])).calls).toEqual(once);
  expect((await run(OWN, [`${OWN}:8300`], { closes: true })).calls).toEqual(once);
});

test('it gives up after a few seconds where nobody else comes to lead', async () => {
  const { code, calls } = await run(OWN, [`${OWN}:8300`]);
  expect(code).toBeLessThanOrEqual(1);
  expect(transfers(calls)).toBe(1);
});
