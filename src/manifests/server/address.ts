import type { Config, ServerAddresses } from '../../config/config.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { address } from '../join.ts';
import { recordName, serverNames } from '../name.ts';
import { serviceVariable } from '../service-variable.ts';
import { leadershipHook } from './leadership-hook.ts';

const POD_ADDRESS = '-advertise=$(POD_IP)';

/**
 * What in the servers' own configuration speaks for the address of the pod: an address of its own, agents and
 * datacenters that a Service's address does not reach, or what would hide from one server who votes at another.
 */
const SPEAKS_FOR_PODS =
  /advertise_addr|bind_addr|client_addr|retry_join_wan|primary_datacenter|serf_lan_allowed_cidrs|\bports\b|\baddresses\b|verify_incoming/;

/**
 * What the servers of a new cluster advertise. Without volumes every pod that is replaced has lost its data, and must not
 * come back at an address that votes.
 */
export function serverAddresses(config: Config): ServerAddresses {
  if (config.serverAddresses !== 'auto') return config.serverAddresses;
  if (config.serverStorage.kind === 'ephemeral') return 'pod';
  return SPEAKS_FOR_PODS.test(config.serverConfig?.text ?? '') ? 'pod' : 'service';
}

/** What the servers of a StatefulSet advertise, by the arguments of their agent. */
export function advertisedBy({ spec }: KubernetesObject): ServerAddresses {
  const { template } = (spec ?? {}) as { template?: { spec?: { containers?: { args?: string[] }[] } } };
  const given = template?.spec?.containers?.flatMap(({ args = [] }) =>
    args.filter((argument) => argument.startsWith('-advertise=')),
  );
  return given === undefined || given.length === 0 || given.includes(POD_ADDRESS) ? 'pod' : 'service';
}

/**
 * The address that a server tells others. That of its own Service stays when its pod is replaced, so neither gossip nor
 * Raft has to learn another one. All pods have the same arguments: each takes its own Service from the list.
 * The WAN address stays the pod's.
 */
export function advertiseArguments(config: Config): string[] {
  if (serverAddresses(config) === 'pod') return [POD_ADDRESS];
  const own = serverNames(config).map(
    (name) => `{{ if eq "$(POD_NAME)" "${name}" }}${address(name, config.namespace)}{{ end }}`,
  );
  return [`-advertise=${own.join('')}`, '-advertise-wan=$(POD_IP)'];
}

/** What differs in the container of a server by what it advertises. */
export function addressedServer(config: Config): {
  environment: Record<string, unknown>[];
  preStop: Record<string, unknown>;
} {
  if (serverAddresses(config) === 'pod') return { environment: [], preStop: leadershipHook('"$POD_IP"') };
  // A server that advertises its Service's address must not start with another one's vote: see guard.ts.
  const formed = { name: recordName(config.name), key: 'formed', optional: true };
  return {
    environment: [{ name: 'FORMED', valueFrom: { configMapKeyRef: formed } }],
    preStop: leadershipHook(ownService(config)),
  };
}

/** Shell: the address of the Service of the pod in which it runs. */
function ownService(config: Config): string {
  const cases = serverNames(config).map((name) => `${name}) echo "$${serviceVariable(name)}" ;;`);
  return `$(case $POD_NAME in ${cases.join(' ')} esac)`;
}
