import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isObject } from '../merge-patch.ts';
import { AGENT_FILE } from './agent-config.ts';

/**
 * Settings that a running agent takes over when it reads its files again, as the code of Consul 1.22.7 has it
 * (`reloadConfigInternal` in agent/agent.go, `getDNSServerConfig` in agent/dns.go, `ReloadConfig` in
 * agent/consul/server.go). Services, checks, watches, ACL tokens and certificates can be reloaded as well; a change of
 * those still replaces the pods. Node metadata is said to be reloadable, and the catalog keeps the old one (seen).
 */
const RELOADABLE = [
  'log_level',
  'recursors',
  'dns_config',
  'discard_check_output',
  'telemetry.prefix_filter',
  'limits.http_max_conns_per_client',
  'limits.rpc_max_conns_per_client',
  'limits.rpc_rate',
  'limits.rpc_max_burst',
  'raft_snapshot_threshold',
  'raft_snapshot_interval',
  'raft_trailing_logs',
];

/** Tells of an agent which configuration it has read, and a start script which one it has started with. */
export const MARKER_FILE = '30-marker.json';
const MARKER = /^-(consul-deploy\.configuration\.[0-9a-f]{16})$/;
const START_MARKER = /^-(consul-deploy\.start\.[0-9a-f]{16})$/;

type Files = Readonly<Record<string, string>>;
type Json = Record<string, unknown>;

/**
 * Adds a file to the configuration of agents that tells, once an agent has read it, which configuration that agent
 * runs: a metrics filter that no metric matches. An agent shows its filters in `/v1/agent/self`, and only after a
 * reload that went through. No marker where a reload would be denied: it needs `agent:write`, and this version has
 * no token.
 *
 * @param secret the Secret with the rest of the configuration, where there is one
 */
export function markConfiguration(configMap: KubernetesObject, secret: KubernetesObject | undefined): void {
  const files = filesOf(configMap);
  if (configMap.kind !== 'ConfigMap' || files[AGENT_FILE] === undefined) return;
  if ([...Object.values(files), ...decoded(secret)].some(deniesReload)) return;
  const digest = createHash('sha256').update(JSON.stringify(Object.entries(files).sort()));
  const filter = `-consul-deploy.configuration.${digest.digest('hex').slice(0, 16)}`;
  configMap.data = { ...files, [MARKER_FILE]: markerFile([filter]) };
}

/**
 * Adds to the marker which part of the configuration agents read only when they start.
 * @param digest of that part, as the pod template has it
 */
export function markStart(configMap: KubernetesObject, digest: string): void {
  const filters = filtersOf(configMap);
  if (!filters) return;
  const marker = markerFile([...filters.slice(0, 1), `-consul-deploy.start.${digest}`]);
  configMap.data = { ...filesOf(configMap), [MARKER_FILE]: marker };
}

/** The metrics filter by which an agent tells that it has read this configuration; undefined where there is none. */
export function markerOf(configMap: KubernetesObject | undefined): string | undefined {
  return MARKER.exec(String(filtersOf(configMap)?.[0]))?.[1];
}

/** What the marker says of the part that agents read only when they start; undefined where it says nothing. */
export function startMarkerOf(configMap: KubernetesObject | undefined): string | undefined {
  return START_MARKER.exec(String(filtersOf(configMap)?.[1]))?.[1];
}

function markerFile(filters: readonly unknown[]): string {
  return `${JSON.stringify({ telemetry: { prefix_filter: filters } }, null, 2)}\n`;
}

function filtersOf(configMap: KubernetesObject | undefined): unknown[] | undefined {
  const parsed = configMap && parse(filesOf(configMap)[MARKER_FILE] ?? '');
  return (parsed?.telemetry as { prefix_filter?: unknown[] } | undefined)?.prefix_filter;
}

/**
 * The part of the configuration that agents read only when they start, file by file: all of it where they have no
 * marker.
 */
export function startConfiguration(configMap: KubernetesObject): Files {
  const { [MARKER_FILE]: marker, ...files } = filesOf(configMap);
  if (marker === undefined) return files;
  const read = Object.entries(files).map(([name, text]) => [name, withoutReloadable(name, text)] as const);
  // A file that is left empty goes as well, like one that was never there.
  return Object.fromEntries(read.filter(([, text]) => text !== '{}'));
}

/** Whether running agents can take over the new configuration by a reload. */
export function isReload(live: KubernetesObject, desired: KubernetesObject): boolean {
  const [before, after] = [markerOf(live), markerOf(desired)];
  if (before === undefined || after === undefined || before === after) return false;
  return isDeepStrictEqual(startConfiguration(live), startConfiguration(desired));
}

/** How agents in pods that stay take over the new configuration; undefined where they do not. */
export function takenBy(
  live: KubernetesObject,
  desired: KubernetesObject,
): 'reloads' | 'restarts' | undefined {
  if (isReload(live, desired)) return 'reloads';
  const [before, after] = [startMarkerOf(live), startMarkerOf(desired)];
  return before !== undefined && after !== undefined && before !== after ? 'restarts' : undefined;
}

/** HCL is not read: a change of such a file replaces the pods. */
function withoutReloadable(name: string, text: string): string {
  const config = name.endsWith('.json') ? parse(text) : undefined;
  if (!config) return text;
  for (const path of RELOADABLE) leaveOut(config, path.split('.'));
  return JSON.stringify(config);
}

/** An object that is left empty goes as well: nobody can tell it from one that was never there. */
function leaveOut(config: Json, [key = '', ...rest]: readonly string[]): void {
  const value = config[key];
  if (rest.length > 0) {
    if (!isObject(value)) return;
    leaveOut(value, rest);
    if (Object.keys(value).length > 0) return;
  }
  delete config[key];
}

/** ACLs that deny what they do not allow. Of HCL any mention is enough: to replace the pods is always right. */
function deniesReload(text: string): boolean {
  const config = parse(text);
  if (!config) return /\bacl\b/.test(text);
  const { enabled, default_policy: policy } = isObject(config.acl) ? config.acl : {};
  return enabled === true && policy !== 'allow';
}

function filesOf({ data }: KubernetesObject): Files {
  return (data as Files | undefined) ?? {};
}

function decoded(secret: KubernetesObject | undefined): string[] {
  if (!secret) return [];
  return Object.values(filesOf(secret)).map((text) => Buffer.from(text, 'base64').toString());
}

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
