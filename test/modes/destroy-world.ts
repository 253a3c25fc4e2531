import type { Config } from '../../src/config/config.ts';
import type { Failure } from '../../src/failure.ts';
import { encodeRecord } from '../../src/inventory/codec.ts';
import { recordedEntry } from '../../src/inventory/entry.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { render } from '../../src/manifests/render.ts';
import { destroyMode } from '../../src/modes/destroy.ts';
import type { Result } from '../../src/report/result.ts';
import { inventory, runRecord } from '../inventory/fixture.ts';
import { kubeconfig } from '../kubernetes/fake-server.ts';
import {
  type ApiOptions,
  deployed,
  type FakeStore,
  type Instead,
  serveObjects,
} from '../session/fake-api.ts';
import { config, startRun } from '../session/fixture.ts';
import { pathOf } from '../session/resources.ts';

export const RECORD = '/api/v1/namespaces/consul/configmaps/consul-deploy-consul';
export const LEASE = '/apis/coordination.k8s.io/v1/namespaces/consul/leases/consul-deploy-consul';
const PODS = '/api/v1/namespaces/consul/pods';

export interface Ended {
  failure: Failure | undefined;
  result: Result;
  lines: string[];
}

export interface DestroyWorld extends FakeStore {
  /** One run of `mode: destroy`; `started` is given it before it does anything. */
  destroy: (
    change?: Partial<Config>,
    started?: (run: ReturnType<typeof startRun>['run']) => void,
  ) => Promise<Ended>;
}

/** A namespace with what a deploy by default has left in it, and with what belongs to others. */
export async function deployedWorld(instead?: Instead, options?: ApiOptions): Promise<DestroyWorld> {
  const api = await serveObjects((call, response, objects) => {
    const handled = instead?.(call, response, objects);
    // What the garbage collector does about pods whose owner is gone.
    if (!handled && call.method === 'DELETE') collect(objects, call.path);
    return handled;
  }, options);
  const rendered = render(config());
  const ours = rendered.map(({ kind, metadata: { name, labels }, ...rest }) =>
    deployed(kind, name, { labels, uid: `${kind} ${name}` }, rest),
  );
  api.put(...ours, record(ours), ...claimsOf('consul'), ...claimsOf('other'));
  for (const name of SECRETS) api.put(deployed('Secret', name));
  for (const one of ours) if (one.apiVersion === 'apps/v1') api.put(...podsOf(one));
  api.put(...SYSTEMS);
  const destroy: DestroyWorld['destroy'] = async (change = {}, started = () => undefined) => {
    const { run, lines } = startRun({
      mode: 'destroy',
      kubeconfig: { kind: 'inline', yaml: kubeconfig(api.server.url) },
      ...change,
    });
    started(run);
    const failure = await destroyMode(run, () => undefined).then(
      () => undefined,
      (error: unknown) => run.explain(error),
    );
    return { failure, result: run.result(failure), lines };
  };
  return { ...api, destroy };
}

/** As the deploy wrote it when it was proven. */
export function record(ours: readonly KubernetesObject[]): KubernetesObject {
  const labels = {
    'app.kubernetes.io/managed-by': 'consul-deploy',
    'app.kubernetes.io/instance': 'consul',
  };
  const known = inventory({ entries: ours.map(recordedEntry), history: [runRecord()] });
  return deployed('ConfigMap', 'consul-deploy-consul', { labels }, encodeRecord(known, ours));
}

/** What this action writes beside what it renders. */
const SECRETS = ['consul-gossip', 'consul-ca', 'consul-server-tls', 'consul-client-tls'];

/** In every namespace. */
const SYSTEMS = [
  deployed('ConfigMap', 'kube-root-ca.crt', { managedFields: [] }),
  deployed('ServiceAccount', 'default', { managedFields: [] }),
];

function claimsOf(app: string): KubernetesObject[] {
  const labels = { app, 'consul-role': 'server' };
  return [0, 1, 2].map((at) => deployed('PersistentVolumeClaim', `data-${app}-server-${at}`, { labels }));
}

function podsOf({ metadata: { name, uid = '' } }: KubernetesObject): KubernetesObject[] {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid, controller: true }];
  return [0, 1, 2].map((at) => deployed('Pod', `${name}-${at}`, { ownerReferences }));
}

function collect(objects: FakeStore['objects'], path: string): void {
  const uid = objects.get(path)?.metadata.uid;
  for (const [key, { metadata }] of objects) {
    if (key.startsWith(`${PODS}/`) && metadata.ownerReferences?.some((owner) => owner.uid === uid)) {
      objects.delete(key);
    }
  }
}

/** `services/consul-ui`, without what every namespace has. */
export function left({ objects }: FakeStore): string[] {
  const systems = new Set(SYSTEMS.map(pathOf));
  return [...objects.keys()]
    .filter((path) => !systems.has(path))
    .map((path) => path.split('/').slice(-2).join('/'));
}
