import { deployedImage } from '../../session/deployed-config.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';
import { agentImage, digestOf } from './agent-image.ts';
import type { QuorumLook } from './quorum-watch.ts';

/** What a proven cluster is, for the report: leader, voters, version and the image that its servers run. */
export function describeCluster(
  run: Run,
  workloads: Pick<Workloads, 'pods' | 'manifest'>,
  look: QuorumLook,
): void {
  const { config, known } = run;
  const leader = leaderOf(look);
  if (leader !== undefined) known.leader = leader;
  const [first] = look.evidence;
  const voters = first?.raft?.filter(({ voter }) => voter).length ?? first?.peers?.length;
  if (voters !== undefined) known.voters = voters;
  if (first?.version !== undefined) known.consulVersion = first.version;
  known.image = provenImage(run, workloads);
  if (config.ui) {
    const [ports, url] =
      config.https === 'only'
        ? ['8501:443', 'https://localhost:8501/ui']
        : ['8500:80  ', 'http://localhost:8500/ui'];
    known.uiCommand = `kubectl -n ${config.namespace} port-forward service/${config.name}-ui ${ports} # ${url}`;
  }
}

/** Node name of the leader, as the first server that was asked knows it. */
export function leaderOf({ evidence: [first] }: Pick<QuorumLook, 'evidence'>): string | undefined {
  return first?.raft?.find(({ leader }) => leader)?.node;
}

/** By digest where all servers run one and the same; otherwise as it was configured, which may be a tag. */
function provenImage(run: Run, workloads: Pick<Workloads, 'pods' | 'manifest'>): string {
  const { config } = run;
  const manifest = workloads.manifest('server');
  // A patch or a post-render command may have set another one than the input.
  const configured = (manifest && deployedImage(config, 'server', [manifest])) ?? config.image;
  const images = workloads.pods('server').map(agentImage);
  const byDigest = new Map(
    images.flatMap((image) => (image === undefined ? [] : [[digestOf(image), image]])),
  );
  if (byDigest.size > 1) {
    const named = [...byDigest.values()].join(', ');
    run.warn(
      `The servers run ${byDigest.size} different images of ${configured} (${named}): its tag was moved. Name the image by its digest.`,
    );
    return configured;
  }
  // A server whose node has the image from a file may run another one.
  return images.includes(undefined) ? configured : (images[0] ?? configured);
}
