import { Failure } from '../../failure.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import type { ObjectReference } from '../../kubernetes/read.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { checkNodes, checkStorageClass, type Fitness } from './nodes-and-storage.ts';
import { checkPermissions } from './permissions.ts';
import { checkQuota } from './quota.ts';

export interface NamespaceState {
  /** Undefined when it does not exist yet. */
  live: KubernetesObject | undefined;
}

/** One line of the preflight. */
interface Question {
  id: string;
  title: string;
  expected: string;
  /** What was found; undefined when it cannot be asked here. @throws Failure when it will not do */
  ask: () => Promise<string | Concern | undefined>;
}

/** What does not hold now, and may by the time it matters. */
interface Concern {
  concern: string;
}

/** README.md says what is supported. */
const OLDEST_MINOR = 29;

/**
 * Everything that can be known to fail before the first write: all of it is asked, and told together.
 * @param options.removable what will be removed after the proof
 * @param options.access what else the run is going to do
 */
export async function preflight(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  {
    removable = [],
    access = [],
  }: { removable?: readonly ObjectReference[]; access?: readonly AccessCheck[] } = {},
): Promise<NamespaceState> {
  let live: KubernetesObject | undefined;
  const { namespace, servers } = run.config;
  const questions: Question[] = [
    {
      id: 'cluster-version',
      title: 'Kubernetes',
      expected: `1.${OLDEST_MINOR} or later`,
      ask: async () => versionOf(run),
    },
    {
      id: 'cluster-permissions',
      title: 'Permissions',
      expected: `all that a ${run.config.mode} needs`,
      ask: () => checkPermissions(run, cluster, objects, { removable, access }),
    },
    {
      id: 'cluster-namespace',
      title: 'Namespace',
      expected: run.config.createNamespace ? `${namespace}, or none yet` : namespace,
      ask: async () => {
        live = await namespaceOf(run, cluster);
        return live ? namespace : 'none yet';
      },
    },
    {
      id: 'cluster-nodes',
      title: 'Nodes',
      expected: `${servers} that take a server each`,
      ask: async () => nowOrLater(run, await checkNodes(run, cluster, objects)),
    },
    {
      id: 'cluster-storage',
      title: 'StorageClass',
      expected: 'one for the volumes of the servers',
      ask: async () => enough(run, await checkStorageClass(run, cluster, objects)),
    },
    {
      id: 'cluster-quota',
      title: 'Quota',
      expected: 'room for the pods',
      ask: async () => enough(run, await checkQuota(run, cluster, objects)),
    },
  ];
  const answers = await Promise.allSettled(questions.map(({ ask }) => ask()));
  run.signal.throwIfAborted();
  const failures = answers.flatMap((answer, index) => record(run, questions[index], answer));
  if (failures.length > 0) throw combined(failures);
  return { live };
}

function record(
  run: Run,
  question: Question | undefined,
  answer: PromiseSettledResult<string | Concern | undefined>,
): Failure[] {
  if (!question) return [];
  const { id, title, expected } = question;
  const check = { id, title, expected, group: 'cluster' } as const;
  if (answer.status === 'rejected') {
    const failure = Failure.from(answer.reason);
    run.check({ ...check, observed: failure.what, passed: false });
    return [failure];
  }
  const observed = answer.value;
  if (observed === undefined) run.skip({ ...check, observed: 'not looked at' });
  else if (typeof observed !== 'string') run.concern({ ...check, observed: observed.concern });
  else run.check({ ...check, observed, passed: true });
  return [];
}

