import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { Failure } from '../../failure.ts';
import {
  GOSSIP_FILES,
  type GossipFiles,
  gossipFilesOf,
  gossipSecret,
  isGossipKey,
} from '../../manifests/gossip.ts';
import { gossipSecretName } from '../../manifests/name.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { tellOutcome } from '../removal/removal.ts';
import type { AwaitedFiles } from './in-pods/restart.ts';
import { hide, readSecret, removeSecret, writeSecret } from './secret.ts';

/** For AES-256. */
const KEY_BYTES = 32;

/** A new key for gossip, which nobody sees from here on. */
export function newKey(cluster: Pick<Cluster, 'transport'>): string {
  const key = randomBytes(KEY_BYTES).toString('base64');
  hide(cluster, [key]);
  return key;
}

/**
 * What the Secret of this deployment says; undefined where there is none.
 * @throws Failure `gossip-key` for a Secret that is not as this action writes it
 */
export async function readGossipFiles(run: Run, cluster: Cluster): Promise<GossipFiles | undefined> {
  const name = gossipSecretName(run.config.name);
  const live = await readSecret(run, cluster, name);
  if (!live) return undefined;
  const files = gossipFilesOf(live);
  if (files) {
    hide(cluster, files.keys);
    return files;
  }
  throw new Failure({
    reason: 'gossip-key',
    what: 'the Secret with the key for gossip is not as this action writes it',
    where: `Secret/${name} in namespace ${run.config.namespace}`,
    hint: 'Nothing was changed. The agents that run have the key in their data directories. Put the Secret back, or give its key as `gossip-key-secret` from a Secret of another name, and remove this one.',
  });
}

/**
 * The key that the user gives in a Secret of their own.
 * @throws Failure `gossip-key` where there is none, or none that Consul takes
 */
export async function givenKey(run: Run, cluster: Cluster): Promise<string | undefined> {
  const { gossipKeySecret: name, namespace } = run.config;
  if (name === undefined) return undefined;
  const live = await readSecret(run, cluster, name);
  const text = (live?.data as Record<string, string> | undefined)?.key;
  const key = Buffer.from(text ?? '', 'base64')
    .toString()
    .trim();
  hide(cluster, [key]);
  if (isGossipKey(key)) return key;
  const why = !live
    ? 'there is no such Secret'
    : text === undefined
      ? 'it has no `key`'
      : 'its `key` is not 16, 24 or 32 bytes in base64';
  throw new Failure({
    reason: 'gossip-key',
    what: `\`gossip-key-secret\` gives no key for gossip: ${why}`,
    where: `Secret/${name} in namespace ${namespace}`,
    hint: `Nothing was changed. Make it with: kubectl -n ${namespace} create secret generic ${name} --from-literal=key="$(openssl rand -base64 32)"`,
  });
}

/** Which files of the Secret a pod is to have; undefined: none. */
export function gossipFilesAt({ name }: Pick<Config, 'name'>, files: GossipFiles | undefined): AwaitedFiles {
  return { secret: gossipSecretName(name), file: GOSSIP_FILES.revision, revision: files?.revision };
}

/** @throws Failure; what the agents are to find from now on is written, and nothing else */
export async function writeGossipFiles(run: Run, cluster: Cluster, files: GossipFiles): Promise<void> {
  hide(cluster, files.keys);
  await writeSecret(run, cluster, gossipSecret(run.config, files));
}

/** After a destroy the keys stay for a later deploy, as the data does; with `destroy-data` they go. */
export async function afterDestroy(run: Run, cluster: Cluster): Promise<void> {
  if (run.config.destroyData) return removeGossipSecret(run, cluster);
  const { name, namespace } = run.config;
  try {
    const live = await readSecret(run, cluster, gossipSecretName(name));
    if (live) tellOutcome(run, { kind: 'Secret', name: gossipSecretName(name), namespace }, 'kept');
  } catch (error) {
    // Not to be read, so not to be told of.
    if (!(error instanceof Failure) || error.reason !== 'forbidden') throw error;
  }
}

/** The keys of a cluster that needs none any more. */
export async function removeGossipSecret(run: Run, cluster: Cluster): Promise<void> {
  await removeSecret(run, cluster, gossipSecretName(run.config.name));
}
