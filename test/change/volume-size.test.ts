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
    [
      'of two templates, both of which were made bigger before',
      servers({ data: '20Gi', logs: '3Gi' }),
      servers({ data: '10Gi', logs: '1Gi' }, 'data=20Gi,logs=2Gi'),
      [
        { template: 'data', from: '20Gi', to: '20Gi' },
        { template: 'logs', from: '2Gi', to: '3Gi' },
      ],
    ],
    [
      'with an annotation that somebody has damaged',
      servers({ data: '20Gi' }),
      servers({ data: '10Gi' }, 'data=,=1Gi,data'),
      [{ template: 'data', from: '10Gi', to: '20Gi' }],
    ],
    ['that are no amounts', servers({ data: 'big' }), servers({ data: 'big' }), []],
    [
      'that are no amounts, and others than before',
      servers({ data: 'bigger' }),
      servers({ data: 'big' }),
      [{ template: 'data', from: 'big', to: 'bigger' }],
    ],
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

  test('of two templates stay in one annotation; what a template asks for besides stays', () => {
    const live = servers({ data: '10Gi', logs: '1Gi', kept: '5Gi' });
    const desired = servers({ data: '20Gi', logs: '2Gi', kept: '5Gi' });
    const fitted = withLiveSizes(desired, live);
    expect(fitted.spec).toEqual(live.spec);
    expect(fitted.metadata.annotations).toMatchObject({ [VOLUME_SIZES]: 'data=20Gi,logs=2Gi' });
    // A template of the same size in other words is applied as it was written.
    const words = withLiveSizes(
      servers({ data: '20Gi', logs: '1024Mi' }),
      servers({ data: '10Gi', logs: '1Gi' }),
    );
    expect(words.spec).toEqual(servers({ data: '10Gi', logs: '1024Mi' }).spec);
  });

  test('are none of a template that asks for nothing, nor of a live one that has no annotations', () => {
    const { annotations: _, ...metadata } = servers({}).metadata;
    const live = { ...servers({ data: '10Gi' }), metadata };
    const of = (template: object) => ({
      ...servers({}),
      spec: { volumeClaimTemplates: [{ metadata: { name: 'data' }, ...template }] },
    });
    for (const template of [{}, { spec: {} }, { spec: { resources: {} } }]) {
      expect(resizedTemplates(of(template), live)).toEqual([]);
    }
    expect(resizedTemplates(servers({ data: '20Gi' }), live)).toHaveLength(1);
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
  ['1Gi', 'big', undefined],
])('%s is smaller than %s: %s', (size, than, smaller) => {
  expect(isSmaller(size, than)).toBe(smaller);
});
