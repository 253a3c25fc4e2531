import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { ServerClock } from '../../kubernetes/http/clock.ts';
import { formatDuration } from '../../report/duration.ts';
import { progressLine } from '../../rollout/progress.ts';
import type { Verdict } from '../../rollout/verdict.ts';
import type { Agents } from '../../session/agents.ts';
import { allOrFirst } from '../../session/all-or-first.ts';
import { CurrentPods } from '../../session/current-pods.ts';
import { expectationOf } from '../../session/expectation.ts';
import type { Run } from '../../session/run.ts';
import { Wake } from '../../session/wake.ts';
import type { Workloads } from '../../session/workloads.ts';
import { proveGossip, type WantedGossip } from './gossip.ts';
import { proveHttps } from './https.ts';
import { clusterState, type ProvenCluster, type SeenBeside } from './proven-cluster.ts';
import { type Connections, type LookObserver, type QuorumLook, QuorumWatch } from './quorum-watch.ts';
import { consistentRead, smokeKeyValue, smokeServerDns, smokeServices, type Through } from './smoke-tests.ts';
import { type LedSince, limitOf, Stability } from './stability.ts';
import { proveTls, type WantedTls } from './tls.ts';

/** What the proof needs besides the run. */
export interface ProofParts {
  workloads: Workloads;
  agents: Connections & Pick<Agents, 'dns' | 'gossip' | 'rpc' | 'https'>;
  observer: LookObserver;
  /** Of the API server. */
  clock: ServerClock;
  /** The leadership that an earlier run has recorded. */
  before?: LedSince | undefined;
  /** What gossip has to be like. */
  gossip: WantedGossip;
  /** What RPC to the servers has to be like. */
  tls: WantedTls;
}

/**
 * Waits and proves at the same time: the pods by watches, the quorum by asking every server, and the smoke tests
 * as soon as what they need is there. Ends when all of it is true at one moment, and has been stable for long enough.
 */
export async function waitAndProve(run: Run, parts: ProofParts): Promise<ProvenCluster> {
  const proof = new Proof(run, parts);
  const [look, , seen] = await allOrFirst(run, [proof.quorum(), proof.pods(), proof.smoke()] as const);
  return { ...clusterState(run, parts.workloads, look), ...seen };
}

class Proof {
  readonly #run: Run;
  readonly #workloads: Workloads;
  readonly #parts: ProofParts;
  readonly #wake = new Wake();
  /** A leader and all voters: autopilot's word on their health comes up to seconds later, and no proof needs it. */
  readonly #votersOnce = Promise.withResolvers<void>();
  readonly #quorumOnce = Promise.withResolvers<void>();
  readonly #podsOnce = Promise.withResolvers<void>();
  readonly #end = new AbortController();
  readonly #waiting: { end: () => void };
  #smokeDone = false;

  constructor(run: Run, parts: ProofParts) {
    this.#run = run;
    this.#parts = parts;
    this.#workloads = parts.workloads;
    this.#waiting = run.beside('wait');
  }

