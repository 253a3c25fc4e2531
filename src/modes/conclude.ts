import type { QuorumLook } from './quorum.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

/** What a proven cluster is, for the report: leader, voters, version and the image that its servers run. */
export function conclude(run: Run, workloads: Workloads, look: QuorumLook): void {
  const { config, known } = run;
  const leader = leaderOf(look);
  if (leader !== undefined) known.leader = leader;
  const [first] = look.evidence;
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
}

/** Node name of the leader, as the first server that was asked knows it. */
export function leaderOf({ evidence: [first] }: Pick<QuorumLook, 'evidence'>): string | undefined {
  return first?.raft?.find(({ leader }) => leader)?.node;
}

/** `repository@sha256:…` as the runtime reports it; the image as configured where it was not pulled by digest. */
function imageByDigest(image: string, imageIds: readonly string[]): string {
  const [id] = new Set(imageIds.map((one) => one.replace(/^docker-pullable:\/\//, '')));
  return id?.includes('@') ? id : image;
}
