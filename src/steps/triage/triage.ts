import { causeOf } from '../../diagnosis/cause.ts';
import { Classifier, type Sighting, verdictOn } from '../../diagnosis/classifier.ts';
import { tellingLines } from '../../diagnosis/log.ts';
import { describeSignature, signatures } from '../../diagnosis/signature.ts';
import { type Subject, symptomKey } from '../../diagnosis/symptom.ts';
import { witnessLines } from '../../diagnosis/witness.ts';
import { Failure, type FailureReason } from '../../failure.ts';
import type { Transport } from '../../kubernetes/http/transport.ts';
import type { Expectation } from '../../session/expectation.ts';
import type { TakeBack } from '../../session/open-troubles.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';
import type { QuorumLook } from '../proof/quorum-watch.ts';
import { Clues } from './events-and-logs.ts';
import { type LatestLook, Symptoms } from './symptoms.ts';
import { eventsWanted, logsOf, logsWanted, REPRESENTATIVES } from './what-to-ask.ts';

const ROUND_MS = 1_000;
/** Give up after no change for this long, while something is missing. */
const STALLED_MS = 240_000;
/** Time for the last questions, when the verdict is out. */
const LAST_QUESTIONS_MS = 6_000;
/** So long a symptom has to be there before the log of the run speaks of it. */
const NEWS_MS = 5_000;
/** Subjects that are one object of Kubernetes. */
const NAMED: ReadonlySet<Subject['kind']> = new Set(['Pod', 'StatefulSet', 'DaemonSet', 'Agent']);
const OF_QUORUM: ReadonlySet<FailureReason> = new Set(['no-leader', 'split', 'cut-off', 'quorum', 'outside']);
const EVENT_LINES = 5;
const LOG_LINES = 15;

/**
 * Looks every second for what keeps the cluster from working, and fails the run as soon as that cannot heal, or
 * has had its time.
 */
export class Triage {
  readonly #run: Run;
  readonly #workloads: Workloads;
  readonly #clues: Clues;
  readonly #symptoms: Symptoms;
  #classifier = new Classifier();
  readonly #over = new AbortController();
  #latest: LatestLook | undefined;
  #still = { state: '', sinceMs: 0 };
  readonly #takeBack: TakeBack;

  constructor(run: Run, workloads: Workloads, transport: Transport) {
    this.#run = run;
    this.#workloads = workloads;
    this.#clues = new Clues(transport, run.config.namespace);
    this.#symptoms = new Symptoms(run, workloads, this.#clues);
    this.#takeBack = run.troubles.suspect(() =>
      signatures(this.#classifier.current()).map(describeSignature),
    );
  }

  /**
   * Looks until `close` is called; its verdict ends the run.
   * @param told what the run says of it, where it has more to say
   */
  start(told = (verdict: Failure): Failure => verdict): void {
    const signal = AbortSignal.any([this.#run.signal, this.#over.signal]);
    this.#watch(signal).catch((error: unknown) => {
      if (!signal.aborted) this.#run.fail(error instanceof Failure ? told(error) : error);
    });
  }

  /** Looks while this lasts, and no longer: what comes afterwards is no matter of the rollout. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.start();
    try {
      return await work();
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#over.abort();
    this.#takeBack();
  }

  /** Is told what the servers said. */
  saw(look: QuorumLook, expected: Expectation): void {
    this.#latest = { look, expected };
    this.#symptoms.saw(look);
  }

  /** A step is done: what comes now is another trouble, although it may look the same. */
  startOver(): void {
    this.#classifier = new Classifier();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    for (;;) {
      const nowMs = performance.now();
      const { symptoms, healthy } = this.#symptoms.now(this.#latest);
      this.#classifier.observe(symptoms, healthy, nowMs);
      const sightings = this.#classifier.current();
      const final = verdictOn(sightings, this.#scope(), nowMs);
      if (final.length > 0) throw await this.#failure(final, sightings, signal);
      if (this.#stillMs(sightings, nowMs) >= STALLED_MS) throw this.#stalled();
      this.#tell(sightings, nowMs);
      if (this.#unanswered()) this.#clues.probe(signal);
      this.#clues.want(eventsWanted(this.#workloads), logsWanted(this.#workloads, sightings), signal);
      await pause(ROUND_MS, signal);
    }
  }

  /** No server answered lately, as when the way to them is closed. */
  #unanswered(): boolean {
    const evidence = this.#latest?.look.evidence ?? [];
    return this.#clues.silence !== undefined || evidence.some(({ errors }) => errors.leader !== undefined);
  }

  #scope() {
    const { ready, desired } = this.#workloads.verdict('client');
    return { clients: desired, clientsReady: ready, maxUnreadyClients: this.#workloads.maxUnready(desired) };
  }

  /** What is waited for, and why, once it lasts. */
  #tell(sightings: readonly Sighting[], nowMs: number): void {
    const [top] = signatures(sightings.filter(({ sinceMs }) => nowMs - sinceMs >= NEWS_MS));
    if (top) this.#run.log.progress(`waiting although ${describeSignature(top)}`, 'diagnosis');
    else this.#run.log.settled('diagnosis');
  }

