import { expect } from 'vitest';
import { kubectl, namespaceName } from '../kubernetes/cluster.ts';
import type { Outcome } from '../run/action.ts';

/** Too short for the deadline to pass for an answer: what is found out must be found out in seconds. */
export const SHORT = { timeout: '25s', 'stable-for': '1s' };

const made: string[] = [];
export function newNamespace(scenario: string): string {
  const name = namespaceName(scenario);
  made.push(name);
  return name;
}

/** At once: most of them were never made, unless a test has failed. */
export async function removeNamespaces(): Promise<void> {
  await kubectl('delete', 'namespace', ...made, '--ignore-not-found', '--wait=false');
}

/** Refused, for this reason, before anything was written. */
export async function expectRefused(outcome: Outcome, reason: string, namespace: string): Promise<void> {
  expect(outcome.code, outcome.log).toBe(1);
  expect(outcome.outputs).toMatchObject({ result: 'failure', 'failure-reason': reason, changed: 'false' });
  expect(outcome.report).toMatchObject({ result: 'failure', changed: false, objects: [] });
  expect(outcome.report?.failure?.reason).toBe(reason);
  expect(outcome.report?.left).toMatch(/^Nothing was changed|^No cluster was touched/);
  expect(outcome.summary).toContain('Consul is not proven');
  expect(await kubectl('get', 'namespace', namespace, '--ignore-not-found', '-o', 'name')).toBe('');
}

export const failureOf = ({ report }: Outcome) =>
  report?.failure ?? { what: '', hint: '', where: '', details: [] };
