import { readAgentFacts } from '../../consul/agent/facts.ts';
import { gossipRings } from '../../consul/gossip/keyring.ts';
import { Failure } from '../../failure.ts';
import type { GossipFiles } from '../../manifests/gossip.ts';
import { gossipSecretName } from '../../manifests/name.ts';
import { AnyServer } from '../../session/any-server.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';
import { runningServers } from '../../session/servers.ts';
import { newKey, writeGossipFiles } from './gossip-secret.ts';
import type { GossipGoal } from './settle-gossip.ts';

/** Of one question about the keyring, which takes long where an agent does not answer. */
const LIMIT_MS = 120_000;

/**
 * Before any agent starts anew, the Secret is there: with a new key where no agent runs yet, so that all begin as they are
 * to be; with the agents' own key where they are encrypted and the Secret is gone, or their configuration held the key. A
 * cluster that runs in plaintext gets its Secret with the first step.
 */
export async function beginEncrypted(
  run: Run,
  cluster: Cluster,
  { goal, isNew, files, key }: GossipGoal,
  live: Live,
): Promise<GossipFiles | undefined> {
  if (goal !== 'strict') return files;
  if (isNew && files?.state === 'strict') return files;
  const known = files && files.keys.length > 0 ? files.keys : undefined;
  if (!isNew && known) return files;
  const keys = isNew ? (known ?? [key ?? newKey(cluster)]) : await keysOfAgents(run, key, live);
  if (!keys) return files;
  const begun = { keys, state: 'strict', goal, revision: (files?.revision ?? 0) + 1 } as const;
  await writeGossipFiles(run, cluster, begun);
  return begun;
}

/** Undefined where they are not encrypted. @throws Failure `gossip-key` where they have another one than was given */
async function keysOfAgents(
  run: Run,
  given: string | undefined,
  { workloads, agents }: Live,
): Promise<string[] | undefined> {
  await workloads.untilSynced(run.signal);
  const servers = runningServers(workloads).filter(({ ready }) => ready);
  if (servers.length === 0) return undefined;
  const any = new AnyServer(run, workloads, agents);
  const { encrypted } = await any.ask(readAgentFacts, LIMIT_MS);
  if (!encrypted) return undefined;
  const rings = await any.ask(gossipRings, LIMIT_MS);
  const ring = rings.find(({ wan, datacenter }) => !wan && datacenter === run.config.datacenter);
  const primary = Object.entries(ring?.primary ?? {});
  const [key] = primary[0] ?? [];
  const where = `Secret/${gossipSecretName(run.config.name)} in namespace ${run.config.namespace}`;
  if (key === undefined || primary.length > 1)
    throw new Failure({
      reason: 'gossip-key',
      what: 'the agents are encrypted, and do not agree with which key',
      where,
      hint: 'Nothing was changed. Look at `consul keyring -list`, and finish the rotation that is under way.',
    });
  if (given !== undefined && given !== key)
    throw new Failure({
      reason: 'gossip-key',
      what: 'the key of `gossip-key-secret` is another one than the agents have',
      where,
      hint: 'Nothing was changed. Leave the input out: the key of the agents is taken. Rotate it later with `rotate: gossip`.',
    });
  run.log.info('gossip: the agents are encrypted; their key goes into the Secret');
  return [key];
}
