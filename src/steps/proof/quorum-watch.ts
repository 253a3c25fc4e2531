import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import type { Finding } from '../../consul/quorum/finding.ts';
import { leadershipOf } from '../../consul/quorum/leadership.ts';
import { judgeQuorum, quorumSignature } from '../../consul/quorum/quorum.ts';
import { serviceIndexChanges } from '../../consul/quorum/server-changes.ts';
import { StabilityWindow } from '../../consul/quorum/stability.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Expectation } from '../../session/expectation.ts';
import type { Run } from '../../session/run.ts';
import { evidenceOfAll } from '../../session/servers.ts';
import type { Wake } from '../../session/wake.ts';
import { Introductions } from './introduction.ts';
import { type Held, heldText, type Stability } from './stability.ts';

/** Between two looks at Raft, which cannot be waited for, while it is not yet as it should be, and after. */
const POLL_UNSETTLED_MS = 400;
const POLL_SETTLED_MS = 2_000;
/** While only autopilot's word is missing, which it gives every 2 s; it has had its turns after some of them. */
const NEARLY_MS = 150;
const NEARLY_AT_MOST_MS = 6_000;
/** So long a forming cluster is not complained about. */
const QUIET_MS = 5_000;

/** What it needs of the connections to agents. */
export type Connections = Pick<Agents, 'client' | 'keep'>;

export interface QuorumLook {
  evidence: ServerEvidence[];
  findings: Finding[];
  /** All but the members, which are the clients' matter too. */
  serversPassed: boolean;
  allPassed: boolean;
  /** How long the servers have passed without a change, and all else that has to be stable; 0 while they do not. */
  heldMs: number;
  /** How that is known, where more than the servers was looked at. */
  held?: Held;
}

export interface LookObserver {
  saw(look: QuorumLook, expected: Expectation): void;
  /** A step is done: what comes now is another trouble, although it may look the same. */
  startOver?(): void;
}

/** Looks at the quorum again and again, when something has changed and otherwise at intervals. */
export class QuorumWatch {
  readonly #run: Run;
  readonly #agents: Connections;
  readonly #observer: LookObserver;
  readonly #window = new StabilityWindow();
  readonly #introductions: Introductions;
  readonly #stability: Stability | undefined;
  readonly #pollMs: number;
  #triggerUid: string | undefined;
  #runningSince: number | undefined;
  #nearlySince: number | undefined;

  /**
   * @param observer is told of every look
   * @param options.stability judges how long all of it is stable; without it only what this watch has seen of the
   *   servers counts, and no check tells of it
   * @param options.pollMs between two looks while not all is as it should be
   */
  constructor(
    run: Run,
    agents: Connections,
    observer: LookObserver,
    { stability, pollMs = POLL_UNSETTLED_MS }: { stability?: Stability; pollMs?: number } = {},
  ) {
    this.#stability = stability;
    this.#pollMs = pollMs;
    this.#run = run;
    this.#agents = agents;
    this.#observer = observer;
    this.#introductions = new Introductions(agents);
  }

