import { catalogNodes, leftOver } from '../consul/left-over.ts';
import type { Agents } from './agents.ts';
import type { QuorumLook } from './quorum.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

/** Members and nodes that are no more: they do no harm to the quorum, and an application may still be sent to them. */
export async function checkLeftOver(
  run: Run,
  workloads: Workloads,
  agents: Agents,
  { evidence }: QuorumLook,
): Promise<void> {
  const check = {
    id: 'members-left-over',
    title: 'No left-over members',
    group: 'clients',
    expected: 'none that have failed, none in the catalog alone',
  } as const;
  const [server] = workloads.pods('server');
  if (!server) return;
  const { failed, ghosts, left } = leftOver(evidence, await catalogNodes(agents.client(server), run.signal));
  const trouble = [
    ...(failed.length > 0 ? [`failed: ${failed.join(', ')}`] : []),
    ...(ghosts.length > 0 ? [`in the catalog alone: ${ghosts.join(', ')}`] : []),
  ];
  const note = left.length > 0 ? [`left in order before: ${left.join(', ')}`] : [];
  const observed = [...(trouble.length > 0 ? trouble : ['none']), ...note].join('; ');
  if (trouble.length > 0) run.concern({ ...check, observed });
  else run.check({ ...check, observed, passed: true });
}
