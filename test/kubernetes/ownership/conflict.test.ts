import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../src/kubernetes/error.ts';
import {
  type Conflict,
  conflictFailure,
  conflictLine,
  conflictsOf,
  isAllowed,
} from '../../../src/kubernetes/ownership/conflict.ts';

const object = (kind: string, fields: object) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'consul-server', namespace: 'consul' },
  ...fields,
});

const refusal = (...causes: { field: string; message: string; reason?: string }[]) =>
  new ApiError({
    status: 409,
    reason: 'Conflict',
    message: 'Apply failed',
    details: { causes: causes.map((cause) => ({ reason: 'FieldManagerConflict', ...cause })) },
  });

const lines = (
  kind: string,
  field: string,
  live: object,
  wanted: object,
  message = 'conflict with "x" using v1',
) => conflictsOf(refusal({ field, message }), object(kind, wanted), object(kind, live)).map(conflictLine);

describe('conflictsOf', () => {
  test('names field, manager, live and wanted value', () => {
    const message = 'conflict with "kubectl-edit" using apps/v1';
    expect(
      lines('StatefulSet', '.spec.replicas', { spec: { replicas: 5 } }, { spec: { replicas: 3 } }, message),
    ).toEqual(['StatefulSet/consul-server .spec.replicas: owned by "kubectl-edit" (live 5, wanted 3)']);
  });

  test('names the subresource, and copes with a time', () => {
    const message = 'conflict with "hpa" with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z';
    const [line] = lines(
      'StatefulSet',
      '.spec.replicas',
      { spec: { replicas: 5 } },
      { spec: { replicas: 3 } },
      message,
    );
    expect(line).toContain('owned by "hpa (scale)"');
  });

  test('says nothing twice', () => {
    const cause = { field: '.spec.replicas', message: 'conflict with "a" using v1' };
    const other = { ...cause, message: 'conflict with "b" using v1' };
    expect(conflictsOf(refusal(cause, cause, other), object('Service', {}), undefined)).toHaveLength(2);
  });

  test('other errors and other causes are no conflicts', () => {
    expect(
      conflictsOf(refusal({ field: 'a', message: 'b', reason: 'Other' }), object('Pod', {}), undefined),
    ).toEqual([]);
    expect(
      conflictsOf(new ApiError({ status: 409, message: 'changed' }), object('Pod', {}), undefined),
    ).toEqual([]);
    expect(conflictsOf(new Error('x'), object('Pod', {}), undefined)).toEqual([]);
  });

  test.each([
    ['Secret', '.data.key', { data: { key: 'c2VjcmV0' } }],
    ['Secret', '.data', { data: { key: 'c2VjcmV0' } }],
    ['Secret', '.stringData.a', { stringData: { a: 'c2VjcmV0' } }],
    [
      'ConfigMap',
      '.data.server.json',
      { data: { 'server.json': `{"encrypt":"c2VjcmV0"}${' '.repeat(60)}` } },
    ],
    [
      'StatefulSet',
      '.spec.containers[name="a"].env[name="CONSUL_HTTP_TOKEN"].value',
      { spec: { containers: [{ name: 'a', env: [{ name: 'CONSUL_HTTP_TOKEN', value: 'c2VjcmV0' }] }] } },
    ],
  ])('no value of %s %s is shown', (kind, field, fields) => {
    const shown = lines(kind, field, fields, fields);
    expect(shown).toHaveLength(1);
    expect(shown.join()).toMatch(/\(hidden\)|characters\)/);
    expect(shown.join()).not.toContain('c2VjcmV0');
  });

  test('labels of a Secret are no secret', () => {
    const fields = { metadata: { name: 'consul-server', labels: { app: 'consul' } } };
    expect(lines('Secret', '.metadata.labels.app', fields, fields).join()).toContain('live "consul"');
  });
});

describe('isAllowed', () => {
  const field = '.spec.template.spec.containers[name="consul"].image';
  const conflict: Conflict = {
    object: 'StatefulSet/consul-server',
    field,
    manager: 'm',
    live: '1',
    wanted: '2',
  };

  test.each([
    [`StatefulSet/consul-server:${field}`, true],
    [`StatefulSet/consul-server:${field.slice(1)}`, true],
    ['StatefulSet/consul-server:spec.template.**', true],
    ['StatefulSet/*:.spec.template.spec.containers[name="*"].image', true],
    ['*/consul-server:*', true],
    ['StatefulSet/consul-server', true],
    ['StatefulSet/consul-client:*', false],
    ['DaemonSet/consul-server:*', false],
    ['StatefulSet/consul-server:.spec.replicas', false],
    ['StatefulSet/consul-server:.spec', false],
    ['StatefulSet/consul:*', false],
    ['!StatefulSet/other:*', false],
  ])('%s: %s', (glob, expected) => {
    expect(isAllowed(conflict, [glob])).toBe(expected);
  });

  test('a star crosses the slash of an annotation', () => {
    const annotation = { ...conflict, field: '.metadata.annotations.example.com/a' };
    expect(isAllowed(annotation, ['StatefulSet/consul-server:.metadata.annotations.*'])).toBe(true);
  });

  test('what the hint proposes is taken', () => {
    const glob = /`force-conflicts: (.*)`/.exec(conflictFailure([conflict]).hint ?? '')?.[1] ?? '';
    expect(isAllowed(conflict, [glob])).toBe(true);
  });
});
