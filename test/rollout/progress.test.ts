import { describe, expect, it } from 'vitest';
import { Progress, type ProgressPart, progressLine } from '../../src/rollout/progress.ts';
import { NOT_OBSERVED, type Verdict } from '../../src/rollout/verdict.ts';
import { pod } from './fixture.ts';

const READY: Verdict = { state: 'ready', ready: 3, desired: 3, unready: [], excluded: [] };

function clients(unready: Record<string, string | undefined>, change: Partial<Verdict> = {}): ProgressPart {
  const names = Object.keys(unready);
  const verdict: Verdict = {
    state: 'progressing',
    reason: 'consul-client-0 is not ready',
    ready: 10 - names.length,
    desired: 10,
    excluded: [],
    ...change,
    unready: names,
  } as Verdict;
  const pods = names.map((name) => {
    const waiting = unready[name];
    return pod(name, { ready: false, ...(waiting !== undefined && { waiting }) });
  });
  return { title: 'clients', verdict, pods };
}
const SERVERS: ProgressPart = { title: 'servers', verdict: READY, pods: [] };

describe('progressLine', () => {
  it('says how many are ready and what the others wait for', () => {
    const servers: ProgressPart = {
      title: 'servers',
      verdict: { ...READY, state: 'progressing', reason: 'why', ready: 2, unready: ['consul-server-2'] },
      pods: [pod('consul-server-2', { ready: false })],
    };
    const parts = [servers, clients({ 'consul-client-3': 'ContainerCreating' })];
    expect(progressLine(parts)).toBe(
      'servers 2/3 ready, clients 9/10; waiting: servers (why), consul-client-3 ContainerCreating',
    );
  });

  it('has nothing to wait for when all are ready', () => {
    expect(progressLine([SERVERS])).toBe('servers 3/3 ready');
  });

  it('counts pods by cause, the most frequent first, without the messages', () => {
    const line = progressLine([
      clients({
        a: 'Unschedulable: 0/3 nodes are available',
        b: 'ErrImagePull: not found',
        c: 'ErrImagePull: timed out',
        d: 'ImagePullBackOff: Back-off pulling image',
        e: 'ContainerCreating',
        f: 'CrashLoopBackOff: back-off',
      }),
    ]);
    expect(line).toBe(
      'clients 4/10 ready; waiting: b and 2 more ErrImagePull, a Unschedulable, e ContainerCreating and 1 more',
    );
  });

  it('gives no counts of what is not observed yet', () => {
    const unseen: ProgressPart = { title: 'servers', verdict: NOT_OBSERVED, pods: [] };
    expect(progressLine([unseen, clients({ 'consul-client-3': 'ContainerCreating' })])).toBe(
      'servers not observed yet, clients 9/10 ready; waiting: consul-client-3 ContainerCreating',
    );
    expect(progressLine([unseen, { ...unseen, title: 'clients' }])).toBe(
      'servers not observed yet, clients not observed yet',
    );
  });

  it('names three causes without speaking of more', () => {
    const line = progressLine([clients({ a: 'ContainerCreating', b: 'ErrImagePull', c: 'Unschedulable' })]);
    expect(line).toBe('clients 7/10 ready; waiting: a ContainerCreating, b ErrImagePull, c Unschedulable');
  });

  it('gives the reason of the verdict for a pod that is missing', () => {
    const part = { ...clients({ a: undefined }, { reason: 'a is missing' } as Verdict), pods: [] };
    expect(progressLine([part])).toBe('clients 9/10 ready; waiting: clients (a is missing)');
  });

  it('gives the reason of the verdict when no pod says what it waits for', () => {
    expect(progressLine([clients({ a: undefined })])).toBe(
      'clients 9/10 ready; waiting: clients (consul-client-0 is not ready)',
    );
  });

  it('names the nodes that do not count and a workload that is gone', () => {
    const excluded = ['worker-3 is not ready', 'worker-4 is being deleted'];
    const part = clients({}, { excluded, desired: 8, ready: 8 });
    expect(progressLine([part])).toContain(
      'clients 8/8 ready (without worker-3 is not ready, worker-4 is being deleted)',
    );
    const gone = clients({}, { state: 'gone', reason: 'StatefulSet/consul-client was deleted' } as Verdict);
    expect(progressLine([gone])).toBe('clients 10/10 ready; waiting: StatefulSet/consul-client was deleted');
  });
});

describe('Progress', () => {
  it('lets a line through only when it changed', () => {
    const progress = new Progress();
    const waiting = clients({ a: 'ContainerCreating' });
    expect(progress.next([SERVERS, waiting])).toContain('clients 9/10');
    expect(progress.next([SERVERS, waiting])).toBeUndefined();
    expect(progress.next([SERVERS, clients({})])).toContain('clients 10/10');
    expect(progress.next([SERVERS, waiting])).toContain('clients 9/10');
  });
});
