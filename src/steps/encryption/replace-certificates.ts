import { isDeepStrictEqual } from 'node:util';
import { certificatesIn } from '../../certificates/certificate.ts';
import { Failure } from '../../failure.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import type { Role } from '../../manifests/label.ts';
import { authoritySecretName, tlsSecretName } from '../../manifests/name.ts';
import type { TlsFiles } from '../../manifests/tls.ts';
import type { Run } from '../../session/run.ts';
import { runningServers } from '../../session/servers.ts';
import { requirePermissions } from '../preflight/permissions.ts';
import { ownCertificate, rpcLooksAt } from '../proof/tls.ts';
import { carriagePermissions } from '../registrations/stash.ts';
import {
  isDue,
  isOfAnother,
  issue,
  isTheirs,
  isToAnother,
  lacksNames,
  lacksServerNames,
  needsAuthority,
  secretsOf,
} from './certificates.ts';
import { type EncryptionTools, EncryptionWatch } from './encryption-watch.ts';
import { refuseOutsideAgents } from './outside.ts';
import { Replacement } from './replacement.ts';
import type { TlsGoal } from './settle-tls.ts';
import { type GivenCertificates, writeTlsFiles } from './tls-secrets.ts';

/**
 * New certificates for agents that speak TLS, by reloads alone: where they are due, where the user gives others, where a new
 * authority was asked for, and where a run before has not come to its end.
 */
export async function replaceCertificates(
  run: Run,
  tls: TlsGoal,
  files: TlsFiles | undefined,
  tools: EncryptionTools,
): Promise<void> {
  if (tls.goal !== 'enforced' || files?.state !== 'enforced') return;
  const isAsked = run.config.rotate.includes('ca') && !tls.isNew;
  if (isTheirs(tls, files) && !isAsked) {
    if (isDue(files) || isUnfinished(tls, files)) notGiven(run, files);
    return;
  }
  const isOther = isToAnother(tls, files);
  // Those of the user are renewed by whoever makes them.
  const isOver = tls.given ? !isGiven(tls.given, files) : isDue(files);
  if (!isAsked && !isOther && !isOver && !isUnfinished(tls, files)) {
    await writeWhoseTheyAre(run, tls, files, tools);
    return;
  }
  const anew = isAsked && !isOther && !tls.given;
  const title = isAsked || isOther ? 'Change the authority of the certificates' : 'Renew the certificates';
  await replace(run, tls, files, { tools, title, anew, isGated: true });
}

function notGiven(run: Run, { from }: TlsFiles): void {
  run.warn(
    `The certificates of the agents are due, or not every agent has them yet. They came from ${from && secretsOf(from)}, and this run was not given \`tls-secret\` and \`tls-client-secret\`: so nothing is done about them.`,
  );
}

/** Of certificates that an earlier version has taken from the user. The data stay as they are, so no agent has anything to read. */
async function writeWhoseTheyAre(
  run: Run,
  { given }: TlsGoal,
  files: TlsFiles,
  { cluster }: EncryptionTools,
): Promise<void> {
  const { from } = given ?? {};
  if (!from || run.config.mode !== 'deploy' || isDeepStrictEqual(from, files.from)) return;
  await writeTlsFiles(run, cluster, { ...files, from });
}

/**
 * Before agents restart with another domain: they ask for servers by it, and every server shows one and the same certificate. So
 * that gets the new name first, beside those that it has.
 * @returns the files as they are then
 */
export async function addNames(
  run: Run,
  tls: TlsGoal,
  tools: EncryptionTools,
): Promise<TlsFiles | undefined> {
  const { files } = tls;
  if (tls.isNew || tls.goal !== 'enforced' || files?.state !== 'enforced') return files;
  await tools.workloads.untilSynced(run.signal);
  // What the Secrets have, not every server has read then.
  const isBegun = isUnfinished(tls, files);
  if (!(isBegun ? await someServerLacksNames(run, tools) : lacksNames(run, files))) return files;
  if (!isBegun && isOfAnother(tls, files)) throw twoChanges(run);
  // Whoever is away trusts what comes, and reads it when it starts; but not another authority.
  const isGated = isToAnother(tls, files);
  const title = 'Give the certificates another name';
  return replace(run, tls, files, { tools, title, anew: false, isGated });
}

/** Of those that can be seen; one that does not answer is for the proof to tell of. */
async function someServerLacksNames(run: Run, { workloads, agents }: EncryptionTools): Promise<boolean> {
  const looks = await rpcLooksAt(agents, runningServers(workloads), run.signal);
  return looks.some((look) => {
    const shown = look instanceof Failure ? undefined : ownCertificate(look.seen);
    return shown !== undefined && lacksServerNames(run, shown.toString());
  });
}

/** A run before has ended while it gave the agents their certificates. */
function isUnfinished({ isTorn }: TlsGoal, { rotation }: TlsFiles): boolean {
  return isTorn || rotation !== undefined;
}

interface Replace {
  tools: EncryptionTools;
  title: string;
  /** With a new authority. */
  anew: boolean;
  /** Only when every agent is there. */
  isGated: boolean;
}

async function replace(
  run: Run,
  tls: TlsGoal,
  files: TlsFiles,
  { tools, title, anew, isGated }: Replace,
): Promise<TlsFiles> {
  const watch = new EncryptionWatch(run, tools, 'TLS');
  try {
    return await run.phase('encrypt', title, async () => {
      await requirePermissions(run, tools.cluster, replacementPermissions(run, tls));
      if (isGated) await watch.untilAllAreThere();
      if (isToAnother(tls, files) || needsAuthority(tls, anew)) await refuseOutsideAgents(run, tools, 'TLS');
      const to = await issue(run, tools.cluster, tls, { anew });
      return new Replacement(run, tools, watch, files).all(to);
    });
  } finally {
    watch.close();
  }
}

/** Agents are asked whether they have their files by a command in their container. */
export function replacementPermissions(
  { config }: Pick<Run, 'config'>,
  { given }: Pick<TlsGoal, 'given'>,
): AccessCheck[] {
  const { name, namespace } = config;
  const own = ['server', 'client'].map((role) => tlsSecretName(name, role as Role));
  const written = given ? own : [...own, authoritySecretName(name)];
  return [
    ...['create', 'patch'].flatMap((verb) =>
      written.map((one) => ({ verb, group: '', resource: 'secrets', namespace, name: one })),
    ),
    ...carriagePermissions(namespace),
  ];
}

function twoChanges({ config }: Run): Failure {
  return new Failure({
    reason: 'certificate',
    what: `agents are to ask for servers by the domain ${config.domain}, and to trust another authority, at once`,
    where: `namespace ${config.namespace}`,
    hint: 'Nothing was changed. Deploy the certificates first, with the domain of before; then the domain.',
  });
}

function isGiven(given: GivenCertificates, files: TlsFiles): boolean {
  return (['server', 'client'] as const).every((role) => {
    const [one, other] = [given, files].map(
      (of) => certificatesIn(of[role].certificate)?.[0]?.fingerprint256,
    );
    return one === other;
  });
}
