import type { GossipOnWire } from '../../consul/gossip/wire.ts';
import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import type { TlsRecord } from '../../inventory/inventory.ts';
import { deployedImage } from '../../session/deployed-config.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';
import { agentImage, digestOf } from './agent-image.ts';
import type { QuorumLook } from './quorum-watch.ts';
import type { LedSince } from './stability.ts';

/** What a proof has proven, for the report and for the record. */
export interface ProvenCluster extends ClusterState, SeenBeside {}

/** The cluster at one look. */
interface ClusterState {
  /** What each server said. */
  servers: readonly ServerEvidence[];
  /** Node name of the leader. */
  leader: string | undefined;
  /** The leadership, and since when it has lasted. */
  led: LedSince | undefined;
  voters: number | undefined;
  /** Of Consul. */
  version: string | undefined;
  /** What its servers run: by digest where all run one and the same; otherwise as it was configured. */
  image: string;
}

/** What was seen beside the quorum; absent where it was not looked at, or nobody told. */
export interface SeenBeside {
  /** How long the smoke key took to be committed. */
  commitMs?: number | undefined;
  /** Tries to write the smoke key that failed. */
  failedWrites?: number | undefined;
  /** On the wire. */
  gossip?: GossipOnWire | undefined;
  tls?: TlsRecord | undefined;
}

export function clusterState(
  run: Run,
  workloads: Pick<Workloads, 'pods' | 'manifest'>,
  look: QuorumLook,
): ClusterState {
  const [first] = look.evidence;
  return {
    servers: look.evidence,
    leader: leaderOf(look),
    led: look.held?.led,
    voters: first?.raft?.filter(({ voter }) => voter).length ?? first?.peers?.length,
    version: first?.version,
    image: provenImage(run, workloads),
  };
}

/** What a proven cluster is, for the report. */
export function describeCluster(
  { config, known }: Run,
  { leader, voters, version, image }: ProvenCluster,
): void {
  if (leader !== undefined) known.leader = leader;
  if (voters !== undefined) known.voters = voters;
  if (version !== undefined) known.consulVersion = version;
  known.image = image;
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
