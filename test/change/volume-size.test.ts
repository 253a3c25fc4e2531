import { describe, expect, test } from 'vitest';
import { isSmaller, resizedTemplates, VOLUME_SIZES, withLiveSizes } from '../../src/change/volume-size.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';

function servers(sizes: Record<string, string>, annotation?: string): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: 'consul-server',
      annotations: { team: 'a', ...(annotation !== undefined && { [VOLUME_SIZES]: annotation }) },
    },
    spec: {
      replicas: 3,
      volumeClaimTemplates: Object.entries(sizes).map(([name, storage]) => ({
        metadata: { name },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
      })),
    },
  };
}

describe('sizes that a claim template cannot have', () => {
  test.each<[string, KubernetesObject, KubernetesObject, object[]]>([
    ['the same', servers({ data: '10Gi' }), servers({ data: '10Gi' }), []],
    ['the same in other words', servers({ data: '10240Mi' }), servers({ data: '10Gi' }), []],
    [
      'bigger',
      servers({ data: '20Gi' }),
      servers({ data: '10Gi' }),
      [{ template: 'data', from: '10Gi', to: '20Gi' }],
    ],
    [
      'as big as it was made before: the claims are asked whether all of them are',
      servers({ data: '20Gi' }),
      servers({ data: '10Gi' }, 'data=20Gi'),
      [{ template: 'data', from: '20Gi', to: '20Gi' }],
    ],
    [
      'bigger again',
      servers({ data: '30Gi' }),
      servers({ data: '10Gi' }, 'data=20Gi'),
      [{ template: 'data', from: '20Gi', to: '30Gi' }],
    ],
    [
      'back to where it began',
      servers({ data: '10Gi' }),
      servers({ data: '10Gi' }, 'data=20Gi'),
      [{ template: 'data', from: '20Gi', to: '10Gi' }],
    ],
    [
      'of one of two templates',
      servers({ data: '10Gi', logs: '2Gi' }),
      servers({ data: '10Gi', logs: '1Gi' }),
      [{ template: 'logs', from: '1Gi', to: '2Gi' }],
    ],
    ['of a template that is new', servers({ data: '10Gi', logs: '2Gi' }), servers({ data: '10Gi' }), []],
    ['without volumes', servers({}), servers({ data: '10Gi' }), []],
  ])('%s', (_, desired, live, resized) => {
    expect(resizedTemplates(desired, live)).toEqual(resized);
  });

  test('stay in an annotation, and the templates as they are', () => {
    const live = servers({ data: '10Gi', logs: '1Gi' });
    const fitted = withLiveSizes(servers({ data: '20Gi', logs: '1Gi' }), live);
    expect(fitted.spec).toEqual(live.spec);
    expect(fitted.metadata.annotations).toEqual({ team: 'a', [VOLUME_SIZES]: 'data=20Gi' });
    // The next deploy with the same inputs has nothing to write.
    expect(withLiveSizes(servers({ data: '20Gi', logs: '1Gi' }), fitted)).toEqual(fitted);
  });

  test('of other objects do not matter', () => {
    const desired = { ...servers({ data: '20Gi' }), kind: 'DaemonSet' };
    expect(withLiveSizes(desired, servers({ data: '10Gi' }))).toBe(desired);
  });
});

test.each([
  ['1Gi', '2Gi', true],
  ['1Gi', '1024Mi', false],
  ['2Gi', '1G', false],
  [undefined, '1Gi', undefined],
  ['big', '1Gi', undefined],
])('%s is smaller than %s: %s', (size, than, smaller) => {
  expect(isSmaller(size, than)).toBe(smaller);
});
