import { describe, expect, it } from 'vitest';
import { nodeTrouble, nodeView } from '../../src/rollout/node.ts';
import { raw } from './fixture.ts';

describe('nodeView', () => {
  it.each([
    ['in good order', {}, {}, 'True', undefined],
    ['whose kubelet is silent', {}, {}, 'Unknown', 'is not ready'],
    ['that is cordoned', {}, { unschedulable: true }, 'True', 'is cordoned'],
    ['that is being deleted', { deletionTimestamp: 'now' }, {}, 'True', 'is being deleted'],
  ])('judges a node %s', (_, metadata, spec, status, trouble) => {
    const view = nodeView(
      raw('Node', metadata, { spec, status: { conditions: [{ type: 'Ready', status }] } }),
    );
    expect(nodeTrouble(view)).toBe(trouble);
  });

  it('takes a node without a status for not ready', () => {
    expect(nodeView(raw('Node', { name: 'n' }))).toMatchObject({
      name: 'n',
      uid: 'uid',
      ready: false,
      cordoned: false,
    });
  });
});
