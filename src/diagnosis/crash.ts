import { type ContainerView, oneLine } from '../rollout/container.ts';
import { endedForAnother } from './image.ts';
import { GRACE, LONGEST_WHAT, type Subject, type Symptom } from './symptom.ts';

/** Ends in a row, after which the next start is not waited for. */
export const ENDS = 3;
export const ENDS_OUT_OF_MEMORY = 2;
/** The kubelet's pause before the third start after an end: it starts to count again after ten healthy minutes. */
export const PAUSE_BEFORE_ENDS_S = 20;

const HINT = 'See the last lines of its log below; what the servers and clients read is in the ConfigMap.';
const MEMORY_HINT =
  'Give it more memory (`server-resources`, `client-resources`), or find out what takes so much.';

/**
 * A container that ends again and again. Hopeless from its third end in a row on, out of memory from the second;
 * `restartsBefore` are those it had when it was first seen.
 */
export function crashSymptom(
  subject: Subject,
  container: ContainerView,
  restartsBefore: number,
): Symptom | undefined {
  const { init, restarts, running, waiting, ended } = container;
  const pausing = waiting?.reason === 'CrashLoopBackOff';
  const over = !running && ended !== undefined && !(init && ended.exitCode === 0);
  if (!pausing && !over && (restarts === 0 || ended === undefined)) return undefined;
  if (init && ended?.exitCode === 0 && !pausing) return undefined;
  // It has not run at all: the runtime could not start it.
  if (!running && ended?.reason === 'StartError')
    return unstartable(subject, oneLine(`StartError: ${ended.message}`, LONGEST_WHAT));
  const outOfMemory = ended?.reason === 'OOMKilled';
  const ends = restarts - restartsBefore + (running ? 0 : 1);
  const enough = ends >= (outOfMemory ? ENDS_OUT_OF_MEMORY : ENDS);
  const pauseS = pausing ? pauseSeconds(waiting.message) : 0;
  const inLoop = pauseS >= PAUSE_BEFORE_ENDS_S;
  const hopeless = !running && (enough || inLoop) && !endedForAnother(container, restartsBefore);
  // The kubelet counts a restart some time after it has announced the pause before the next.
  const times = Math.max(restarts + (running ? 0 : 1), inLoop ? ENDS : 1);
  return {
    reason: outOfMemory ? 'out-of-memory' : 'crash',
    // Between two ends it may look well: that it starts is no sign of healing.
    class: hopeless ? 'hopeless' : 'transient',
    graceMs: hopeless ? GRACE.crash : Number.POSITIVE_INFINITY,
    ...(running && { runs: true }),
    subject,
    what: `${describeEnd(ended)}, ${times === 1 ? 'once' : `${times} times`} so far`,
    hint: outOfMemory ? MEMORY_HINT : HINT,
  };
}

function describeEnd(ended: ContainerView['ended']): string {
  if (!ended) return 'it ended';
  if (ended.reason === 'OOMKilled') return 'it was killed for taking more memory than its limit';
  const said = ended.message === '' ? '' : ` (${oneLine(ended.message, LONGEST_WHAT)})`;
  const word = ended.reason === 'Error' || ended.reason === 'Completed' ? '' : `${ended.reason}, `;
  return `it ended: ${word}exit code ${ended.exitCode}${said}`;
}

/** Of `back-off 1m20s restarting failed container=…`. */
function pauseSeconds(message: string): number {
  const [, minutes, seconds] = /^back-off (?:(\d+)m)?(?:(\d+)s)? restarting/.exec(message) ?? [];
  return Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}

/** What a container waits for in the best of orders; crashes are another matter. */
const NORMAL = new Set(['ContainerCreating', 'PodInitializing', 'CrashLoopBackOff', 'Waiting', 'Completed']);

/** What keeps a container that has its image from being started at all. */
export function startSymptom(subject: Subject, { waiting }: ContainerView): Symptom | undefined {
  if (!waiting) return undefined;
  const { reason: word, message } = waiting;
  const what = oneLine(message === '' ? word : `${word}: ${message}`, LONGEST_WHAT);
  if (word === 'CreateContainerConfigError') {
    // https://github.com/Shopify/krane: the kubelet's own cache, which fills by itself.
    const filling = /failed to sync \w+ cache/.test(message);
    const missing = /(configmap|secret) "[^"]*" not found|couldn't find key/i.test(message);
    return {
      reason: missing ? 'missing-reference' : 'broken-container',
      class: filling ? 'transient' : 'hopeless',
      graceMs: filling ? Number.POSITIVE_INFINITY : GRACE.missingReference,
      subject,
      what,
      hint: missing
        ? 'Create it, or correct its name in `patches`.'
        : 'Correct what the message names; the pod comes from the inputs and `patches`.',
    };
  }
  if (
    /^(CreateContainerError|RunContainerError|ContainerCannotRun|PreCreateHookError|PreStartHookError|PostStartHookError)$/.test(
      word,
    )
  ) {
    return unstartable(subject, what);
  }
  if (NORMAL.has(word)) return undefined;
  // A word of a runtime or a kubelet that is not known here.
  return {
    reason: 'broken-container',
    class: 'transient',
    graceMs: GRACE.unknown,
    subject,
    what,
    hint: 'See what the kubelet says of it (kubectl describe pod).',
  };
}

function unstartable(subject: Subject, what: string): Symptom {
  // Servers that advertise their Service start with a shell: src/manifests/server/start.ts.
  const hint =
    subject.role === 'server' && what.includes('/bin/sh')
      ? 'The image has no shell, which servers need that advertise the address of their Service: set `server-addresses: pod`, or take an image with a shell and curl.'
      : 'The image does not hold what the pod starts, or the node cannot run it: see `image` and `patches`.';
  return {
    reason: 'broken-container',
    class: 'hopeless',
    graceMs: GRACE.brokenContainer,
    subject,
    what,
    hint,
  };
}
