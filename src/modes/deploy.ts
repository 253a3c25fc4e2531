import type { Lock } from '../kubernetes/lease.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Plan, PlannedObject } from '../kubernetes/plan.ts';
import { stages } from '../kubernetes/stage.ts';
import { Agents } from './agents.ts';
import { applyStage, lock, plan, type Stored } from './apply.ts';
import { type Cluster, connect } from './connect.ts';
import { Diagnosis } from './diagnosis.ts';
import { settleNamespace } from './namespace.ts';
import { checkScope, preflight } from './preflight.ts';
import { waitAndProve } from './prove.ts';
import type { QuorumLook } from './quorum.ts';
import { renderSet } from './render.ts';
import type { Run } from './run.ts';
import { isServers, needsWalk, walkServers } from './walk.ts';
import { Workloads } from './workloads.ts';

/** `mode: deploy`: leaves a cluster that is proven, or throws the Failure that says what is wrong. */
export async function deployMode(run: Run, mask: (secret: string) => void): Promise<void> {
  const rendered = await run.phase('render', 'Render the manifests', () => renderSet(run));
  const cluster = await run.phase('connect', 'Connect and check the cluster', () => connect(run, mask));
  try {
    checkScope(run, cluster, rendered);
    const namespace = await preflight(run, cluster, rendered);
    const objects = await settleNamespace(run, cluster, rendered, namespace);
    const held = run.config.lock ? await run.phase('lock', 'Lock', () => lock(run, cluster)) : undefined;
    try {
      await deployLocked(run, cluster, objects, held);
    } finally {
      await held?.release();
    }
  } finally {
    await cluster.transport.close();
  }
}

async function deployLocked(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  held: Lock | undefined,
): Promise<void> {
  held?.lost.addEventListener('abort', () => run.fail(held.lost.reason), { once: true });
  const planned = await run.phase('dry-run', 'Dry run', () => plan(run, cluster, objects));
  const workloads = new Workloads(run, objects);
  const agents = new Agents(cluster.transport, run.config.namespace);
  const diagnosis = new Diagnosis(run, workloads, cluster.transport);
  run.log.startHeartbeat();
  try {
    workloads.watch(cluster);
    diagnosis.start();
    await run.phase('apply', 'Apply', () => apply(run, cluster, planned, workloads, agents, diagnosis));
    const look = await run.phase('prove', 'Wait and prove', () =>
      waitAndProve(run, workloads, agents, diagnosis),
    );
    run.mark('verdict');
    conclude(run, workloads, look);
  } finally {
    diagnosis.close();
    workloads.close();
    agents.close();
  }
}

async function apply(
  run: Run,
  cluster: Cluster,
  planned: Plan,
  workloads: Workloads,
  agents: Agents,
  diagnosis: Diagnosis,
): Promise<void> {
  const stored: Stored = new Map();
  const byObject = new Map(planned.objects.map((object) => [object.desired, object]));
  for (const stage of stages(planned.objects.map(({ desired }) => desired))) {
    const parts = stage.flatMap((desired) => byObject.get(desired) ?? []);
    const walked = parts.find((part) => isServers(run, part) && needsWalk(part));
    if (walked) await walkServers(run, cluster, walked, workloads, agents, diagnosis, stored);
    const rest: PlannedObject[] = parts.filter((part) => part !== walked);
    await applyStage(run, cluster, rest, stored, run.signal);
  }
  workloads.judge(stored);
  const writes = run.known.objects.filter(({ action }) => action !== 'unchanged').length;
  run.log.info(
    writes === 0 ? 'nothing to write' : `${writes} of ${run.known.objects.length} objects written`,
  );
}

function conclude(run: Run, workloads: Workloads, { evidence }: QuorumLook): void {
  const { config, known } = run;
  const [first] = evidence;
  const leader = first?.raft?.find(({ leader }) => leader);
  if (leader) known.leader = leader.node;
  const voters = first?.raft?.filter(({ voter }) => voter).length ?? first?.peers?.length;
  if (voters !== undefined) known.voters = voters;
  if (first?.version !== undefined) known.consulVersion = first.version;
  known.image = imageByDigest(
    config.image,
    workloads.pods('server').flatMap(({ imageIds }) => imageIds),
  );
  if (config.ui) {
    known.uiCommand = `kubectl -n ${config.namespace} port-forward service/${config.name}-ui 8500:80   # http://localhost:8500/ui`;
  }
  known.left = known.changed
    ? 'The cluster runs what was rendered.'
    : 'The cluster already ran what is rendered; nothing was written but the lock.';
}

/** `repository@sha256:…` as the runtime reports it; the image as configured where it was not pulled by digest. */
function imageByDigest(image: string, imageIds: readonly string[]): string {
  const [id] = new Set(imageIds.map((one) => one.replace(/^docker-pullable:\/\//, '')));
  return id?.includes('@') ? id : image;
}