  /** Asks every server once, directly, and judges. */
  async look(expected: Expectation, signal: AbortSignal): Promise<QuorumLook> {
    this.#agents.keep([...expected.pods, ...expected.clientPods]);
    const evidence = await evidenceOfAll(expected.pods, this.#agents, signal);
    const findings = judgeQuorum(evidence, expected).map((finding) =>
      expected.absent.length === 0
        ? finding
        : { ...finding, passed: false, observed: expected.absent.join('; ') },
    );
    const serversPassed = findings.every(({ id, passed }) => passed || id === 'quorum-members');
    const now = performance.now();
    this.#window.observe(serversPassed, quorumSignature(evidence), now);
    const allPassed = findings.every(({ passed }) => passed);
    const seenMs = this.#window.heldMs(now);
    const held = serversPassed ? this.#stability?.of(leadershipOf(evidence), seenMs, now) : undefined;
    const heldMs = held?.ms ?? seenMs;
    return { evidence, findings, serversPassed, allPassed, heldMs, ...(held && { held }) };
  }

  /**
   * Looks until `enough` says so; it is asked after every look, which has been recorded by then. `wake` is called
   * by whoever knows that a look is worth while; Consul's own changes call it, too.
   */
  async until(
    expectation: () => Expectation,
    wake: Wake,
    enough: (look: QuorumLook) => boolean,
  ): Promise<QuorumLook> {
    const { signal } = this.#run;
    const over = new AbortController();
    const listening = AbortSignal.any([signal, over.signal]);
    try {
      for (;;) {
        const expected = expectation();
        const look = await this.look(expected, signal);
        this.#introductions.consider(expected, look.evidence, performance.now(), signal);
        this.#observer.saw(look, expected);
        this.#record(look);
        this.#tell(expected, look);
        if (enough(look)) return look;
        this.#listen(expected.pods[0], look, wake, listening);
        const rest = Math.max(this.#run.config.stableFor - look.heldMs, 50);
        await wake.next(look.allPassed ? Math.min(POLL_SETTLED_MS, rest) : this.#unsettledMs(look), signal);
      }
    } finally {
      over.abort();
      // The next round has to listen again.
      this.#triggerUid = undefined;
    }
  }

  #unsettledMs({ findings }: QuorumLook): number {
    const open = findings.filter(({ passed }) => !passed);
    const isNearly = open.length === 1 && open[0]?.id === 'quorum-tolerance';
    const now = performance.now();
    this.#nearlySince = isNearly ? (this.#nearlySince ?? now) : undefined;
    const isNews = this.#nearlySince !== undefined && now - this.#nearlySince < NEARLY_AT_MOST_MS;
    return isNews ? Math.min(NEARLY_MS, this.#pollMs) : this.#pollMs;
  }

  /** What is missing, once all servers have been running for a while: before that the pods are the news. */
  #tell({ absent }: Expectation, { findings }: QuorumLook): void {
    const now = performance.now();
    this.#runningSince = absent.length > 0 ? undefined : (this.#runningSince ?? now);
    const open = findings.find(({ passed }) => !passed);
    const due = this.#runningSince !== undefined && now - this.#runningSince >= QUIET_MS;
    if (!open) this.#run.log.settled('quorum');
    else if (due) this.#run.log.progress(`${open.title}: ${open.observed}`, 'quorum');
  }

  /** A blocking query at one server rings when the catalog's view of the servers changes. */
  #listen(pod: PodView | undefined, look: QuorumLook, wake: Wake, signal: AbortSignal): void {
    if (!pod || pod.uid === this.#triggerUid || !look.evidence.some(({ leader }) => leader)) return;
    this.#triggerUid = pod.uid;
    const changes = serviceIndexChanges(this.#agents.client(pod), signal);
    void (async () => {
      for await (const _ of changes) wake.up();
    })().catch(() => undefined); // Its end only means that looks come at intervals alone.
  }

  #record({ evidence, findings, serversPassed, heldMs, held }: QuorumLook): void {
    const run = this.#run;
    run.serversSaid = evidence;
    for (const { id, title, expected, observed, passed } of findings) {
      run.check({ id, title, group: 'quorum', expected, observed, passed });
    }
    if (serversPassed) run.mark('quorum');
    const { stableFor } = run.config;
    if (stableFor === 0 || !this.#stability) return;
    const passed = heldMs >= stableFor;
    if (passed && run.passed('quorum-stable')) return;
    run.check({
      id: 'quorum-stable',
      title: 'Stable',
      group: 'quorum',
      expected: `leader, term, voters and ready pods the same for ${(stableFor / 1000).toFixed(1)} s`,
      observed: held ? heldText(held, stableFor) : 'not yet',
      passed,
    });
  }
}
