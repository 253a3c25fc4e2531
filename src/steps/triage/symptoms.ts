import { apiSymptom } from '../../diagnosis/api.ts';
import { follows, hinders } from '../../diagnosis/consequence.ts';
import { Elections, electionSymptom } from '../../diagnosis/election.ts';
import { creationSymptom } from '../../diagnosis/event.ts';
import { FailedPulls } from '../../diagnosis/failed-pulls.ts';
import { logSymptom, mentions, witnessSymptom } from '../../diagnosis/log.ts';
import {
  isStarting,
  type PodContext,
  podSymptoms,
  probeBudget,
  unsteadySymptom,
} from '../../diagnosis/pod.ts';
import { agent, quorumSymptoms, SERVERS } from '../../diagnosis/quorum.ts';
import { heldBackSymptom } from '../../diagnosis/revision.ts';
import { smokeSymptom } from '../../diagnosis/smoke.ts';
import type { Subject, Symptom } from '../../diagnosis/symptom.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Expectation } from '../../session/expectation.ts';
import type { Run } from '../../session/run.ts';
import { ROLES, type Role, type Workloads } from '../../session/workloads.ts';
import type { QuorumLook } from '../proof/quorum-watch.ts';
import type { Clues } from './events-and-logs.ts';
import { claim, logsOf, witnessesOf } from './what-to-ask.ts';

/** What was seen at one moment. */
export interface Condition {
  symptoms: Symptom[];
  /** Uids of the pods that are ready. */
  healthy: Set<string>;
}

/** What the servers said last, and what of. */
export interface LatestLook {
  look: QuorumLook;
  expected: Expectation;
}

/** Gathers the symptoms of all that is watched, of what the servers said, and of events and logs. */
export class Symptoms {
  readonly #run: Run;
  readonly #workloads: Workloads;
  readonly #clues: Clues;
  readonly #elections = new Elections();
  /** Restarts of each container when it was first seen, by pod and name. */
  readonly #restarts = new Map<string, number>();
  readonly #pulls = new FailedPulls();

  constructor(run: Run, workloads: Workloads, clues: Clues) {
    this.#run = run;
    this.#workloads = workloads;
    this.#clues = clues;
  }

  /** Is told what the servers said. */
  saw({ evidence }: QuorumLook): void {
    this.#elections.observe(evidence, performance.now());
  }

