import { GOSSIP_STATES, type GossipState } from '../../consul/gossip/state.ts';
import type { GossipOnWire } from '../../consul/gossip/wire.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import { type GossipFiles, gossipFilesOf, hasOwnKey } from '../../manifests/gossip.ts';
import { gossipSecretName } from '../../manifests/name.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { WantedGossip } from '../proof/gossip.ts';
import { carriagePermissions } from '../registrations/stash.ts';
import { givenKey, readGossipFiles } from './gossip-secret.ts';
import { readSecret } from './secret.ts';
import { goalOf, hasNoServers, unlessDenied } from './settled.ts';

/** What becomes of the gossip of a cluster. */
export interface GossipGoal {
  /**
   * `own`: the user's configuration of the agents says what it is. `as-it-is`: nobody has asked for anything.
   */
  goal: 'strict' | 'off' | 'own' | 'as-it-is';
  /** What the Secret says now. */
  files: GossipFiles | undefined;
  /** What the last run saw that looked. */
  seen?: GossipOnWire | undefined;
  /** No server is there yet, so that the first ones begin as all are to be. */
  isNew: boolean;
  /** The key to use, where the user gives one. */
  key: string | undefined;
  /** What it takes to get there. */
  access: readonly AccessCheck[];
  /** That the Secret may not be read: to be thrown once all that is missing has been told. */
  denied?: Failure;
}

/**
 * What gossip is to be, by what was asked for and what runs. Asked before anything is written.
 * @throws Failure `gossip-key` for a key that cannot be used
 */
export async function settleGossip(
  run: Run,
  cluster: Cluster,
  record: { inventory: Pick<Inventory, 'history'> } | undefined,
): Promise<GossipGoal> {
  const { config } = run;
  const isNew = await hasNoServers(run, cluster);
  if (hasOwnKey(config)) {
    if (config.rotate.includes('gossip')) throw notOurs();
    await refuseTwice(run, cluster);
    return { goal: 'own', files: undefined, isNew, key: undefined, access: [] };
  }
  const seen = lastSeen(record?.inventory);
  const wasOn = seen === 'strict';
  const [asked, isGiven] = [config.gossipEncryption, config.gossipKeySecret !== undefined];
  const goalWith = (files: GossipFiles | undefined) =>
    goalOf(config, 'strict', { asked, files, isNew, wasOn, isGiven });
  const read = await unlessDenied(async () => {
    const found = await readGossipFiles(run, cluster);
    const leads = goalWith(found);
    return { found, given: leads === 'strict' ? await givenKey(run, cluster) : undefined };
  });
  const { found: files, given: key } = read instanceof Failure ? {} : read;
  const goal = goalWith(files);
  // Where the Secret may not be read, nobody knows whether agents have to restart.
  const access = gossipAccess(run, { goal, files, isNew: isNew || read instanceof Failure });
  const settled = { goal, files, seen, isNew, key, access };
  if (read instanceof Failure) return { ...settled, denied: read };
  const isRotated = config.rotate.includes('gossip');
  if (key !== undefined && files && !files.keys.includes(key) && !isRotated) {
    throw new Failure({
      reason: 'gossip-key',
      what: 'the key of `gossip-key-secret` is another one than the agents have',
      where: `Secret/${config.gossipKeySecret} in namespace ${config.namespace}`,
      hint: `Nothing was changed. Deploy with \`rotate: gossip\`, which takes all agents to that key while they run; or leave the input out, to keep the key of Secret/${gossipSecretName(config.name)}.`,
    });
  }
  return settled;
}

/**
 * The keyring of our Secret takes the place of the agent's own, so it wins over the user's key. Where the Secret may not be
 * read it is not looked for.
 */
async function refuseTwice(run: Run, cluster: Cluster): Promise<void> {
  const name = gossipSecretName(run.config.name);
  const live = await unlessDenied(() => readSecret(run, cluster, name));
  if (!live || live instanceof Failure || !gossipFilesOf(live)) return;
  throw new Failure({
    reason: 'gossip-key',
    what: '`server-config` or `client-config` sets `encrypt`, and the agents have a key of this action, which would win over it',
    where: `Secret/${name} in namespace ${run.config.namespace}`,
    hint: 'Nothing was changed. Deploy first with `gossip-encryption: false` and without `encrypt`, which takes the agents back; then with it. Where no servers are left, of an earlier deployment, remove this Secret instead. To have another key, give it as `gossip-key-secret`, with `rotate: gossip`.',
  });
}

