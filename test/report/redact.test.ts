import { expect, test } from 'vitest';
import { redactResult } from '../../src/report/redact.ts';
import { Secrets } from '../../src/report/secret.ts';
import { failure, success } from './example.ts';
import { filled } from './filled.ts';

function knowing(...values: string[]): Secrets {
  const secrets = new Secrets();
  for (const value of values) secrets.add(value);
  return secrets;
}

/** Every text in a value, with its key. */
function texts(value: unknown, key = ''): [key: string, text: string][] {
  if (typeof value === 'string') return [[key, value]];
  if (Array.isArray(value)) return value.flatMap((part) => texts(part, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => texts(part, name));
}

test('a secret is taken out of every text that a result can have', () => {
  const result = redactResult(filled('hunter-secret'), knowing('hunter-secret'));
  expect(JSON.stringify(result)).not.toContain('hunter');
  const { help: _, ...why } = result.failure ?? expect.unreachable();
  expect(why.what).toBe('it says *** here');
  expect(result.phases.find(({ name }) => name === 'apply')?.steps?.[0]?.name).toBe('it says *** here');
  expect(texts(result).filter(([, text]) => text === 'it says *** here').length).toBeGreaterThan(30);
});

test('a secret that is one only without what nobody sees is taken out, too', () => {
  const secrets = knowing('hunter-secret');
  for (const text of ['hunter\u200b-secret', 'hunter\u001b[1m-secret'])
    expect(redactResult(success({ left: text }), secrets).left).toBe('***');
});

test('words of this project stay, also where a secret is like one of them', () => {
  const result = filled('x');
  const words = [
    'deploy',
    'failure',
    'timeout',
    'servers',
    'pending',
    'created',
    'rolls-pods',
    'catalog',
    'leader',
  ];
  const all = [
    ...words,
    'unheld',
    'servers-ready',
    'passed',
    'failed',
    'warning',
    'clients',
    'quorum',
    'changed',
  ];
  const redacted = redactResult(result, knowing(...all));
  const closed = ({
    mode,
    result: verdict,
    failure: why,
    checks,
    objects,
    plan,
    ghosts,
    topology,
    phases,
  }: typeof result) => [
    ...[mode, verdict, why?.reason, checks.map(({ id, group, status }) => [id, group, status])],
    ...[objects.map(({ action }) => action), plan?.map(({ consequence }) => consequence)],
    ghosts?.map((ghost) => [ghost.class, ghost.remedy, ghost.outcome]),
    topology?.servers.map(({ state, raft }) => [state, raft]),
    phases.map(({ name, status }) => [name, status]),
    phases.flatMap(({ steps = [] }) => steps.map(({ status }) => status)),
  ];
  expect(closed(redacted)).toEqual(closed(result));
});

test('a result without a secret stays as it is', () => {
  expect(redactResult(failure(), knowing('hunter-secret'))).toEqual(failure());
});