/** One message for all of it. What is forbidden is listed by the first, with the Role that allows it. */
function combined(all: readonly Failure[]): Failure {
  const failures = all.filter(
    ({ reason }, index) => index === 0 || reason !== 'forbidden' || all[0]?.reason !== reason,
  );
  const [first, ...more] = failures;
  if (!first || more.length === 0) return first ?? new Failure({ reason: 'internal', what: 'no failure' });
  return new Failure({
    reason: first.reason,
    what: `fix ${failures.length} problems first: ${failures.map(({ what }) => what).join('; ')}`,
    ...(first.where !== undefined && { where: first.where }),
    hint: failures.flatMap(({ hint }) => hint ?? []).join('\n'),
    details: failures.flatMap(({ what, details }) => [what, ...details]),
  });
}

/** The observation. @throws Failure of what keeps the cluster from running the set */
function enough(run: Run, mistakes: Fitness): string | undefined {
  if (mistakes === undefined) return undefined;
  if (mistakes === 'unneeded') return 'none needed';
  const [first, ...more] = mistakes;
  if (first === undefined) return 'enough';
  throw new Failure({
    reason: 'unfit-cluster',
    what: more.length === 0 ? first : 'the cluster cannot run what is rendered',
    where: run.known.cluster?.server ?? 'the cluster',
    hint: 'Nothing was changed. Mend the cluster, or change the inputs named above.',
    details: more.length === 0 ? [] : mistakes,
  });
}

/** The observation, or what may still come while the run waits. */
function nowOrLater(run: Run, lacking: Fitness): string | Concern | undefined {
  const short = Array.isArray(lacking) && lacking.length > 0;
  return short ? { concern: lacking.join('; ') } : enough(run, lacking);
}

/** What the cluster said when it was first asked. @throws Failure of one that is too old */
function versionOf(run: Run): string | undefined {
  const { version, server } = run.known.cluster ?? {};
  const minor = Number(/^v1\.(\d+)/.exec(version ?? '')?.[1] ?? Number.NaN);
  if (!(minor < OLDEST_MINOR)) return version;
  throw new Failure({
    reason: 'unfit-cluster',
    what: `Kubernetes ${version} is older than 1.${OLDEST_MINOR}`,
    where: server ?? 'the cluster',
    hint: 'Nothing was changed. Upgrade the cluster; what its version lacks would show only in the middle.',
  });
}

async function namespaceOf(run: Run, { transport }: Cluster): Promise<KubernetesObject | undefined> {
  const { namespace, createNamespace } = run.config;
  const live = await readNamespace(run, transport);
  if (live?.metadata.deletionTimestamp !== undefined) {
    throw new Failure({
      reason: 'unfit-cluster',
      what: `the namespace ${namespace} is being removed`,
      where: 'namespace',
      hint: 'Nothing was changed. Wait until it is gone (kubectl get namespace), then run again.',
    });
  }
  if (live || createNamespace) return live;
  throw new Failure({
    reason: 'unfit-cluster',
    what: `the namespace ${namespace} does not exist`,
    where: 'namespace',
    hint: 'Create it, or set `create-namespace: true`. Nothing was changed.',
  });
}

async function readNamespace(
  run: Run,
  transport: Cluster['transport'],
): Promise<KubernetesObject | undefined> {
  const { namespace } = run.config;
  try {
    const path = `/api/v1/namespaces/${namespace}`;
    const { body } = await transport.request<KubernetesObject>({ method: 'GET', path, signal: run.signal });
    return body;
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw apiFailure(error, { verb: 'get', object: `Namespace/${namespace}` });
  }
}

/** Objects that would land elsewhere than the user said. */
export function checkScope(run: Run, { discovery }: Cluster, objects: readonly KubernetesObject[]): void {
  discovery.announce(objects);
  for (const object of objects) {
    if (!discovery.resource(object.apiVersion, object.kind).namespaced) continue;
    // A post-render command may leave the namespace out; kubectl would take the default then, and so do we.
    object.metadata.namespace ??= run.config.namespace;
    if (object.metadata.namespace !== run.config.namespace) {
      run.warn(
        `${objectName(object)} goes to the namespace ${object.metadata.namespace}, not to ${run.config.namespace}`,
      );
    }
  }
}
