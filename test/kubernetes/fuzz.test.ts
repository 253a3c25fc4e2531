import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyObject } from '../../src/kubernetes/apply/apply.ts';
import { planSet } from '../../src/kubernetes/apply/plan.ts';
import { Discovery } from '../../src/kubernetes/discovery.ts';
import { listEvents } from '../../src/kubernetes/event.ts';
import type { Transport } from '../../src/kubernetes/http/transport.ts';
import { readLog } from '../../src/kubernetes/streams/log.ts';
import { type Answer, answers, BROKEN, expectOwn, give, LONG_MS } from './broken-answer.ts';
import { answerAggregated } from './fake-discovery.ts';
import { connectTo, signal, startServer } from './fake-server.ts';

const configMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'consul', namespace: 'consul' },
  data: { a: 'b' },
};

/** What is asked, and what is expected of its answer. */
const CALLS: Record<string, (transport: Transport, signal: AbortSignal, known: Discovery) => Promise<void>> =
  {
    async 'Transport.request'(transport, signal) {
      const { body, warnings } = await transport.request({ method: 'GET', path: '/x', signal });
      expect(body).toBeTypeOf('object');
      expect(warnings).toBeInstanceOf(Array);
    },
    async listEvents(transport, signal) {
      for (const event of await listEvents(transport, 'consul', { uid: 'u' }, signal)) {
        const text = expect.any(String);
        expect(event).toEqual({
          reason: text,
          message: text,
          count: expect.any(Number),
          lastAt: expect.any(Number),
        });
        expect(event.lastAt).not.toBeNaN();
      }
    },
    async readLog(transport, signal) {
      const source = { namespace: 'consul', pod: 'p', container: 'c', previous: false };
      expect(typeof (await readLog(transport, source, signal))).toMatch(/^(string|undefined)$/);
    },
    async Discovery(transport, signal) {
      const discovery = await Discovery.load(transport, signal);
      for (const [version, kind] of [
        ['v1', 'ConfigMap'],
        ['apps/v1', 'consul'],
        ['v1', 'v1'],
      ] as const) {
        expect(discovery.resource(version, kind).path('consul', 'x')).toBeTypeOf('string');
      }
    },
    async applyObject(transport, signal, discovery) {
      const { object } = await applyObject({ transport, discovery }, configMap, { signal });
      expect(object.metadata).toBeTypeOf('object');
    },
    async planSet(transport, signal, discovery) {
      const forceConflicts = ['ConfigMap/*:data.b'];
      const { objects } = await planSet({ transport, discovery }, [configMap], { forceConflicts, signal });
      expect(objects).toHaveLength(1);
    },
  };

/** A transport whose calls are all answered like this, that does not wait to try again. */
async function facing() {
  let now: Answer | undefined;
  const server = await startServer((call, response) => {
    if (now) give(response, now);
    else answerAggregated(call, response);
  });
  const transport = await connectTo(server.url);
  const known = await Discovery.load(transport, signal());
  return async (call: keyof typeof CALLS, answer: Answer) => {
    now = answer;
    const stopped = new AbortController();
    const enough = new Error('tried again');
    transport.onRetry = (line) => {
      // A pause that is no number, or less than nothing, would be no pause.
      expect(line).toMatch(/, trying again in \d+\.\d s$/);
      stopped.abort(enough);
    };
    const limit = AbortSignal.timeout(LONG_MS);
    try {
      await CALLS[call]?.(transport, AbortSignal.any([stopped.signal, limit]), known);
    } catch (error) {
      if (error !== enough) expectOwn(error);
    }
    expect(limit.aborted).toBe(false);
  };
}

describe.each(Object.keys(CALLS))('%s', (call) => {
  test.each(BROKEN)('bears %s', async (_name, answer) => {
    const against = await facing();
    await against(call, answer);
  });

  test('bears answers and errors with whatever in their fields', async () => {
    const against = await facing();
    await fc.assert(
      fc.asyncProperty(answers, (answer) => against(call, answer)),
      { numRuns: 200 },
    );
  });
});