  now(latest: LatestLook | undefined): Condition {
    // Then nothing else is known to be so now.
    const { silence } = this.#clues;
    if (silence !== undefined) return { symptoms: [apiSymptom(silence)], healthy: new Set() };
    const serversReady = this.#workloads.verdict('server', { acceptPartition: true }).state === 'ready';
    const healthy = new Set<string>();
    const symptoms: Symptom[] = [];
    for (const role of ROLES) {
      const budget = probeBudget(this.#workloads.manifest(role) ?? {});
      for (const pod of this.#workloads.present(role)) {
        this.#pulls.observe(pod.uid, pod.containers);
        const unsteady = this.#unsteady(role, pod);
        if (pod.ready && !unsteady) {
          // Nothing is asked about it, and there may be thousands.
          healthy.add(pod.uid);
          continue;
        }
        const found = podSymptoms(pod, this.#context(role, pod, budget)).map((symptom) =>
          symptom.reason === 'not-ready' ? (unsteady ?? symptom) : symptom,
        );
        if (unsteady && found.length === 0) found.push(unsteady);
        // Clients wait for the servers, each in its own way: until those are there, that is no trouble of theirs.
        const waits = role === 'client' && !serversReady;
        symptoms.push(...found.filter(({ reason }) => !waits || !WAITING.has(reason)));
      }
      symptoms.push(...this.#creation(role), ...this.#heldBack(role));
    }
    symptoms.push(...this.#smoke());
    const quorum = latest && !hinders(symptoms) ? this.#quorum(latest, serversReady) : [];
    // Says more than that a check of the quorum fails, as it then does now and then.
    const restless = electionSymptom(this.#elections.recent(performance.now())) ?? [];
    const primary = [
      symptoms.filter((symptom) => !follows(symptom, symptoms, quorum)),
      quorum,
      restless,
    ].flat();
    return { symptoms: [...primary, ...primary.flatMap((symptom) => this.logged(symptom))], healthy };
  }

  /** Where there were elections it is the leader that comes and goes: a probe asks for it. */
  #unsteady(role: Role, pod: PodView): Symptom | undefined {
    if (this.#elections.recent(performance.now()) > 0) return undefined;
    return unsteadySymptom(pod, role, this.#workloads.observation.readinessLosses(pod.uid));
  }

  #context(role: Role, pod: PodView, budget: PodContext['budget']): PodContext {
    const node = this.#workloads.node(pod);
    return {
      role,
      budget,
      events: this.#clues.events({ uid: pod.uid }),
      claims: this.#workloads
        .claims(role, pod)
        .map((name) => ({ name, events: this.#clues.events(claim(name)) })),
      restartsBefore: (container) => this.#restartsBefore(pod, container),
      failedPulls: (container) => this.#pulls.of(pod.uid, container),
      ...(node && { node }),
    };
  }

  #restartsBefore(pod: PodView, container: string): number {
    const key = `${pod.uid}/${container}`;
    const known = this.#restarts.get(key);
    if (known !== undefined) return known;
    const restarts = pod.containers.find(({ name }) => name === container)?.restarts ?? 0;
    this.#restarts.set(key, restarts);
    return restarts;
  }

  #creation(role: Role): Symptom[] {
    const short = this.#workloads.shortage(role);
    if (!short) return [];
    // Others are of a template that is no more.
    const events = this.#clues.events({ uid: short.uid }).filter(({ lastAt }) => lastAt >= short.sinceMs);
    const { kind, name, uid } = short;
    const symptom = creationSymptom({ kind, name, uid, role }, events);
    return symptom ? [symptom] : [];
  }

  #smoke(): Symptom[] {
    const troubles = this.#run.troubles.proofs();
    if (troubles.length === 0) return [];
    const clients = new Map(
      this.#workloads.pods('client').map((pod) => [this.#workloads.nodeName(pod), pod]),
    );
    return troubles.map(({ title, agent: name, trouble }) => {
      const found = clients.get(name ?? '');
      return smokeSymptom(found ? agent(found, 'client') : SERVERS, title, trouble);
    });
  }

  /** Pods that nobody will replace. Servers are walked by a partition of this action's own. */
  #heldBack(role: Role): Symptom[] {
    const view = this.#workloads.heldBack(role);
    if (!view || (role === 'server' && view.strategy !== 'OnDelete')) return [];
    if (this.#workloads.walked.has(role)) return [];
    const verdict = this.#workloads.verdict(role);
    if (verdict.state !== 'progressing') return [];
    const { kind, name, uid } = view;
    return [heldBackSymptom({ kind, name, uid, role }, verdict.reason)];
  }

  #quorum({ look, expected }: LatestLook, serversReady: boolean): Symptom[] {
    // A server that is still starting answers nobody, and may take its time for that.
    if (expected.absent.length > 0 || expected.pods.some(isStarting)) return [];
    const answering = serversReady ? expected.clientPods.filter((pod) => this.#answers(pod)) : [];
    return quorumSymptoms({
      evidence: look.evidence,
      findings: look.findings,
      servers: expected.pods.map((pod) => ({ ...pod, ip: this.#workloads.serverAddress(pod) ?? '' })),
      allClients: answering.length === expected.clientPods.length,
      clients: new Map(answering.map((pod) => [this.#workloads.nodeName(pod), pod])),
    });
  }

  /** Its agent is there, ready or not: it answers its probe, if only to say that it knows no server. */
  #answers(pod: PodView): boolean {
    if (pod.containers.some(({ init, started }) => !init && started)) return true;
    const probed = this.#clues.events({ uid: pod.uid }).find(({ reason }) => reason === 'Unhealthy');
    return probed?.message.includes('statuscode') ?? false;
  }

  /** What the logs say of it. */
  logged(symptom: Symptom): Symptom[] {
    return logsOf(this.#workloads, symptom).flatMap((log) => {
      const kind = symptom.subject.kind === 'Servers' ? 'Agent' : symptom.subject.kind;
      const subject = { ...symptom.subject, kind, name: log.pod, uid: log.uid };
      const said = logSymptom(
        subject,
        this.#clues.log(log) ?? '',
        symptom.reason === 'crash',
        // A server that is not ready yet may have been asked by a client that is wrong: not the server is.
        (line) => subject.role === 'server' && this.#namesClient(line),
      );
      return said ?? this.#witnessed(symptom, subject) ?? [];
    });
  }

  #namesClient(line: string): boolean {
    return this.#workloads
      .pods('client')
      .some((pod) => mentions(line, { name: this.#workloads.nodeName(pod), ip: pod.ip }));
  }

  /** What the logs of the servers say of it. */
  #witnessed(symptom: Symptom, subject: Subject): Symptom | undefined {
    const { ip } = this.#workloads.pods('client').find(({ uid }) => uid === subject.uid) ?? {};
    if (ip === undefined) return undefined;
    for (const log of witnessesOf(this.#workloads, symptom)) {
      const found = witnessSymptom(subject, ip, log.pod, this.#clues.log(log) ?? '');
      if (found) return found;
    }
    return undefined;
  }
}

/** What a client may show while it waits for servers. */
const WAITING: ReadonlySet<Symptom['reason']> = new Set(['crash', 'not-ready']);
