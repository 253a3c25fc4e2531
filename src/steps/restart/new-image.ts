import { Failure } from '../../failure.ts';
import { ApiError, apiFailure, isGoneOrAnother } from '../../kubernetes/error.ts';
import { runInPod } from '../../kubernetes/streams/command.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import { containerOf, type PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import { ANNOUNCE_STOP, OtherFirstProcess } from '../../session/first-process.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import type { Role, Workloads } from '../../session/workloads.ts';
import { podImagePatch } from '../apply/image-in-pods.ts';
import { CannotStartAgain, type Renewal } from './renewal.ts';

/** A kubelet stops a container whose image has changed at once; it may take the time that the pod is given to end. */
const UNTOUCHED_MS = 90_000;
const LOOK_MS = 50;
const COMMAND_MS = 5_000;
/** An announcement counts for half a minute (manifests/start.ts), of which a stop may take some. */
const ANNOUNCED_MS = 15_000;

interface Tools {
  cluster: Pick<Cluster, 'transport'>;
  workloads: Pick<Workloads, 'current' | 'heardOf' | 'isPresent' | 'runs' | 'updateRevision'>;
  after: Renewal['after'];
}

interface Image {
  role: Role;
  image: string;
  /** Of the workload with it. */
  revision: string;
}

/**
 * Another image of the agent's container, which its kubelet stops and starts with it: of all that a pod is, Kubernetes lets
 * this be changed (https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement). With it the pod gets the
 * revision of its workload, by which the controller tells that it need not be replaced.
 */
export class NewImage implements Renewal {
  readonly what = 'its new image';
  readonly order = 'ordinal';
  readonly left = 'changing-image';
  readonly #run: Run;
  readonly #image: Image;
  readonly #tools: Tools;
  /** How often the container had been started again before, by the uid of the pod. */
  readonly #before = new Map<string, number>();
  /** When its stop was announced, by the uid of the pod. */
  readonly #announced = new Map<string, number>();

  constructor(run: Run, image: Image, tools: Tools) {
    this.#run = run;
    this.#image = image;
    this.#tools = tools;
  }

  async isDue(pod: PodView): Promise<boolean> {
    const { workloads } = this.#tools;
    return (
      !workloads.isPresent(this.#image.role, pod) && workloads.runs(this.#image.role, pod, AGENT_CONTAINER)
    );
  }

  async announce(): Promise<void> {}

  async untilThere(): Promise<void> {}

  after(pods: readonly PodView[]): Promise<void> {
    return this.#tools.after(pods);
  }

  /** @throws CannotStartAgain where the API server does not take it */
  async startAgain(pod: PodView): Promise<'old' | 'unknown'> {
    const { config, signal } = this.#run;
    const { image, revision } = this.#image;
    const { workloads, cluster } = this.#tools;
    const present = workloads.updateRevision(this.#image.role);
    if (present !== undefined && present !== revision)
      throw changedMeanwhile(`Pod/${pod.name}`, 'the pod template of its workload');
    const now = workloads.current(this.#image.role, pod);
    if (!now) return 'old';
    if (!this.#before.has(pod.uid)) this.#before.set(pod.uid, restartsOf(now));
    try {
      await cluster.transport.request(podImagePatch(config.namespace, pod, { revision, image }, { signal }));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiError && error.status < 500 && !isGoneOrAnother(error))
        throw refused(pod, error);
    }
    return 'unknown';
  }

  /** Announces the stop, so that the agent ends at once and does not leave. Otherwise it stops as it does for anybody. */
  async prepare({ name: pod, uid }: PodView): Promise<void> {
    const { config, signal, log } = this.#run;
    const now = performance.now();
    if (now - (this.#announced.get(uid) ?? Number.NEGATIVE_INFINITY) < ANNOUNCED_MS) return;
    this.#announced.set(uid, now);
    const both = AbortSignal.any([signal, AbortSignal.timeout(COMMAND_MS)]);
    const command = ['/bin/sh', '-c', ANNOUNCE_STOP];
    const where = { namespace: config.namespace, pod, container: AGENT_CONTAINER };
    try {
      const said = await runInPod(this.#tools.cluster.transport, { ...where, command, signal: both });
      OtherFirstProcess.check({ name: pod }, said);
    } catch (error) {
      signal.throwIfAborted();
      this.#announced.delete(uid);
      log.info(`${pod} is not told that it is started again: ${Failure.from(error).what}`);
    }
  }

  /** Once its container is another one that runs: an image may take minutes to come. */
  async hasStarted(pod: PodView): Promise<boolean> {
    const before = this.#before.get(pod.uid);
    const since = performance.now();
    for (;;) {
      // A kubelet that is down makes it so when it is back.
      const now = this.#tools.workloads.heardOf(this.#image.role, pod);
      if (!now || before === undefined) return false;
      const isNew = restartsOf(now) > before;
      if (isNew && this.#tools.workloads.runs(this.#image.role, pod, AGENT_CONTAINER)) return true;
      if (!isNew && agentOf(now)?.running && performance.now() - since > UNTOUCHED_MS) return false;
      this.#run.log.progress(
        `${pod.name}: ${now.waiting ?? 'its container has not been stopped for the new image yet'}`,
        'image',
      );
      await pause(LOOK_MS, this.#run.signal);
    }
  }

  async isAnsweredBy(): Promise<boolean> {
    return true;
  }

  late({ name, node }: PodView): Failure {
    return new Failure({
      reason: 'stalled',
      what: 'the container goes on with the image before, although its pod has another one',
      where: `Pod/${name}`,
      hint: `Look whether the kubelet of ${node ?? 'its node'} works: it has to stop the container and to start it again. Deploy again then, which goes on from there.`,
    });
  }
}

export function changedMeanwhile(where: string, what: string): CannotStartAgain {
  return new CannotStartAgain({
    reason: 'stalled',
    what: `somebody has changed ${what} since this run has written it`,
    where,
    hint: 'Look who does that (`kubectl get --show-managed-fields`). Deploy again then, which replaces the pods that are left.',
  });
}

function agentOf({ containers }: PodView) {
  return containerOf(containers, AGENT_CONTAINER);
}

function restartsOf(pod: PodView): number {
  return agentOf(pod)?.restarts ?? 0;
}

function refused({ name }: PodView, error: ApiError): CannotStartAgain {
  const { reason, what, hint } = apiFailure(error, { verb: 'patch', object: `Pod/${name}` });
  return new CannotStartAgain({ reason, what, where: `Pod/${name}`, ...(hint && { hint }), cause: error });
}
