import { portForwardChecks } from '../kubernetes/access.ts';
import type { Lock } from '../kubernetes/lease/lease.ts';
import { agentPods, noServers } from '../session/agent-pods.ts';
import { Agents } from '../session/agents.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import { lockPermissions, withLock } from '../session/lock.ts';
import type { Run } from '../session/run.ts';
import { requirePermissions, tellPermissions } from '../steps/preflight/permissions.ts';
import { cleanUpAfter } from '../steps/proof/clean-up.ts';
import { checkAsked, noteGhosts, totals } from '../steps/sweep/account.ts';
import { sweepFailure, unknownIds } from '../steps/sweep/asked.ts';
import { type Finding, findGhosts } from '../steps/sweep/finding.ts';
import { nameOf, removeGhosts, watchRemoved } from '../steps/sweep/removal.ts';
import { Surveyor } from '../steps/sweep/survey.ts';

/**
 * `mode: sweep`: finds what should not be in the catalog and, with `sweep-apply`, removes it where that lasts, and
 * proves that it stays away. Needs no record of a deploy. Touches nothing in Kubernetes, and nothing that a live agent
 * announces unless `deregister` names it.
 */
export async function sweepMode(run: Run, mask: (secret: string) => void): Promise<void> {
  await withCluster(run, mask, 'Connect to the cluster', async (cluster) => {
    await run.phase('connect', 'Check the permissions', () => permissions(run, cluster));
    const pods = await agentPods(run, cluster);
    // Before the lock, which would be written beside nothing.
    if (!pods.some(({ role }) => role === 'server')) throw noServers(run);
    await withLock(run, cluster, (held) => sweepLocked(run, cluster, held));
  });
}

async function sweepLocked(run: Run, cluster: Cluster, held: Lock | undefined): Promise<void> {
  const agents = new Agents(cluster.transport, run.config.namespace);
  const surveyor = new Surveyor(run, cluster, agents);
  const named = new Set(run.config.deregister);
  run.log.startHeartbeat();
  try {
    if (held?.takenOverFrom !== undefined) await cleanUpAfter(run, cluster);
    const findings = await run.phase('survey', 'Look for ghosts', async () => {
      const found = await findGhosts(run, surveyor, { applications: true }, named);
      checkAsked(run, found.survey);
      for (const line of unknownIds(named, found.findings, found.survey)) run.warn(line);
      for (const one of found.findings) run.log.info(`${one.class}: ${nameOf(one)}: ${one.evidence}`);
      return found.findings;
    });
    noteGhosts(run, findings);
    if (!run.config.sweepApply) return tellFound(run, findings);
    try {
      await run.phase('remove', 'Remove', () => removeGhosts(run, surveyor, findings, named));
      await prove(run, surveyor, findings);
    } finally {
      noteGhosts(run, findings);
    }
    tellRemoved(run, findings);
    const failure = sweepFailure(findings);
    if (failure) throw failure;
  } finally {
    agents.close();
  }
}

async function prove(run: Run, surveyor: Surveyor, findings: readonly Finding[]): Promise<void> {
  if (!findings.some(({ outcome }) => outcome === 'removed')) return;
  await run.phase('prove', 'Prove that it stays away', async () => {
    const { ms } = await watchRemoved(run, surveyor, findings);
    const returned = findings.filter(({ outcome }) => outcome === 'returned');
    run.check({
      id: 'catalog-stays-clean',
      title: 'Stays away',
      group: 'catalog',
      expected: `nothing of it comes back within ${ms / 1000} s, when every agent has compared itself with the catalog`,
      observed: returned.length > 0 ? `back: ${returned.map(nameOf).join(', ')}` : 'nothing came back',
      passed: returned.length === 0,
    });
  });
}

const GHOSTS = { id: 'catalog-ghosts', title: 'Ghosts', group: 'catalog', expected: 'none' } as const;

function tellFound(run: Run, findings: readonly Finding[]): void {
  const counted = findings.filter(({ counts }) => counts);
  if (counted.length === 0) {
    run.check({ ...GHOSTS, observed: 'none', passed: true });
    return;
  }
  const able = counted.filter(({ remedy }) => remedy !== 'none').length;
  run.concern({ ...GHOSTS, observed: `${totals(counted)}; sweep-apply: true removes ${able}` });
}

function tellRemoved(run: Run, findings: readonly Finding[]): void {
  const of = (outcome: Finding['outcome']) => findings.filter((one) => one.counts && one.outcome === outcome);
  const removed = of('removed');
  const left = [...of('stayed'), ...of('returned')];
  const kept = of('kept');
  const parts = [
    ...(removed.length > 0 ? [`removed: ${totals(removed)}`] : []),
    ...(left.length > 0 ? [`still there: ${totals(left)}`] : []),
    ...(kept.length > 0 ? [`left alone: ${totals(kept)}`] : []),
  ];
  const observed = parts.join('; ') || 'none';
  if (left.length > 0) run.check({ ...GHOSTS, observed, passed: false });
  else if (kept.length > 0) run.concern({ ...GHOSTS, observed });
  else run.check({ ...GHOSTS, observed, passed: true });
  if (!run.known.changed) return;
  run.known.left = { is: 'swept', removed: totals(removed) };
}

async function permissions(run: Run, cluster: Cluster): Promise<void> {
  const { namespace } = run.config;
  const observed = await requirePermissions(run, cluster, [
    { verb: 'list', group: '', resource: 'pods', namespace },
    ...portForwardChecks(namespace),
    { verb: 'get', group: 'apps', resource: 'statefulsets', namespace },
    ...lockPermissions(run.config),
  ]);
  tellPermissions(run, 'all that a sweep needs', observed);
}
