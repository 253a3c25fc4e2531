import type { AgentConfigFragment, Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { AGENT_FILE } from '../manifests/config/agent-config.ts';
import type { Role } from '../manifests/label.ts';
import { agentConfigName, roleName } from '../manifests/name.ts';
import { advertisedBy } from '../manifests/server/address.ts';

interface Container {
  name?: string;
  image?: string;
  resources?: Config['serverResources'];
}

interface Workload {
  replicas?: number;
  template?: { spec?: { containers?: Container[] } };
  volumeClaimTemplates?: { spec?: { resources?: { requests?: { storage?: string } } } }[];
}

/** A Config that says what was deployed, and the inputs that it could not tell and took as they were given. */
export interface DeployedConfig {
  config: Config;
  unknown: string[];
}

/**
 * What a cluster was deployed with, as the recorded objects say: inputs of another workflow, and their defaults, say
 * nothing about it. Where and how to verify, and what to prove, stays as it was given.
 */
export function deployedConfig(given: Config, manifests: readonly KubernetesObject[]): DeployedConfig {
  const find = (kind: string, name: string) =>
    manifests.find((object) => object.kind === kind && object.metadata.name === name);
  const spec = (object: KubernetesObject | undefined) => (object?.spec ?? {}) as Workload;
  const serverSet = find('StatefulSet', roleName(given, 'server'));
  const servers = spec(serverSet);
  const server = agentOf(servers);
  const daemonSet = find('DaemonSet', roleName(given, 'client'));
  const clientSet = find('StatefulSet', roleName(given, 'client'));
  const serverFiles = filesOf(find('ConfigMap', agentConfigName(given, 'server')));
  const agent = parsed(serverFiles[AGENT_FILE]);
  const [claim] = servers.volumeClaimTemplates ?? [];

  const unknown: string[] = [];
  const told = <T>(input: string, value: T | undefined, otherwise: T): T => {
    if (value === undefined) unknown.push(input);
    return value ?? otherwise;
  };
  const config: Config = {
    ...given,
    image: told('image', imageOf(servers), given.image),
    datacenter: told('datacenter', text(agent.datacenter), given.datacenter),
    domain: told('domain', text(agent.domain), given.domain),
    servers: told('servers', serverCount(servers.replicas), given.servers),
    clients: daemonSet ? 'daemonset' : clientSet ? 'statefulset' : 'none',
    clientReplicas: spec(clientSet).replicas ?? given.clientReplicas,
    https: httpsOf(agent),
    recursors: Array.isArray(agent.recursors) ? agent.recursors.map(String) : [],
    ui: find('Service', `${given.name}-ui`) !== undefined,
    serverStorage: claim
      ? { kind: 'persistent', size: claim.spec?.resources?.requests?.storage ?? '' }
      : { kind: 'ephemeral' },
    serverAddresses: serverSet ? advertisedBy(serverSet) : given.serverAddresses,
    serverResources: server ? (server.resources ?? {}) : given.serverResources,
    serverConfig: fragment(serverFiles),
    clientConfig: fragment(filesOf(find('ConfigMap', agentConfigName(given, 'client')))),
    patches: [],
    postRender: undefined,
  };
  return { config, unknown };
}

/** The image of the agents of a role, as it was deployed. */
export function deployedImage(
  { name }: Pick<Config, 'name'>,
  role: Role,
  manifests: readonly KubernetesObject[],
): string | undefined {
  const workload = manifests.find(
    ({ kind, metadata }) =>
      (kind === 'StatefulSet' || kind === 'DaemonSet') && metadata.name === `${name}-${role}`,
  );
  return imageOf((workload?.spec ?? {}) as Workload);
}

function imageOf(workload: Workload): string | undefined {
  return agentOf(workload)?.image;
}

function agentOf({ template }: Workload): Container | undefined {
  const containers = template?.spec?.containers ?? [];
  return containers.find(({ name }) => name === 'consul') ?? containers[0];
}

function serverCount(replicas: number | undefined): Config['servers'] | undefined {
  return replicas === 1 || replicas === 3 || replicas === 5 ? replicas : undefined;
}

function filesOf(configMap: KubernetesObject | undefined): Record<string, string> {
  return (configMap?.data ?? {}) as Record<string, string>;
}

function fragment(files: Record<string, string>): AgentConfigFragment | undefined {
  for (const format of ['json', 'hcl'] as const) {
    const found = files[`20-override.${format}`];
    if (found !== undefined) return { format, text: found };
  }
  return undefined;
}

function httpsOf({ ports, addresses }: Record<string, unknown>): Config['https'] {
  if ((ports as { https?: number } | undefined)?.https === undefined) return 'off';
  return (addresses as { http?: string } | undefined)?.http === undefined ? 'also' : 'only';
}

function parsed(json: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
