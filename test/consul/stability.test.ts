import { describe, expect, test } from 'vitest';
import type { ServerEvidence } from '../../src/consul/evidence.ts';
import { StabilityWindow, stableMs } from '../../src/consul/stability.ts';

test('nothing is held before the first pass', () => {
  const window = new StabilityWindow();
  expect(window.heldMs(100)).toBe(0);
  window.observe(false, 'a', 100);
  expect(window.heldMs(500)).toBe(0);
});

test('the window runs from the first pass, not from the last', () => {
  const window = new StabilityWindow();
  window.observe(true, 'a', 100);
  window.observe(true, 'a', 400);
  expect(window.heldMs(1_100)).toBe(1_000);
});

test('a failure restarts it', () => {
  const window = new StabilityWindow();
  window.observe(true, 'a', 100);
  window.observe(false, 'a', 200);
  expect(window.heldMs(300)).toBe(0);
  window.observe(true, 'a', 400);
  expect(window.heldMs(500)).toBe(100);
});

test('another leader or term restarts it', () => {
  const window = new StabilityWindow();
  window.observe(true, 'leader 1, term 2', 100);
  window.observe(true, 'leader 2, term 3', 200);
  expect(window.heldMs(500)).toBe(300);
});

describe('what the leader says of how stable the servers are', () => {
  const since = (seconds: number) => new Date(seconds * 1000).toISOString();
  const said = (
    name: string,
    leader: string,
    at: number,
    stable: Record<string, number>,
  ): ServerEvidence => ({
    name,
    denied: [],
    errors: {},
    autopilotAt: at * 1000,
    autopilot: {
      healthy: true,
      failureTolerance: 1,
      servers: Object.entries(stable).map(([server, seconds]) => ({
        name: server,
        address: '',
        nodeStatus: 'alive',
        version: '1.22.7',
        lastTerm: 2,
        healthy: true,
        status: server === leader ? 'leader' : 'voter',
        stableSince: since(seconds),
      })),
    },
  });
  const stable = { a: 100, b: 130, c: 110 };

  test('counts from the one that became stable last, by the clock of the leader', () => {
    const evidence = [said('a', 'b', 9_999, stable), said('b', 'b', 142, stable), said('c', 'b', 5, stable)];
    expect(stableMs(evidence)).toBe(12_000);
  });

  test.each([
    ['the leader was not asked', [said('a', 'b', 142, stable), said('c', 'b', 142, stable)]],
    ['it misses a server', [said('b', 'b', 142, { a: 100, b: 100 }), said('c', 'b', 142, stable)]],
    ['its clock is not known', [{ ...said('b', 'b', 142, stable), autopilotAt: undefined }]],
    ['there is no autopilot', [{ name: 'b', denied: [], errors: {} }]],
    ['it has only just found them so', [said('b', 'b', 120, stable)]],
  ] as [string, ServerEvidence[]][])('counts nothing when %s', (_, evidence) => {
    expect(stableMs(evidence)).toBe(0);
  });

  test('counts nothing when one of them is not healthy', () => {
    const evidence = said('b', 'b', 142, stable);
    evidence.autopilot?.servers.forEach((server) => {
      if (server.name === 'c') server.healthy = false;
    });
    expect(stableMs([evidence])).toBe(142_000 - 130_000);
    expect(stableMs([evidence, { name: 'c', denied: [], errors: {} }])).toBe(0);
  });
});
