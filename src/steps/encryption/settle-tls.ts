import { TLS_STATES, type TlsState } from '../../consul/rpc/state.ts';
import { Failure } from '../../failure.ts';
import type { Inventory, TlsRecord } from '../../inventory/inventory.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import { authoritySecretName, tlsSecretName } from '../../manifests/name.ts';
import { hasOwnTls } from '../../manifests/tls.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { WantedTls } from '../proof/tls.ts';
import { carriagePermissions } from '../registrations/stash.ts';
import { type GossipGoal, gossipByRecord } from './settle-gossip.ts';
import { goalOf, hasNoServers, unlessDenied } from './settled.ts';
import {
  deployedTlsSecrets,
  type GivenCertificates,
  givenCertificates,
  readTlsSecrets,
  secretsGone,
  type TlsSecrets,
} from './tls-secrets.ts';

/** What becomes of RPC between the agents of a cluster. */
export interface TlsGoal extends TlsSecrets {
  /** `own`: the user's configuration of the agents says what it is. `as-it-is`: nobody has asked for anything. */
  goal: 'enforced' | 'off' | 'own' | 'as-it-is';
  /** What the last run saw that looked. */
  seen?: TlsRecord['state'] | undefined;
  /** No server is there yet, so that the first ones begin as all are to be. */
  isNew: boolean;
  given: GivenCertificates | undefined;
  /** What it takes to get there. */
  access: readonly AccessCheck[];
  /** That the Secrets may not be read: to be thrown once all that is missing has been told. */
  denied?: Failure;
}

/**
 * What RPC is to be, by what was asked for and what runs. Asked before anything is written.
 * @throws Failure `certificate` for certificates that cannot be used
 */
export async function settleTls(
  run: Run,
  cluster: Cluster,
  record: { inventory: Pick<Inventory, 'history'> } | undefined,
): Promise<TlsGoal> {
  const { config } = run;
  const isNew = await hasNoServers(run, cluster);
  const none = { files: undefined, isTorn: false, authority: undefined };
  if (hasOwnTls(config)) {
    if (config.rotate.includes('ca')) throw notOurs();
    await refuseTwice(run, cluster);
    return { goal: 'own', ...none, isNew, given: undefined, access: [] };
  }
  const seen = lastTls(record?.inventory);
  const wasOn = seen === 'enforced';
  const [asked, isGiven] = [config.tls, config.tlsSecret !== undefined];
  const goalWith = ({ files }: TlsSecrets) =>
    goalOf(config, 'enforced', { asked, files, isNew, wasOn, isGiven });
  const read = await unlessDenied(async () => {
    const found = await readTlsSecrets(run, cluster);
    const leads = goalWith(found);
    return { found, given: leads === 'enforced' ? await givenCertificates(run, cluster) : undefined };
  });
  const { found, given } = read instanceof Failure ? { found: none, given: undefined } : read;
  const goal = goalWith(found);
  const isGone = goal === 'enforced' && wasOn && !isNew && !found.files;
  if (isGone && config.mode !== 'verify' && !(read instanceof Failure)) throw secretsGone(run);
  if (config.https !== 'off' && !(read instanceof Failure)) checkHttps(run, { goal, ...found, isNew });
  const access = tlsAccess(run, { goal, files: found.files, isNew: isNew || read instanceof Failure });
  return { goal, ...found, seen, isNew, given, access, ...(read instanceof Failure && { denied: read }) };
}

/**
 * Agents read the files of our Secrets after the user's own, so these win; and nobody would renew them. Where the Secrets may
 * not be read none of them is looked for.
 */
async function refuseTwice(run: Run, cluster: Cluster): Promise<void> {
  const there = await unlessDenied(() => deployedTlsSecrets(run, cluster));
  if (there instanceof Failure || there.length === 0) return;
  throw new Failure({
    reason: 'certificate',
    what: '`server-config` or `client-config` sets TLS, and the agents have certificates of this action, which would win over it',
    where: `${there.map((name) => `Secret/${name}`).join(', ')} in namespace ${run.config.namespace}`,
    hint: 'Nothing was changed. Deploy first with `tls: false` and without TLS in the configuration, which takes the agents back; then with it. Where no servers are left, of an earlier deployment, remove these Secrets instead. To keep the certificates of this action, take TLS out of the configuration.',
  });
}

/** HTTPS is served as soon as an agent starts with its port, so the certificates have to be there before. */
function checkHttps(
  { config }: Run,
  { goal, files, isNew }: Pick<TlsGoal, 'goal' | 'files' | 'isNew'>,
): void {
  if (config.mode === 'verify' || (goal === 'enforced' && (isNew || files?.state === 'enforced'))) return;
  throw new Failure({
    reason: 'certificate',
    what: `\`https: ${config.https}\` needs certificates before an agent starts, and the agents have none of this action yet`,
    where: `namespace ${config.namespace}`,
    hint: 'Nothing was changed. Deploy with `tls: true` and without `https` first; then with it. A cluster with certificates of its own is taken over first, with these as `tls-secret` and `tls-client-secret`.',
  });
}

