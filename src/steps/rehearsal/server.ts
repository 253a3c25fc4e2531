import { type PodContext, podSymptoms } from '../../diagnosis/pod.ts';
import { symptomKey } from '../../diagnosis/symptom.ts';
import { Failure } from '../../failure.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import { readLive } from '../../kubernetes/read.ts';
import { readLog } from '../../kubernetes/streams/log.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import { type PodView, podView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';

const LOOK_MS = 300;
/** Its controller makes the default ServiceAccount of a new namespace within a second or two. */
const ACCOUNT_MS = 30_000;
const LAST_LINES = 10;

/** The pod is alone, and judged by its status. */
const CONTEXT: PodContext = {
  role: 'server',
  restartsBefore: () => 0,
  events: [],
  claims: [],
  budget: { readyMs: 0, startMs: 0 },
};

/** Starts the one server, and waits until it runs. @throws Failure that says what keeps it from running */
export async function startServer(run: Run, cluster: Cluster, pod: KubernetesObject): Promise<PodView> {
  await create(run, cluster, pod);
  const since = new Map<string, number>();
  for (;;) {
    const view = await look(run, cluster, pod);
    if (view.containers.some(({ running }) => running)) {
      run.log.settled('rehearsal');
      return view;
    }
    const over = ended(view);
    if (over) throw await withLog(run, cluster, pod, over);
    for (const symptom of podSymptoms(view, CONTEXT)) {
      const key = symptomKey(symptom);
      const seen = since.get(key) ?? run.now();
      since.set(key, seen);
      const { reason, what, hint, graceMs } = symptom;
      if (run.now() - seen >= graceMs) throw new Failure({ reason, what, where: objectName(pod), hint });
    }
    run.log.progress(`the server of the rehearsal: ${view.waiting ?? view.phase}`, 'rehearsal');
    await pause(LOOK_MS, run.signal);
  }
}

/** Why the server does not answer any more, where it has ended; otherwise what was seen of it. */
export async function explained(
  run: Run,
  cluster: Cluster,
  pod: KubernetesObject,
  error: unknown,
): Promise<unknown> {
  run.signal.throwIfAborted();
  const over = await look(run, cluster, pod).then(ended, () => undefined);
  return over ? withLog(run, cluster, pod, over) : error;
}

/** The service account comes a moment after its namespace, and until then no pod may be made. */
async function create(run: Run, { transport, discovery }: Cluster, pod: KubernetesObject): Promise<void> {
  const path = discovery.resource('v1', 'Pod').path(pod.metadata.namespace);
  const end = run.now() + ACCOUNT_MS;
  for (;;) {
    try {
      await transport.request({ method: 'POST', path, body: pod, signal: run.signal });
      return;
    } catch (error) {
      run.signal.throwIfAborted();
      const comes = error instanceof ApiError && /serviceaccount "default" not found/i.test(error.message);
      if (!comes || run.now() >= end) throw apiFailure(error, { verb: 'create', object: objectName(pod) });
      await pause(LOOK_MS, run.signal);
    }
  }
}

async function look(run: Run, cluster: Cluster, pod: KubernetesObject): Promise<PodView> {
  try {
    const live = await readLive(cluster, pod, run.signal);
    if (live) return podView(live);
  } catch (error) {
    run.signal.throwIfAborted();
    throw apiFailure(error, { verb: 'get', object: objectName(pod) });
  }
  throw new Failure({
    reason: 'not-ready',
    what: 'somebody has removed the server of the rehearsal',
    where: objectName(pod),
    hint: 'Its node may have been drained, or gone: run it again.',
  });
}

interface Ended {
  reason: 'crash' | 'out-of-memory';
  what: string;
  hint: string;
}

function ended({ containers }: PodView): Ended | undefined {
  const found = containers.find(({ running, ended }) => !running && ended)?.ended;
  if (!found) return undefined;
  if (found.reason === 'OOMKilled') {
    return {
      reason: 'out-of-memory',
      what: 'the server of the rehearsal was killed for taking more memory than its limit',
      hint: 'What the snapshot holds needs more memory than a server may take (`server-resources`, as deployed; of this step where no deploy is recorded): a restore of it would fail in the same way.',
    };
  }
  return {
    reason: 'crash',
    what: `the server of the rehearsal ended with exit code ${found.exitCode}${found.message ? `: ${found.message}` : ''}`,
    hint: 'Its last lines are in the evidence: a server of this image may not be able to read the snapshot.',
  };
}

async function withLog(
  run: Run,
  { transport }: Cluster,
  pod: KubernetesObject,
  over: Ended,
): Promise<Failure> {
  const { namespace = '', name } = pod.metadata;
  const source = { namespace, pod: name, container: AGENT_CONTAINER, previous: false };
  const log = await readLog(transport, source, run.signal).catch(
    (error: unknown) => `its log could not be read: ${Failure.from(error).what}`,
  );
  const details = (log ?? 'it has written no log').trimEnd().split('\n').slice(-LAST_LINES);
  return new Failure({ ...over, where: objectName(pod), details: details.filter((line) => line !== '') });
}
