import pLimit from 'p-limit';
import { Failure } from '../failure.ts';
import { customResources, type ServedKind } from './custom-resource.ts';
import { ApiError } from './error.ts';
import type { Transport } from './http/transport.ts';
import { areTexts, objectsIn, text } from './json.ts';
import type { KubernetesObject } from './object.ts';

/** One call instead of one for each group-version (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery). */
const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

export interface Resource {
  /** Plural name in the URL, such as `statefulsets`. */
  resource: string;
  /** API group, empty for the core group. */
  group: string;
  namespaced: boolean;
  /** URL path of the collection, or of one object. Without a namespace: of all namespaces. */
  path(namespace?: string, name?: string): string;
}

interface AggregatedList {
  kind: string;
  items?: {
    metadata?: { name?: string };
    versions?: {
      version: string;
      /** `Stale`: the API server behind it does not answer, and what it serves now is not known. */
      freshness?: string;
      resources?: { resource: string; scope: string; responseKind?: { kind?: string } }[];
    }[];
  }[];
  /** Of APIVersions and APIGroupList, from servers without aggregated discovery. */
  versions?: string[];
  groups?: { name: string; versions: { groupVersion: string; version: string }[] }[];
}

interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean }[];
}

/** What the API server serves, and under which paths. */
export class Discovery {
  readonly #resources = new Map<string, Resource>();
  /** Group-versions of which the API server cannot say what they hold. */
  readonly #unknown = new Set<string>();
  /** Kinds that come with a definition of the set; the API server does not serve them yet. */
  readonly #announced = new Map<string, Resource>();

  private constructor() {}

  /** Two calls; on old API servers one for each group-version. */
  static async load(transport: Pick<Transport, 'request'>, signal: AbortSignal): Promise<Discovery> {
    const discovery = new Discovery();
    await Promise.all(
      ['/api', '/apis'].map(async (path) => {
        const { body } = await transport.request<AggregatedList>({
          method: 'GET',
          path,
          accept: AGGREGATED,
          signal,
        });
        if (body.kind === 'APIGroupDiscoveryList') discovery.#addAggregated(body);
        else await discovery.#loadEach(transport, body, signal);
      }),
    );
    return discovery;
  }