/** A plan writes nothing, and a deploy restarts agents only where they are not yet as they are to be. */
export function gossipAccess(
  { config }: Pick<Run, 'config'>,
  { goal, files, isNew }: Pick<GossipGoal, 'goal' | 'files' | 'isNew'>,
): AccessCheck[] {
  const { name, namespace, mode, gossipKeySecret } = config;
  const secret = (verb: string, of = gossipSecretName(name)): AccessCheck => {
    return { verb, group: '', resource: 'secrets', namespace, name: of };
  };
  const all = [secret('get'), ...(gossipKeySecret === undefined ? [] : [secret('get', gossipKeySecret)])];
  if (mode !== 'deploy') return all;
  if (goal === 'strict') all.push(secret('create'), secret('patch'));
  if (goal === 'off' && files) all.push(secret('patch'), secret('delete'));
  const restarts = !isNew && (goal === 'strict' ? files?.state !== 'strict' : goal === 'off' && files);
  if (restarts || config.rotate.length > 0) all.push(...carriagePermissions(namespace));
  return all;
}

/** What was settled, for whoever reads the log. */
export function tellGossip(run: Run, { goal }: GossipGoal): void {
  run.log.info(`gossip: ${TOLD[goal]}`);
}

const TOLD = {
  own: 'as `server-config` and `client-config` say, which set `encrypt`',
  strict: 'encrypted',
  off: 'not encrypted, as asked for',
  'as-it-is': 'as the agents that run have it; `gossip-encryption: true` encrypts it',
};

/** What the proof is to see once that is done; what was asked for, also where the user's own configuration is to do it. */
export function wantedGossip(
  { config }: Pick<Run, 'config'>,
  { goal }: Pick<GossipGoal, 'goal'>,
): WantedGossip {
  if (goal === 'strict' || config.gossipEncryption === 'true') return 'strict';
  return goal === 'off' ? 'plaintext' : 'alike';
}

/**
 * What a verification is to see: what was asked for, or what the last run has seen. One that was encrypted and is not any
 * more has changed, whoever did it.
 */
export function recordedGossip(
  { config }: Pick<Run, 'config'>,
  { history }: Pick<Inventory, 'history'>,
): WantedGossip {
  if (config.gossipEncryption === 'true') return 'strict';
  if (config.gossipEncryption === 'false') return 'plaintext';
  const last = lastSeen({ history });
  return last === 'strict' || last === 'plaintext' ? last : 'alike';
}

function lastSeen(inventory: Pick<Inventory, 'history'> | undefined): GossipOnWire | undefined {
  return inventory?.history.findLast(({ gossip }) => gossip !== undefined)?.gossip;
}

const SEEN = { plaintext: 'off', 'takes-both': 'sending', strict: 'strict' } as const;

/** Where the agents stand, for a plan, which does not look at them: by the Secret, or by the record where that is gone. */
export function gossipByRecord({ files, seen }: Pick<GossipGoal, 'files' | 'seen'>): GossipState {
  return files?.state ?? SEEN[seen ?? 'plaintext'];
}

/** For a plan: what a deploy will do about it. */
export function tellGossipPlan(run: Run, gossip: GossipGoal): void {
  const { goal, files, isNew } = gossip;
  const from = gossipByRecord(gossip);
  const way = GOSSIP_STATES.slice(GOSSIP_STATES.indexOf(from));
  const steps = (states: readonly string[]) =>
    `${states.join(' → ')}: every agent restarts ${count(states.length - 1, 'time')}, no pod is replaced`;
  const back = GOSSIP_STATES.slice(0, GOSSIP_STATES.indexOf(from) + 1).reverse();
  const stays = files ? 'stays encrypted' : 'stays encrypted; the key of the agents goes into its Secret';
  const observed = {
    own: 'as the configuration of the agents says',
    'as-it-is': 'stays as it is',
    off: files
      ? steps(back)
      : from === 'off'
        ? 'not encrypted'
        : 'encrypted when it was last seen, and there is no Secret with the key: a deploy cannot take it back, and is red unless somebody else has',
    strict: isNew ? 'encrypted from the start' : way.length > 1 ? steps(way) : stays,
  }[goal];
  const rotation = run.config.rotate.includes('gossip') && files ? '; then a new key, without a restart' : '';
  const check = { id: 'gossip-plan', title: 'Gossip', group: 'cluster' } as const;
  run.check({
    ...check,
    expected: 'what a deploy makes of it, by Secret and record',
    observed: observed + rotation,
    passed: true,
  });
}

function notOurs(): Failure {
  return new Failure({
    reason: 'gossip-key',
    what: '`rotate: gossip` cannot change a key that `server-config` or `client-config` sets',
    where: 'inputs',
    hint: 'Nothing was changed. Take `encrypt` out of the configuration and give the key as `gossip-key-secret`; or rotate it with `consul keyring`.',
  });
}