  /** How long nothing has changed that nobody could explain. A cluster that lacks nothing may stay as it is. */
  #stillMs(sightings: readonly Sighting[], nowMs: number): number {
    const pods = ROLES.flatMap((role) => this.#workloads.present(role)).map(
      ({ uid, phase, ready, restarts, waiting }) => [uid, phase, ready, restarts, waiting],
    );
    const findings = this.#latest?.look.findings.map(({ id, passed }) => [id, passed]);
    const state = JSON.stringify([pods, findings]);
    const busy = sightings.length > 0 || this.#isWhole();
    if (state !== this.#still.state || busy) this.#still = { state, sinceMs: nowMs };
    return nowMs - this.#still.sinceMs;
  }

  #isWhole(): boolean {
    const ready = ROLES.every((role) => this.#workloads.verdict(role).state === 'ready');
    return ready && (this.#latest?.look.allPassed ?? false);
  }

  /** With the last events and lines of those it is about. */
  async #failure(
    final: readonly Sighting[],
    sightings: readonly Sighting[],
    signal: AbortSignal,
  ): Promise<Failure> {
    const decided = new Set(final);
    // Those that show the same and only began later belong to it.
    const suspected = causeOf(signatures(sightings), decided)?.all ?? final;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LAST_QUESTIONS_MS)]);
    const concerned = suspected.slice(0, REPRESENTATIVES).map(({ subject }) => ({ uid: subject.uid }));
    await this.#clues
      .ask(concerned, logsWanted(this.#workloads, suspected), limited, 0)
      .catch(() => signal.throwIfAborted());
    const found = signatures([...sightings, ...this.#saidSince(suspected, sightings)]);
    const cause = causeOf(found, decided);
    if (!cause) throw new TypeError('a verdict without a cause');
    const { subject, reason, hint } = cause.first;
    const { sinceMs: seenMs, dueMs } = final[0] ?? cause.first;
    const kind = subject.kind === 'Agent' ? 'Pod' : subject.kind;
    return new Failure({
      reason,
      what: describeSignature(cause),
      ...(subject.kind === 'ApiServer' && { where: this.#run.known.cluster?.server ?? '' }),
      ...(NAMED.has(subject.kind) && { where: `${kind}/${subject.name}` }),
      hint,
      detection: { seenMs, dueMs },
      details: [
        ...found
          .filter(({ first }) => !cause.all.includes(first))
          .map((one) => `also: ${describeSignature(one)}`),
        ...this.#witnesses(reason),
        ...this.#eventLines(cause.all),
        ...this.#logLines(cause.all),
        ...[...this.#clues.denied].map((what) => `${what}: these permissions do not allow to read them`),
      ],
    });
  }

  /** What the logs name that only the last questions have brought. */
  #saidSince(suspected: readonly Sighting[], sightings: readonly Sighting[]): Sighting[] {
    const known = new Set(sightings.map(symptomKey));
    return suspected.flatMap((one) =>
      this.#symptoms
        .logged(one)
        .filter((symptom) => !known.has(symptomKey(symptom)))
        .map((symptom) => ({ ...one, ...symptom })),
    );
  }

  /** What the servers say of each other, where that is the trouble. */
  #witnesses(reason: FailureReason): string[] {
    return OF_QUORUM.has(reason) ? witnessLines(this.#latest?.look.evidence ?? []) : [];
  }

  #eventLines(sightings: readonly Sighting[]): string[] {
    return sightings.slice(0, REPRESENTATIVES).flatMap(({ subject }) =>
      this.#clues
        .events({ uid: subject.uid })
        .slice(0, EVENT_LINES)
        .map(({ reason, message, count }) => {
          const times = count > 1 ? ` (${count} times)` : '';
          return `${subject.name}: event ${reason}${times}: ${message}`;
        }),
    );
  }

  #logLines(sightings: readonly Sighting[]): string[] {
    const logs = new Map(
      sightings.flatMap((one) => logsOf(this.#workloads, one)).map((log) => [log.uid, log]),
    );
    return [...logs.values()].slice(0, REPRESENTATIVES).flatMap((log) => {
      return tellingLines(this.#clues.log(log) ?? '', LOG_LINES).map((line) => `${log.pod}: log: ${line}`);
    });
  }

  #stalled(): Failure {
    const [first] = this.#run.failedChecks();
    return new Failure({
      reason: 'stalled',
      what: `nothing has changed for ${STALLED_MS / 60_000} min${first ? `: ${first.title}: ${first.observed}` : ''}`,
      hint: 'Look at what this check observed, and at the controllers of the cluster: nobody works on it any more.',
      details: this.#run.openChecks(),
    });
  }
}
