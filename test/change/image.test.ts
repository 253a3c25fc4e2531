import { describe, expect, test } from 'vitest';
import { effectOf } from '../../src/change/consequence.ts';
import { changedImage, imageOf } from '../../src/change/image.ts';
import { changePlan } from '../../src/change/plan.ts';
import type { Step } from '../../src/change/step.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { configMap, MANAGER, workload } from './fixture.ts';

const RUNS_ON = 'its agents start again with the new image in their pods; no pod is replaced for it';
const LOST = 'the only server has no volume: its data goes with its pod';
const TEMPLATE = { path: '.spec.template', before: 1, after: 2 };

interface Template {
  metadata: { labels: Record<string, string> };
  spec: { containers: object[] };
}

/** The same workload with another template. */
function withTemplate(object: KubernetesObject, change: (template: Template) => object): KubernetesObject {
  const spec = object.spec as { template: Template };
  return { ...object, spec: { ...spec, template: change(spec.template) } };
}

const [BEFORE, AFTER] = [workload({ image: 'consul:1' }), workload({ image: 'consul:2' })];
const side = (image: string) => (template: Template) => ({
  ...template,
  spec: { ...template.spec, containers: [...template.spec.containers, { name: 'side', image }] },
});

describe('the image is all that changes of the pods', () => {
  test('where nothing else of the template is another one', () => {
    expect(changedImage(BEFORE, AFTER, 'consul')).toBe('consul:2');
    expect(changedImage(withTemplate(BEFORE, side('a')), withTemplate(AFTER, side('a')), 'consul')).toBe(
      'consul:2',
    );
  });

  test('whatever changes of the workload beside its template', () => {
    const after = workload({ image: 'consul:2', spec: { minReadySeconds: 1 } });
    expect(changedImage(BEFORE, after, 'consul')).toBe('consul:2');
  });

  const labelled = (template: Template) => ({ ...template, metadata: { labels: { team: 'a' } } });
  test.each<[string, KubernetesObject, KubernetesObject]>([
    ['it is the same', BEFORE, BEFORE],
    ['a label changes with it', BEFORE, withTemplate(AFTER, labelled)],
    ['another container comes with it', BEFORE, withTemplate(AFTER, side('a'))],
    ['another container goes with it', withTemplate(BEFORE, side('a')), AFTER],
    ['another container changes, too', withTemplate(BEFORE, side('a')), withTemplate(AFTER, side('b'))],
    ['another container changes alone', withTemplate(BEFORE, side('a')), withTemplate(BEFORE, side('b'))],
    ['there is no such container', withTemplate(BEFORE, () => ({})), withTemplate(AFTER, () => ({}))],
  ])('but not where %s', (_, live, predicted) => {
    expect(changedImage(live, predicted, 'consul')).toBeUndefined();
  });

  test('is that of one container of a pod', () => {
    const spec = { containers: [{ name: 'side', image: 'a' }, { name: 'consul' }] };
    expect([imageOf(spec, 'side'), imageOf(spec, 'consul'), imageOf(undefined, 'side')]).toEqual([
      'a',
      undefined,
      undefined,
    ]);
  });
});

const step = (live: KubernetesObject, predicted: KubernetesObject, imageInPods?: string): Step => ({
  action: 'change',
  desired: predicted,
  live,
  predicted,
  ...(imageInPods !== undefined && { imageInPods }),
});

describe('a new image that comes to agents in their pods', () => {
  test('restarts them and replaces no pod', () => {
    const effect = effectOf(step(BEFORE, AFTER, 'consul:2'), [TEMPLATE]);
    expect(effect).toEqual({ consequence: 'restarts', notes: [RUNS_ON] });
    expect(effectOf(step(BEFORE, AFTER), [TEMPLATE])).toMatchObject({
      consequence: 'rolls-pods',
      podCount: 3,
    });
  });

  test('loses what the only server without a volume has, should its pod be replaced in the end, and says so first', () => {
    const [live, predicted] = ['consul:1', 'consul:2'].map((image) =>
      workload({ image, replicas: 1, claims: false }),
    ) as [KubernetesObject, KubernetesObject];
    expect(effectOf(step(live, predicted, 'consul:2'), [TEMPLATE])).toEqual({
      consequence: 'data-loss',
      notes: [
        LOST,
        expect.stringMatching(/keeps its data there; only where it does not, the pod is replaced$/),
      ],
    });
  });

  const [settings, changed] = [configMap({ a: '1' }), configMap({ a: '2' })];
  const consequences = (...steps: Step[]) =>
    Object.fromEntries(
      changePlan(steps, MANAGER, (live) => (live.kind === 'ConfigMap' ? 'reloads' : undefined)).changes.map(
        ({ kind, consequence }) => [kind, consequence],
      ),
    );

  test('leaves pods that read changed settings anew', () => {
    const config = step(settings, changed);
    expect(consequences(step(BEFORE, AFTER, 'consul:2'), config)).toEqual({
      StatefulSet: 'restarts',
      ConfigMap: 'reloads',
    });
    // Pods that are replaced read them when they start.
    expect(consequences(step(BEFORE, AFTER), config)).not.toMatchObject({ ConfigMap: 'reloads' });
  });

  test('is another plan than one that replaces pods', () => {
    const [stays, rolls] = [step(BEFORE, AFTER, 'consul:2'), step(BEFORE, AFTER)].map(
      (one) => changePlan([one], MANAGER).digest,
    );
    expect(stays).not.toBe(rolls);
  });
});
