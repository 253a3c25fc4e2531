import type { EventView } from '../kubernetes/event.ts';
import { type ContainerView, oneLine } from '../rollout/container.ts';
import { obstacleIn, PULLS } from './failed-pulls.ts';
import { GRACE, LONGEST_WHAT, type Subject, type Symptom } from './symptom.ts';

/** The registry, or the runtime, has understood and says no. */
const REFUSED =
  /not found|manifest unknown|name unknown|unauthorized|authentication required|denied|no match for platform|no matching manifest|x509|insufficient_scope|invalid tag/i;
const BACK_OFF = /^Back-off pulling image "[^"]*"$/;

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /unauthorized|authentication required|denied|insufficient_scope/i,
    'Check that the image exists under this very name, and that the pods may pull it (`imagePullSecrets`, with `patches`).',
  ],
  [
    /no match for platform|no matching manifest/i,
    'Use an image for the processors of these nodes, or choose nodes with `patches` (`nodeSelector`).',
  ],
  [/x509/i, "Make the nodes trust the registry's certificate."],
];
const OF_DNS = /\blookup \S{1,255} on \S{1,60}: /i;

const HINT = 'Check the name and the tag in `image`.';

/**
 * What keeps a container from its image; undefined when that is not its trouble.
 * @param failedPulls how many in a row this run has seen fail alike, where they are counted
 */
export function imageSymptom(
  subject: Subject,
  { waiting }: ContainerView,
  failedPulls = Number.POSITIVE_INFINITY,
): Symptom | undefined {
  if (!waiting) return undefined;
  const { reason: word, message } = waiting;
  const alike = essence(message);
  // The words change between a try and the pause after it, and the trouble does not.
  const told = word === 'ImagePullBackOff' && alike !== '' && !BACK_OFF.test(message) ? 'ErrImagePull' : word;
  const what = oneLine(message === '' ? word : `${told}: ${alike}`, LONGEST_WHAT);
  const base = { reason: 'image', subject, what, alike } as const;
  if (word === 'InvalidImageName') {
    return { ...base, class: 'hopeless', graceMs: GRACE.invalidImage, hint: HINT };
  }
  if (word === 'ErrImageNeverPull') {
    const hint = 'The image is not on this node and may not be pulled: see `imagePullPolicy` in `patches`.';
    return { ...base, class: 'hopeless', graceMs: GRACE.invalidImage, hint };
  }
  if (
    !/^(ErrImagePull|ImagePullBackOff|ImageInspectError|RegistryUnavailable|SignatureValidationFailed)$/.test(
      word,
    )
  )
    return undefined;
  if (word === 'SignatureValidationFailed' || (word !== 'RegistryUnavailable' && REFUSED.test(message))) {
    const hint = HINTS.find(([words]) => words.test(message))?.[1] ?? HINT;
    return { ...base, class: 'hopeless', graceMs: GRACE.refusedImage, hint };
  }
  return {
    ...base,
    class: 'transient',
    graceMs: graceOfUnreached(message, failedPulls),
    hint: hintForUnreached(message),
    // Before Kubernetes 1.31 the pause between two tries does not say what it is for.
    ...((message === '' || BACK_OFF.test(message)) && { vague: true }),
  };
}

function graceOfUnreached(message: string, failedPulls: number): number {
  const obstacle = obstacleIn(message);
  if (obstacle === undefined || failedPulls < PULLS[obstacle]) return GRACE.unreachableImage;
  return obstacle === 'unknown' ? GRACE.unknownRegistry : GRACE.closedRegistry;
}

function hintForUnreached(message: string): string {
  const obstacle = obstacleIn(message);
  if (obstacle === 'unknown')
    return 'No DNS that the nodes ask knows the host: check its name in `image`, and the DNS of the nodes.';
  if (OF_DNS.test(message))
    return 'The DNS that the nodes ask does not answer: check it from a node, in its `/etc/resolv.conf` is its address.';
  if (obstacle === 'closed')
    return 'Check from a node whether the registry answers at that address: host and port are of `image`, or of a proxy or mirror of the nodes.';
  // Anything else may be trouble of the registry's own.
  return 'Check from a node whether the registry answers, and how fast.';
}

interface Told {
  restartsBefore: number;
  /** Of its pod, the latest first. */
  events: readonly EventView[];
  failedPulls: number | undefined;
}

/**
 * The same of a container that was ended for another image: between two tries the kubelet says `CrashLoopBackOff` of it, as of
 * any that has run, and only its events tell why it does not start.
 */
export function unpulledSymptom(
  subject: Subject,
  container: ContainerView,
  { restartsBefore, events, failedPulls }: Told,
): Symptom | undefined {
  if (!endedForAnother(container, restartsBefore)) return undefined;
  const last = events.find(
    ({ reason, message, container: of = container.name }) =>
      of === container.name && (PULLED.has(reason) || (reason === 'Failed' && PULL.test(message))),
  );
  const failed = last?.reason === 'Failed' ? last : undefined;
  const waiting = { reason: 'ErrImagePull', message: failed?.message.replace(PULL, '') ?? '' };
  return failed && imageSymptom(subject, { ...container, waiting }, failedPulls);
}

/** What is told of an image once it is there. */
const PULLED = new Set(['Pulled', 'Created', 'Started']);
const PULL = /^Failed to pull image "[^"]*": /;

/** It has not been started again since this run has seen it, and was ended without a fault of its own. */
export function endedForAnother(
  { waiting, ended, restarts }: ContainerView,
  restartsBefore: number,
): boolean {
  return waiting?.reason === 'CrashLoopBackOff' && ended?.exitCode === 0 && restarts === restartsBefore;
}

/** Without the layers that containerd and the kubelet wrap around the one thing that went wrong. */
function essence(message: string): string {
  return (
    message
      .replace(/^Back-off pulling image "[^"]*": /, '')
      .replace(/^ErrImagePull: /, '')
      .replace(/^rpc error: code = \w+ desc = /, '')
      .replace(/^failed to pull and unpack image "[^"]*": /, '')
      .replace(/^failed to resolve reference "([^"]*)": /, '$1: ')
      .replace(/^failed to resolve image: /, '')
      // Another port with each try.
      .replace(/\b(read|write) (tcp|udp) \S{1,60}->/, '$1 $2 ')
  );
}
