import { certificatesIn } from '../../certificates/certificate.ts';
import { Failure } from '../../failure.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import type { Role } from '../../manifests/label.ts';
import { authoritySecretName, tlsSecretName } from '../../manifests/name.ts';
import type { TlsFiles } from '../../manifests/tls.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Run } from '../../session/run.ts';
import { requirePermissions } from '../preflight/permissions.ts';
import { carriagePermissions } from '../registrations/stash.ts';
import { isDue, issue, lacksNames, union } from './certificates.ts';
import { type EncryptionTools, EncryptionWatch } from './encryption-watch.ts';
import { byRole } from './in-pods/agent-pods.ts';
import type { PodFiles } from './in-pods/pod-files.ts';
import { reloadWith } from './in-pods/reload-agents.ts';
import { untilServed } from './served.ts';
import type { TlsGoal } from './settle-tls.ts';
import { tlsPodFiles } from './tls-pod-files.ts';
import { type GivenCertificates, writeTlsFiles } from './tls-secrets.ts';
import { rpcSeen } from './tls-states.ts';

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
  const isBegun = files.rotation !== undefined || isOfAnother(tls, files);
  // Those of the user are renewed by whoever makes them.
  const isOver = tls.given ? !isGiven(tls.given, files) : isDue(files);
  if (!isAsked && !isBegun && !isOver && !tls.isTorn) return;
  const anew = isAsked && !isBegun && !tls.given;
  const title = isAsked || isBegun ? 'Change the authority of the certificates' : 'Renew the certificates';
  await replace(run, tls, files, { tools, title, anew, isGated: true });
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
  if (files.rotation !== undefined || tls.isTorn || !lacksNames(run, files)) return files;
  if (isOfAnother(tls, files)) throw twoChanges(run);
  await tools.workloads.untilSynced(run.signal);
  // Whoever is away trusts what comes, and reads it when it starts.
  const title = 'Give the certificates another name';
  return replace(run, tls, files, { tools, title, anew: false, isGated: false });
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

/** The deployment's authority is one that the agents do not trust: a change of it was ended before it began. */
function isOfAnother({ given, authority }: TlsGoal, { authorities }: TlsFiles): boolean {
  const known = certificatesIn(authorities) ?? [];
  const [own] = certificatesIn(given ? given.authorities : (authority?.certificate ?? '')) ?? [];
  return own !== undefined && !known.some(({ fingerprint256 }) => fingerprint256 === own.fingerprint256);
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

class Replacement {
  readonly #run: Run;
  readonly #tools: EncryptionTools;
  readonly #watch: EncryptionWatch;
  #files: TlsFiles;

  constructor(run: Run, tools: EncryptionTools, watch: EncryptionWatch, files: TlsFiles) {
    this.#run = run;
    this.#tools = tools;
    this.#watch = watch;
    this.#files = files;
  }

  /** With another authority all agents trust both before the first shows a certificate of the new one. */
  async all(to: GivenCertificates): Promise<TlsFiles> {
    const run = this.#run;
    const both = union(this.#files.authorities, to.authorities);
    const isOther = both !== union(to.authorities, to.authorities) || this.#files.rotation !== undefined;
    run.known.left = { is: 'replacing-certificates' };
    const last = this.#files.revision + (isOther ? 3 : 1);
    const pods = tlsPodFiles(run, this.#tools, last);
    const { servers, clients } = byRole(this.#tools.workloads, this.#watch.pods());
    pods.server.follow(servers);
    pods.client.follow(clients);
    try {
      if (isOther) {
        // A role whose Secret was removed has none of its own to show.
        const kept = (role: Role) => (this.#files[role].certificate ? this.#files[role] : to[role]);
        const pairs = { server: kept('server'), client: kept('client') };
        await this.#spread({ authorities: both, ...pairs, rotation: 'trust' }, pods);
        run.log.info('TLS: the new certificates are trusted by every agent');
      }
      const { server, client } = to;
      await this.#spread({ authorities: both, server, client, ...(isOther && { rotation: 'leaves' }) }, pods);
      if (isOther) await this.#spread({ authorities: to.authorities, server, client }, pods);
    } finally {
      pods.close();
    }
    run.log.info(
      `TLS: every agent has its new certificate${isOther ? ', and trusts no other authority' : ''}`,
    );
    return this.#files;
  }

  async #spread(
    change: Partial<Pick<TlsFiles, 'server' | 'client' | 'rotation'>> & { authorities: string },
    pods: Record<Role, PodFiles>,
  ): Promise<void> {
    const run = this.#run;
    const { rotation: _, ...before } = this.#files;
    const revision = before.revision + 1;
    this.#files = { ...before, ...change, revision };
    await writeTlsFiles(run, this.#tools.cluster, this.#files);
    const all = this.#watch.pods();
    const { servers, clients } = byRole(this.#tools.workloads, all);
    // A client has no port that shows its certificate; that servers take it is seen by what they answer it.
    const as = { state: 'with its new certificate', revision };
    await Promise.all([
      reloadWith(run, this.#tools, servers, {
        ...as,
        files: pods.server,
        isReached: (pod) => this.#shows(pod),
      }),
      reloadWith(run, this.#tools, clients, { ...as, files: pods.client, isReached: async () => true }),
    ]);
    await untilServed(run, this.#tools, all);
  }

  async #shows(pod: PodView): Promise<boolean> {
    const seen = await rpcSeen(
      this.#run,
      this.#tools.agents,
      { servers: [pod], clients: [] },
      this.#files.server.certificate,
    );
    return seen.get(pod)?.server?.servesOurs ?? false;
  }
}
