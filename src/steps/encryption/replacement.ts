import type { Role } from '../../manifests/label.ts';
import type { TlsFiles } from '../../manifests/tls.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Run } from '../../session/run.ts';
import { union } from './certificates.ts';
import type { EncryptionTools, EncryptionWatch } from './encryption-watch.ts';
import { byRole } from './in-pods/agent-pods.ts';
import type { PodFiles } from './in-pods/pod-files.ts';
import { reloadWith } from './in-pods/reload-agents.ts';
import { untilServed } from './served.ts';
import { tlsPodFiles } from './tls-pod-files.ts';
import { type GivenCertificates, writeTlsFiles } from './tls-secrets.ts';
import { rpcSeen } from './tls-states.ts';

/** Gives all agents other certificates, by reloads alone. */
export class Replacement {
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

  /**
   * With another authority all agents trust both before the first shows a certificate of the new one. That all have read
   * the last files is written when they have: until then the next run begins again.
   */
  async all(to: GivenCertificates): Promise<TlsFiles> {
    const run = this.#run;
    const { authorities: before, rotation } = this.#files;
    const both = union(before, to.authorities);
    const [old, wanted] = [before, to.authorities].map((one) => union(one, ''));
    const isOther = rotation === 'trust' || both !== old || both !== wanted;
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
      const { server, client, from } = to;
      const { from: _, ...files } = this.#files;
      this.#files = { ...files, ...(from && { from }) };
      await this.#spread({ authorities: both, server, client, rotation: 'leaves' }, pods);
      if (isOther)
        await this.#spread({ authorities: to.authorities, server, client, rotation: 'leaves' }, pods);
    } finally {
      pods.close();
    }
    await this.#end();
    run.log.info(
      `TLS: every agent has its new certificate${isOther ? ', and trusts no other authority' : ''}`,
    );
    return this.#files;
  }

  /** The data stay as they are, so no agent has anything to read. */
  async #end(): Promise<void> {
    const { rotation: _, ...files } = this.#files;
    this.#files = files;
    await writeTlsFiles(this.#run, this.#tools.cluster, files);
  }

  async #spread(
    change: Pick<TlsFiles, 'server' | 'client' | 'authorities'> & { rotation: 'trust' | 'leaves' },
    pods: Record<Role, PodFiles>,
  ): Promise<void> {
    const run = this.#run;
    const revision = this.#files.revision + 1;
    this.#files = { ...this.#files, ...change, revision };
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
