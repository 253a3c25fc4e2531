import { expect, test } from 'vitest';
import { annotation } from '../../src/report/annotation.ts';
import { cancelled, failure, HOSTILE, hostile, success } from './example.ts';

test('there is none for success', () => expect(annotation(success())).toBeUndefined());

test('says what is wrong, where, what to do and where to read on', () => {
  expect(annotation(failure())).toMatchInlineSnapshot(`
    {
      "message": "Servers ready: expected 3 of 3, observed 2 of 3: consul-server-2 is Pending
    Where: Pod/consul-server-2
    What to do: Free 100m of CPU on a third node, or ask for fewer servers.
    Help: https://github.com/org/consul-deploy/blob/v0.1.0/docs/troubleshooting.md#timeout
    The cluster is left as: running what was applied; the lock is released
    FailedScheduling: 0/3 nodes are available: 1 Insufficient cpu
    consul-server-2: Pending",
      "title": "Consul is not proven: consul-server-2 did not become ready within 10 min",
    }
  `);
});

test('of a cancelled run says how the cluster is left', () => {
  expect(annotation(cancelled())).toMatchInlineSnapshot(`
    {
      "message": "Voters: expected 3, observed 2
    the run was cancelled
    Help: https://github.com/org/consul-deploy/blob/v0.1.0/docs/troubleshooting.md#cancelled
    The cluster is left as: running what was applied; the lock is released",
      "title": "Cancelled in phase “Wait for servers and clients” after 12.3 s",
    }
  `);
});

test.each(Object.entries(HOSTILE))('keeps its link and within its limits: %s', (_, text) => {
  const { title, message } = annotation(hostile(text)) ?? expect.unreachable();
  expect(title.length).toBeLessThanOrEqual(255);
  expect(message.length).toBeLessThanOrEqual(4096);
  expect(message).toContain('troubleshooting.md#timeout');
});

test('cuts evidence, not the cure', () => {
  const details = Array.from({ length: 1000 }, (_, index) => `event ${index}`);
  const { message } =
    annotation(failure({ failure: { reason: 'timeout', what: 'x', hint: 'the cure', details } })) ?? {};
  expect(message?.length).toBe(4000);
  expect(message).toContain('the cure');
});

test('has only what is known, and nothing of a cluster that was not touched', () => {
  const { failure: _, ...silent } = failure({ checks: [] });
  expect(annotation(silent)?.message).toBe(
    'The cluster is left as: running what was applied; the lock is released',
  );
  const why = { reason: 'image', what: 'x', details: ['one\nline'] } as const;
  const render = failure({ mode: 'render', checks: [], failure: { ...why, details: [...why.details] } });
  expect(annotation(render)).toEqual({ title: 'Manifests are not rendered: x', message: 'one line' });
});
