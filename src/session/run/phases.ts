import type { Phase, PhaseName, PhaseStep } from '../../report/result.ts';
import { RunStep } from './run-step.ts';

interface Surroundings {
  /** Milliseconds since the start of the run. */
  now: () => number;
  /** Given a line for the log. */
  tell: (line: string) => void;
}

/** What a run did when: its phases, and the steps within them. */
export class Phases {
  readonly #run: Surroundings;
  readonly #all: Phase[] = [];
  /** Those beside others that have not ended, and never will if the run fails. */
  readonly #beside = new Set<Phase>();
  /** Those that are under way, the innermost last. */
  readonly #running: Phase[] = [];
  /** Those that have not ended, with their phase. */
  readonly #steps = new Map<RunStep, Phase | undefined>();

  constructor(run: Surroundings) {
    this.#run = run;
  }

  async during<T>(name: PhaseName, work: () => Promise<T>): Promise<T> {
    const phase = this.#begin(name, 'passed');
    this.#running.push(phase);
    try {
      return await work();
    } catch (error) {
      phase.status = 'failed';
      throw error;
    } finally {
      for (const [step, of] of this.#steps) if (of === phase) step.failed();
      this.#running.pop();
      phase.endMs = this.#run.now();
    }
  }

  beside(name: PhaseName): { end: () => void } {
    const phase = this.#begin(name, 'failed');
    this.#beside.add(phase);
    const end = () => {
      this.#beside.delete(phase);
      phase.endMs = this.#run.now();
      phase.status = 'passed';
    };
    return { end };
  }

  /** @param isMany it is about several */
  step(name: string, isMany = false): RunStep {
    const { now, tell } = this.#run;
    const told: PhaseStep = { name, startMs: now(), endMs: now(), status: 'failed' };
    const phase = this.#running.at(-1);
    const steps = phase?.steps ?? [];
    if (phase) phase.steps = steps;
    steps.push(told);
    const ended = (line: string | undefined) => {
      this.#steps.delete(step);
      if (line !== undefined) tell(line);
      else steps.splice(steps.indexOf(told), 1);
    };
    const step = new RunStep(told, { now, ended }, isMany);
    this.#steps.set(step, phase);
    return step;
  }

  /** In the order in which they began. */
  report(): Phase[] {
    for (const phase of this.#beside) phase.endMs = this.#run.now();
    return this.#all.toSorted((a, b) => a.startMs - b.startMs);
  }

  #begin(name: PhaseName, status: Phase['status']): Phase {
    const now = this.#run.now();
    const phase: Phase = { name, startMs: now, endMs: now, status };
    this.#all.push(phase);
    return phase;
  }
}