  /** Ends last: its final look is taken when everything else is true. */
  async quorum(): Promise<QuorumLook> {
    const { config } = this.#run;
    const { agents, observer } = this.#parts;
    const version = versionOf(config.image);
    const stability = new Stability(this.#parts);
    const watch = new QuorumWatch(this.#run, agents, observer, { stability });
    try {
      return await watch.until(
        () => expectationOf(config, this.#workloads, version),
        this.#wake,
        (look) => {
          if (hasVoters(look)) this.#votersOnce.resolve();
          if (look.serversPassed) this.#quorumOnce.resolve();
          // As they are now: a change that has just come in may not have been judged yet.
          const done = look.allPassed && this.#judgePods() && this.#smokeDone;
          if (done) this.#run.mark('last-condition');
          if (done && look.heldMs >= config.stableFor) return true;
          this.#tellOfStability(done ? look : undefined);
          return false;
        },
      );
    } finally {
      this.#run.log.settled('stable');
      this.#end.abort();
    }
  }

  /** What it is that nothing else waits for any more. */
  #tellOfStability(look: QuorumLook | undefined): void {
    const { log, config } = this.#run;
    const wanted = formatDuration(config.stableFor);
    if (!look?.held) log.settled('stable');
    else log.progress(`all in order; it has to stay so for ${wanted}: ${limitOf(look.held)}`, 'stable');
  }

  /** Judges the workloads at every change of a pod, until the quorum ends it. */
  async pods(): Promise<void> {
    const { signal } = this.#run;
    const { observation } = this.#workloads;
    const both = AbortSignal.any([signal, this.#end.signal]);
    for (;;) {
      const { version } = observation;
      this.#judgePods();
      this.#wake.up();
      try {
        await this.#workloads.changedSince(version, both);
      } catch (error) {
        if (this.#end.signal.aborted && !signal.aborted) return;
        throw error;
      }
    }
  }

  /** Whether all that count are ready. */
  #judgePods(): boolean {
    const run = this.#run;
    const servers = this.#workloads.verdict('server');
    const clients = this.#workloads.verdict('client');
    for (const verdict of [servers, clients]) {
      if (verdict.state === 'gone') throw gone(verdict.reason);
    }
    run.check(readiness('servers', 'Servers', servers));
    if (servers.state === 'ready') run.mark('servers-ready');
    run.known.clientsReady = clients.ready;
    run.known.clientsDesired = clients.desired;
    if (this.#workloads.has('client')) {
      run.check(readiness('clients', 'Clients', clients));
      if (clients.state === 'ready') run.mark('clients-ready');
    }
    const parts = [
      { title: 'servers', verdict: servers, pods: this.#workloads.pods('server') },
      ...(this.#workloads.has('client')
        ? [{ title: 'clients', verdict: clients, pods: this.#workloads.pods('client') }]
        : []),
    ];
    const ready = servers.state === 'ready' && clients.state === 'ready';
    if (ready) {
      run.log.settled('pods');
      if (run.known.timings['pods-ready'] === undefined) this.#waiting.end();
      run.mark('pods-ready');
      this.#podsOnce.resolve();
    } else run.log.progress(progressLine(parts), 'pods');
    return ready;
  }

  async smoke(): Promise<SeenBeside> {
    const run = this.#run;
    const { config } = run;
    await this.#unlessAborted(this.#votersOnce.promise);
    const through: Through = { agents: this.#parts.agents, pods: new CurrentPods(run, this.#workloads) };
    const proofs: Promise<unknown>[] = [consistentRead(run, through)];
    const key = config.smoke ? smokeKeyValue(run, through) : undefined;
    if (key) proofs.push(key);
    if (config.smokeService && this.#workloads.has('client')) proofs.push(this.#services(through));
    const encryption = this.#encryption(through);
    proofs.push(encryption);
    if (config.smokeDns && !this.#workloads.has('client')) proofs.push(this.#serverDns(through));
    await allOrFirst(run, proofs);
    this.#smokeDone = true;
    this.#wake.up();
    return { ...(await key), ...(await encryption) };
  }

  async #services(through: Through): Promise<void> {
    // Not sooner, though each could begin when it is ready: the connections would take the processors that the
    // others need to start.
    await this.#unlessAborted(this.#podsOnce.promise);
    await smokeServices(this.#run, through);
  }

  async #encryption({ pods }: Through): Promise<SeenBeside> {
    await this.#unlessAborted(this.#podsOnce.promise);
    const { agents, ...wanted } = this.#parts;
    const [gossip, tls] = await allOrFirst(this.#run, [
      proveGossip(this.#run, { agents, pods }, wanted.gossip),
      proveTls(this.#run, { agents, pods }, wanted.tls),
      proveHttps(this.#run, { agents, pods }),
    ] as const);
    return { gossip, tls };
  }

  async #serverDns(through: Through): Promise<void> {
    await this.#unlessAborted(this.#quorumOnce.promise);
    await smokeServerDns(this.#run, through);
  }

  async #unlessAborted(event: Promise<void>): Promise<void> {
    const { signal } = this.#run;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([event, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

/** What ACLs still hide may be allowed in a moment, and a smoke test that is refused would be final. */
function hasVoters({ findings, evidence }: QuorumLook): boolean {
  const later = new Set(['quorum-tolerance', 'quorum-members']);
  return (
    findings.every(({ id, passed }) => passed || later.has(id)) &&
    evidence.every(({ denied }) => denied.length === 0)
  );
}

function readiness(group: 'servers' | 'clients', title: string, verdict: Verdict) {
  const passed = verdict.state === 'ready';
  const excluded = verdict.excluded.length > 0 ? `; without ${verdict.excluded.join(', ')}` : '';
  return {
    id: `${group}-ready`,
    title: `${title} ready`,
    group,
    expected: `${count(verdict.desired, 'pod')} of this revision, ready and available`,
    observed: `${verdict.ready} of ${verdict.desired}${passed ? '' : `: ${verdict.reason}`}${excluded}`,
    passed,
  };
}

function gone(reason: string): Failure {
  return new Failure({
    reason: 'rejected',
    what: reason,
    where: 'the rollout',
    hint: 'Somebody else changed it while this run was waiting. Find out who (kubectl get events), then run again.',
  });
}

/** `1.22.7` of `hashicorp/consul:1.22.7` and of `…:1.22.7-ent@sha256:…`; undefined for a tag that is no version. */
export function versionOf(image: string): string | undefined {
  const tag = /:([^/@:]+)(?:@[\s\S]*)?$/.exec(image)?.[1];
  return tag === undefined ? undefined : /^v?(\d+\.\d+\.\d+)(?:[-+.].*)?$/.exec(tag)?.[1];
}
