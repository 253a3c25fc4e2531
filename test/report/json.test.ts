import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { FAILURE_REASONS } from '../../src/failure.ts';
import { toJson } from '../../src/report/json.ts';
import type { Result } from '../../src/report/result.ts';
import { cancelled, failure, GHOSTS, HOSTILE, hostile, success } from './example.ts';

const schema = JSON.parse(readFileSync(new URL('../../docs/report.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv2020({ allErrors: true }).compile(schema);

function errors(text: string): unknown {
  return validate(JSON.parse(text)) ? [] : validate.errors;
}

const SOME = { total: 1, names: ['a'] };
const NAMES = { onlyHere: SOME, onlyThere: SOME, changed: SOME };

describe('the JSON report', () => {
  const results: [string, Result][] = [
    ['success', success()],
    ['failure', failure()],
    ['cancelled', cancelled()],
    ['render', success({ mode: 'render' })],
    ['a sweep', success({ mode: 'sweep', ghosts: GHOSTS })],
    [
      'an inspection',
      success({
        mode: 'inspect',
        snapshot: {
          ...{ path: 'a', bytes: 1, sha256: '0'.repeat(64), encrypted: false, stale: false, index: 1 },
          ...{ takenAt: '2026-03-01T09:00:00.000Z', versions: ['1.22.7'], counts: { keys: 1 } },
          prefixes: [{ prefix: 'a/', keys: 1, bytes: 1 }],
          services: [
            { service: 'a', instances: 1, nodes: 1 },
            { service: '(all others)', instances: 1 },
          ],
        },
        difference: {
          ...{ with: 'cluster', index: 1, takenAt: '2026-03-01T09:00:00.000Z', total: 1 },
          ...{ keys: NAMES, nodes: NAMES, services: NAMES },
          counts: [{ kind: 'sessions', here: 1, there: 2 }],
        },
      }),
    ],
    ['a warning', success({ checks: success().checks.map((check) => ({ ...check, status: 'warning' })) })],
    ...Object.entries(HOSTILE).map(([name, text]): [string, Result] => [name, hostile(text)]),
  ];
  test.each(results)('is as its schema says: %s', (_, result) => expect(errors(toJson(result))).toEqual([]));

  test('has everything of the Result', () => expect(JSON.parse(toJson(failure()))).toEqual(failure()));

  test('is the same whatever order the Result was built in', () => {
    const { phases, timings, ...rest } = success();
    const backwards = Object.fromEntries(Object.entries(timings).reverse());
    const turned = phases.map(({ name, startMs, ...others }) => ({ ...others, startMs, name }));
    expect(toJson({ timings: backwards, phases: turned, ...rest })).toBe(toJson(success()));
  });

  test('has its keys in the order of reading, others by the alphabet, and its texts made plain', () => {
    const cluster = { version: 'v\u00071', server: 'a', context: 'b' };
    const keys = (value: object) => Object.keys(value);
    const report = JSON.parse(toJson(success({ cluster, timings: { b: 1, c: 2, a: 3 } })));
    expect(keys(report)).toEqual([
      ...[
        'schemaVersion',
        'mode',
        'result',
        'left',
        'startedAt',
        'durationMs',
        'cluster',
        'namespace',
        'name',
      ],
      ...[
        'changed',
        'manifestDigest',
        'image',
        'consulVersion',
        'leader',
        'voters',
        'clientsReady',
        'clientsDesired',
      ],
      ...['uiCommand', 'topology', 'phases', 'checks', 'objects', 'warnings', 'timings', 'history'],
    ]);
    expect(keys(report.timings)).toEqual(['a', 'b', 'c']);
    expect(keys(report.cluster)).toEqual(['context', 'server', 'version']);
    expect(report.cluster.version).toBe('v1');
    expect(keys(report.checks[0])).toEqual([
      'durationMs',
      'expected',
      'group',
      'id',
      'observed',
      'status',
      'title',
    ]);
    expect(JSON.parse(toJson({ ...success(), leader: null } as never)).leader).toBeNull();
  });

  test('begins with what matters and ends its last line', () => {
    expect(toJson(failure())).toMatch(
      /^\{\n {2}"schemaVersion": 1,\n {2}"mode": "deploy",\n {2}"result": "failure",/,
    );
    expect(toJson(failure())).toMatch(/\}\n$/);
  });
});

describe('the schema', () => {
  test('knows every failure reason', () => {
    expect(schema.properties.failure.properties.reason.enum).toEqual(FAILURE_REASONS);
  });

  test.each([
    ['an unknown field', { extra: 1 }],
    ['an unknown result', { result: 'fine' }],
    ['a negative duration', { durationMs: -1 }],
    ['a check without status', { checks: [{ id: 'a' }] }],
  ])('refuses %s', (_, rest) => expect(errors(JSON.stringify({ ...success(), ...rest }))).not.toEqual([]));
});