/** A plan writes nothing, and a deploy restarts agents only where they are not yet as they are to be. */
export function tlsAccess(
  { config }: Pick<Run, 'config'>,
  { goal, files, isNew }: Pick<TlsGoal, 'goal' | 'files' | 'isNew'>,
): AccessCheck[] {
  const { name, namespace, mode, tlsSecret, tlsClientSecret } = config;
  const own = [tlsSecretName(name, 'server'), tlsSecretName(name, 'client'), authoritySecretName(name)];
  const given = [tlsSecret, tlsClientSecret].filter((one) => one !== undefined);
  const secrets = (verb: string, of: readonly string[]) =>
    of.map((one): AccessCheck => ({ verb, group: '', resource: 'secrets', namespace, name: one }));
  const all = secrets('get', [...own, ...given]);
  if (mode !== 'deploy') return all;
  if (goal === 'enforced') all.push(...secrets('create', own), ...secrets('patch', own));
  if (goal === 'off' && files) all.push(...secrets('patch', own), ...secrets('delete', own));
  const restarts = !isNew && (goal === 'enforced' ? files?.state !== 'enforced' : goal === 'off' && files);
  if (restarts || config.rotate.length > 0) all.push(...carriagePermissions(namespace));
  return all;
}

const TOLD = {
  own: 'as `server-config` and `client-config` say',
  enforced: 'with TLS',
  off: 'in plaintext, as asked for',
  'as-it-is': 'as the agents that run have it; `tls: true` encrypts it',
};

/** What was settled, for whoever reads the log. */
export function tellTls(run: Run, { goal }: TlsGoal): void {
  run.log.info(`RPC: ${TOLD[goal]}`);
}

const SEEN = { plaintext: 'off', offered: 'present', enforced: 'enforced' } as const;

/** Where the agents stand, for a plan, which does not look at them: by the Secrets, or by the record where these are gone. */
export function tlsByRecord({ files, seen }: Pick<TlsGoal, 'files' | 'seen'>): TlsState {
  return files?.state ?? SEEN[seen ?? 'plaintext'];
}

/** For a plan: what a deploy will do about it. */
export function tellTlsPlan(
  run: Run,
  tls: TlsGoal,
  gossip: Pick<GossipGoal, 'goal' | 'files' | 'seen' | 'isNew'>,
): void {
  const { goal, files, isNew } = tls;
  const from = tlsByRecord(tls);
  const way = TLS_STATES.slice(TLS_STATES.indexOf(from));
  const isAlong = from === 'off' && gossip.goal === 'strict' && gossipByRecord(gossip) === 'off';
  const steps = isAlong
    ? 'with the restarts for gossip, and no others'
    : 'every server restarts twice, every client reloads, no pod is replaced';
  const observed = {
    own: 'as the configuration of the agents says',
    'as-it-is': 'stays as it is',
    off: files
      ? 'back to plaintext: every server restarts once, every client reloads'
      : from === 'off'
        ? 'plaintext'
        : 'back to plaintext at once, without the Secrets: every agent reloads, and for some seconds there is no leader',
    enforced: isNew
      ? 'TLS from the start'
      : way.length > 1
        ? `${way.join(' → ')}: ${steps}`
        : 'stays with TLS',
  }[goal];
  const rotation = run.config.rotate.includes('ca') ? '; then a new authority, without a restart' : '';
  tellPlannedTls(run, observed + rotation);
}

/** The same check again takes the place of the one before: whoever has looked at the agents knows more. */
export function tellPlannedTls(run: Run, observed: string): void {
  const check = { id: 'tls-plan', title: 'TLS', group: 'cluster' } as const;
  const expected = 'what a deploy makes of it, by Secrets and record';
  run.check({ ...check, expected, observed, passed: true });
}

/** What the proof is to see once that is done; what was asked for, also where the user's own configuration is to do it. */
export function wantedTls({ config }: Pick<Run, 'config'>, { goal }: Pick<TlsGoal, 'goal'>): WantedTls {
  if (goal === 'enforced' || config.tls === 'true') return 'enforced';
  return goal === 'off' ? 'plaintext' : 'alike';
}

/** What a verification is to see: what was asked for, or what the last run has seen. */
export function recordedTls(
  { config }: Pick<Run, 'config'>,
  inventory: Pick<Inventory, 'history'>,
): WantedTls {
  if (config.tls === 'true') return 'enforced';
  if (config.tls === 'false') return 'plaintext';
  const last = lastTls(inventory);
  return last === 'enforced' || last === 'plaintext' ? last : 'alike';
}

/** What the last run saw that looked. */
export function lastTls(inventory: Pick<Inventory, 'history'> | undefined): TlsRecord['state'] | undefined {
  return inventory?.history.findLast(({ tls }) => tls !== undefined)?.tls?.state;
}

function notOurs(): Failure {
  return new Failure({
    reason: 'certificate',
    what: '`rotate: ca` cannot change an authority that `server-config` or `client-config` names',
    where: 'inputs',
    hint: 'Nothing was changed. Take the settings of TLS out of the configuration, so that the action makes the certificates; or change the authority by hand.',
  });
}
