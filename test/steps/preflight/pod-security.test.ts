import { expect, test } from 'vitest';
import { checkPodSecurity } from '../../../src/steps/preflight/pod-security.ts';
import { raw } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const LEVEL = 'pod-security.kubernetes.io/enforce';
const WARNING = 'would violate PodSecurity "restricted:latest": host namespaces (hostNetwork=true)';

function attempt(labels: Record<string, string> | undefined, warnings: string[]) {
  const { run } = startRun();
  const namespace = labels && raw('Namespace', { labels });
  try {
    checkPodSecurity(run, namespace, warnings);
    return { run, thrown: undefined };
  } catch (thrown) {
    return { run, thrown };
  }
}

test('a warning of the Pod Security level that is enforced is a refusal', () => {
  const { run, thrown } = attempt({ [LEVEL]: 'restricted' }, ['something else', WARNING]);
  expect(thrown).toMatchObject({ reason: 'pod-refused', what: expect.stringContaining(WARNING) });
  expect(run.failedChecks()).toMatchObject([{ id: 'cluster-pod-security', observed: WARNING }]);
});

test.each<[string, Record<string, string> | undefined, string[]]>([
  ['a warning of a level that is not enforced', { [LEVEL]: 'baseline' }, [WARNING]],
  ['a warning where no level is enforced', {}, [WARNING]],
  ['no warning', { [LEVEL]: 'restricted' }, ['something else']],
  ['a namespace that is not known', undefined, [WARNING]],
])('%s is no refusal by Pod Security', (_, labels, warnings) => {
  expect(attempt(labels, warnings).thrown).toBeUndefined();
});
