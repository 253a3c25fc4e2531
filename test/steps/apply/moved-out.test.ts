import { expect, test } from 'vitest';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import { movedOut } from '../../../src/steps/apply/moved-out.ts';
import { object } from '../../inventory/fixture.ts';

const NAME = 'consul-server-config';
const map = (...files: string[]) =>
  object('ConfigMap', NAME, {}, { data: Object.fromEntries(files.map((file) => [file, 'x'])) });
const secret = (...files: string[]) =>
  object('Secret', NAME, {}, { data: Object.fromEntries(files.map((file) => [file, 'eA=='])) });
const step = (desired: PlannedObject['desired'], live?: PlannedObject['desired']): PlannedObject => ({
  desired,
  predicted: desired,
  ...(live && { live }),
  action: live ? 'change' : 'create',
  force: false,
  unverified: false,
});

test.each<[string, PlannedObject[], boolean]>([
  [
    'a file that goes to the Secret stays until its readers are replaced',
    [step(map('10-agent.json'), map('10-agent.json', '20-override.json')), step(secret('20-override.json'))],
    true,
  ],
  [
    'a file that goes to the Secret in another format would be read beside it',
    [step(map('10-agent.json'), map('10-agent.json', '20-override.hcl')), step(secret('20-override.json'))],
    false,
  ],
  [
    'a file that goes altogether',
    [step(map('10-agent.json'), map('10-agent.json', '20-override.json'))],
    false,
  ],
  [
    'a file that changes',
    [step(map('10-agent.json'), map('10-agent.json')), step(secret('20-override.json'))],
    false,
  ],
  ['a new cluster', [step(map('10-agent.json')), step(secret('20-override.json'))], false],
  [
    'the Secret of another role',
    [
      step(map('10-agent.json'), map('10-agent.json', '20-override.json')),
      step(object('Secret', 'consul-client-config', {}, { data: { '20-override.json': 'eA==' } })),
    ],
    false,
  ],
])('whether a file stays in the ConfigMap until the end: %s', (_, planned, isLater) => {
  expect(movedOut(planned).map(({ desired }) => desired.kind)).toEqual(isLater ? ['ConfigMap'] : []);
});
