import { describe, expect, test } from 'vitest';
import { outputs } from '../../src/report/outputs.ts';
import { failure, HOSTILE, hostile, success } from './example.ts';

describe('outputs', () => {
  test('of success', () =>
    expect(outputs(success(), '/tmp/report.json')).toMatchInlineSnapshot(`
    {
      "changed": "true",
      "clients-desired": "10",
      "clients-ready": "10",
      "consul-version": "1.22.7",
      "differences": "",
      "duration-ms": "8412",
      "failure-reason": "",
      "image": "docker.io/hashicorp/consul@sha256:5c1f2b0c9d7e4a3f8b6a1d2e3c4f5061728394a5b6c7d8e9f0a1b2c3d4e5f607",
      "leader": "consul-server-0",
      "manifest-digest": "sha256:5c1f2b0c9d7e4a3f8b6a1d2e3c4f5061728394a5b6c7d8e9f0a1b2c3d4e5f607",
      "plan-digest": "",
      "report": "/tmp/report.json",
      "result": "success",
      "snapshot": "",
      "snapshot-index": "",
      "snapshot-sha256": "",
      "voters": "3",
    }
  `));

  test('of failure leave empty what is not known', () => {
    expect(outputs(failure())).toMatchObject({
      result: 'failure',
      'failure-reason': 'timeout',
      leader: '',
      voters: '',
      report: '',
    });
  });

  test('of a snapshot and what it was compared with', () => {
    const names = { total: 0, names: [] };
    const same = { onlyHere: names, onlyThere: names, changed: names };
    const result = success({
      planDigest: 'sha256:0a',
      snapshot: {
        ...{ path: '/w/a b.snap', bytes: 1, sha256: 'f'.repeat(64), index: 7, encrypted: true, stale: false },
        ...{ versions: [], counts: {}, prefixes: [], services: [] },
      },
      difference: {
        with: 'cluster',
        index: 1,
        total: 12,
        keys: same,
        nodes: same,
        services: same,
        counts: [],
      },
      durationMs: 12.6,
    });
    expect(outputs(result)).toMatchObject({
      snapshot: '/w/a b.snap',
      'snapshot-index': '7',
      'snapshot-sha256': 'f'.repeat(64),
      differences: '12',
      'plan-digest': 'sha256:0a',
      'duration-ms': '13',
    });
  });

  test('have a hyphen for each character that a script could take for something', () => {
    expect(outputs(success({ leader: 'a b;$(c)' })).leader).toBe('a-b---c-');
  });

  test('tell zero from unknown', () =>
    expect(outputs(success({ clientsReady: 0 }))['clients-ready']).toBe('0'));

  test.each([...Object.values(HOSTILE), '$(id)', '`id`', '"; id #', "a' b"])(
    'are safe in a script: %j',
    (text) => {
      for (const value of Object.values(outputs(hostile(text)))) expect(value).toMatch(/^[\w.:@/+-]{0,500}$/);
    },
  );
});
