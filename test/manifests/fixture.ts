import type { V1Container, V1PodTemplateSpec, V1Service } from '@kubernetes/client-node';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { render } from '../../src/manifests/render.ts';

/** What nobody has to say, and what a test says. */
export function config(change: Partial<Config> = {}): Config {
  return { ...parseConfig({}), ...change };
}

/** Every shape of a cluster. */
export const SHAPES: { shape: string; config: Config }[] = ([1, 3, 5] as const).flatMap((servers) =>
  (['statefulset', 'daemonset', 'none'] as const).flatMap((clients) =>
    ([{ kind: 'persistent', size: '10Gi' }, { kind: 'ephemeral' }] as const).flatMap((serverStorage) =>
      [true, false].map((ui) => ({
        shape: `${servers} servers, clients ${clients}, ${serverStorage.kind}, ${ui ? 'with' : 'without'} UI`,
        config: config({ servers, clients, serverStorage, ui }),
      })),
    ),
  ),
);

export function find(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`no ${kind}/${name}`);
  return found;
}

export interface Workload extends KubernetesObject {
  kind: 'StatefulSet' | 'DaemonSet';
  spec: {
    serviceName?: string;
    replicas?: number;
    podManagementPolicy?: string;
    updateStrategy?: unknown;
    selector: { matchLabels: Record<string, string>; matchExpressions?: unknown };
    template: V1PodTemplateSpec;
    volumeClaimTemplates?: {
      metadata: { name: string; labels?: unknown };
      spec: { storageClassName?: string; resources: { requests: { storage: string } } };
    }[];
  };
}

export function workloads(objects: readonly KubernetesObject[]): Workload[] {
  return objects.filter(({ kind }) => kind === 'StatefulSet' || kind === 'DaemonSet') as Workload[];
}

export function services(objects: readonly KubernetesObject[]): (KubernetesObject & V1Service)[] {
  return objects.filter(({ kind }) => kind === 'Service') as unknown as (KubernetesObject & V1Service)[];
}

/** The one container of a workload's pods. */
export function agent({ spec }: Workload): V1Container {
  const [container, ...others] = spec.template.spec?.containers ?? [];
  if (!container || others.length > 0) throw new Error('an agent pod has one container');
  return container;
}

export function agentOf(given: Config, role: 'server' | 'client'): V1Container {
  const found = workloads(render(given)).find(({ metadata }) => metadata.name.endsWith(`-${role}`));
  if (!found) throw new Error(`no ${role}s`);
  return agent(found);
}