  /** Undefined where nobody knows: the aggregated API of a broken add-on tells nothing of its kinds. */
  serves(apiVersion: string, kind: string): boolean | undefined {
    if (this.#resources.has(`${apiVersion} ${kind}`)) return true;
    return this.#unknown.has(apiVersion) ? undefined : false;
  }

  /** Group-versions of which it is not known what they hold. */
  get unknown(): string[] {
    return [...this.#unknown];
  }

  /** From now on the kinds that these objects define have a path too, also before the API server serves them. */
  announce(objects: readonly KubernetesObject[]): void {
    for (const served of customResources(objects)) {
      const { kind } = served;
      const apiVersion = apiVersionOf(served.group, served.version);
      // Of a group that cannot be asked nobody knows what it serves.
      if (this.serves(apiVersion, kind) !== false) continue;
      this.#announced.set(`${apiVersion} ${kind}`, resourceOf(served));
    }
  }

  /** Whether the kind comes with a definition of the set and is not served yet. */
  isAnnounced(apiVersion: string, kind: string): boolean {
    return this.#announced.has(`${apiVersion} ${kind}`);
  }

  /** The API server was seen to serve the kind. */
  arrived(apiVersion: string, kind: string): void {
    const key = `${apiVersion} ${kind}`;
    const resource = this.#announced.get(key);
    if (!resource) return;
    this.#announced.delete(key);
    this.#resources.set(key, resource);
  }

  /** Every kind that lives in namespaces, once for each API group, whatever can be done with it. */
  namespacedKinds(): { apiVersion: string; kind: string; resource: string; group: string }[] {
    const kinds = new Map<string, { apiVersion: string; kind: string; resource: string; group: string }>();
    for (const [key, { namespaced, group, resource }] of this.#resources) {
      const [apiVersion = '', kind = ''] = key.split(' ');
      if (namespaced && !kinds.has(`${group} ${kind}`)) {
        kinds.set(`${group} ${kind}`, { apiVersion, kind, resource, group });
      }
    }
    return [...kinds.values()];
  }

  /** @throws Failure `invalid-manifest` when the cluster does not know the kind */
  resource(apiVersion: string, kind: string): Resource {
    const key = `${apiVersion} ${kind}`;
    const found = this.#resources.get(key) ?? this.#announced.get(key);
    if (found) return found;
    const elsewhere = [...this.#resources.keys()]
      .map((key) => key.split(' '))
      .filter(([, other]) => other === kind)
      .map(([version]) => version);
    const isUnknown = this.#unknown.has(apiVersion);
    const hint = isUnknown
      ? 'The service behind it may be down: `kubectl get apiservices` says which. Run again when it answers.'
      : elsewhere.length > 0
        ? `This cluster serves ${kind} as ${elsewhere.join(', ')}.`
        : 'Install the CustomResourceDefinition first, or correct apiVersion and kind.';
    throw new Failure({
      reason: 'invalid-manifest',
      what: isUnknown
        ? `the API server cannot say what ${apiVersion} holds, so whether it serves ${kind} is not known`
        : `the cluster knows no kind ${kind} in ${apiVersion}`,
      where: `${apiVersion} ${kind}`,
      hint,
    });
  }

  #addAggregated(list: AggregatedList): void {
    for (const item of objectsIn(list.items)) {
      const group = text(item.metadata?.name) ?? '';
      for (const { version, freshness, resources } of objectsIn(item.versions)) {
        // As client-go has it, also where the kinds of some time ago are told.
        if (freshness === 'Stale') {
          if (text(version)) this.#unknown.add(apiVersionOf(group, version));
          continue;
        }
        for (const { resource, scope, responseKind } of objectsIn(resources)) {
          const namespaced = scope === 'Namespaced';
          this.#add({ group, version, kind: responseKind?.kind, resource, namespaced });
        }
      }
    }
  }

  async #loadEach(
    transport: Pick<Transport, 'request'>,
    list: AggregatedList,
    signal: AbortSignal,
  ): Promise<void> {
    const limit = pLimit(8);
    const versions = Array.isArray(list.versions) ? list.versions : [];
    const core = versions.map((version) => ({ group: '', version }));
    const named = objectsIn(list.groups).flatMap(({ name, versions }) =>
      objectsIn(versions).map(({ version }) => ({ group: name, version })),
    );
    await Promise.all(
      [...core, ...named].filter(areTexts).map(({ group, version }) =>
        limit(async () => {
          try {
            const path = `${groupPath(group)}/${version}`;
            // Tried once: the aggregated API of a broken add-on answers 503 for ever.
            const { body } = await transport.request<ResourceList>({
              method: 'GET',
              path,
              signal,
              idempotent: false,
            });
            for (const { name, kind, namespaced } of objectsIn(body.resources)) {
              if (!text(name)?.includes('/')) this.#add({ group, version, kind, resource: name, namespaced });
            }
          } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            this.#unknown.add(apiVersionOf(group, version));
          }
        }),
      ),
    );
  }

  /** Leaves out what is not told completely. */
  #add({ kind, ...served }: Omit<ServedKind, 'kind'> & { kind: string | undefined }): void {
    const { group, version, resource } = served;
    if (!kind || !areTexts({ group, version, kind, resource })) return;
    const found = resourceOf({ ...served, kind });
    this.#resources.set(`${apiVersionOf(group, version)} ${kind}`, found);
  }
}

function resourceOf({ group, version, kind, resource, namespaced }: ServedKind): Resource {
  const base = `${groupPath(group)}/${version}`;
  return {
    resource,
    group,
    namespaced,
    path(namespace, name) {
      if (namespaced && namespace === undefined && name !== undefined) {
        throw new Failure({
          reason: 'invalid-manifest',
          what: 'it has no namespace',
          where: `${kind}/${name}`,
          hint: 'Set metadata.namespace.',
        });
      }
      const scope =
        namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
      return `${base}${scope}/${resource}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
    },
  };
}

function groupPath(group: string): string {
  return group === '' ? '/api' : `/apis/${group}`;
}

function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}
