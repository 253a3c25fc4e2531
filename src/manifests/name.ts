import type { Config } from '../config/config.ts';
import type { Role } from './label.ts';

/** `consul-server`, `consul-client`: workload, Service and ServiceAccount of a role share one name. */
export function roleName(config: Pick<Config, 'name'>, role: Role): string {
  return `${config.name}-${role}`;
}

/** The pods of the server StatefulSet, by ordinal; each has a Service of the same name. */
export function serverNames(config: Config): string[] {
  return Array.from({ length: config.servers }, (_, ordinal) => `${roleName(config, 'server')}-${ordinal}`);
}

/** The ConfigMap of a role, and the Secret where there is one. */
export function agentConfigName(config: Pick<Config, 'name'>, role: Role): string {
  return `${roleName(config, role)}-config`;
}

/** The ConfigMap in which the runs write down what they deployed, and the Lease that they lock. */
export function recordName(name: string): string {
  return `consul-deploy-${name}`;
}

/** The Secret with the keys of the agents' gossip. */
export function gossipSecretName(name: string): string {
  return `${name}-gossip`;
}

/** The Secret with the certificate of a role. */
export function tlsSecretName(name: string, role: Role): string {
  return `${name}-${role}-tls`;
}

/** The Secret with the authority of a deployment, which signs its certificates. */
export function authoritySecretName(name: string): string {
  return `${name}-ca`;
}

/** Where an agent has its configuration. */
export const CONFIG_DIRECTORY = '/consul/config';
export const DATA_DIRECTORY = '/consul/data';

/** The container of the agent, in the pods of both roles. */
export const AGENT_CONTAINER = 'consul';
