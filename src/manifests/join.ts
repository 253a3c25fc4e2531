import type { Config } from '../config/config.ts';
import { serverNames } from './name.ts';
import { serviceVariable } from './service-variable.ts';

/**
 * How the servers find each other, without DNS and without meeting themselves. docs/design/forming.md has the story
 * and the proof; in short:
 *
 * - Every server has a Service of its own, so a join goes to the server that is meant and to no other. A join
 *   through one Service for all of them can land on the asker itself; that counts as a success, and
 *   `retry_join` never runs again (https://github.com/hashicorp/consul/blob/v1.22.7/agent/retry_join.go).
 * - The Service's address comes from the environment that the kubelet gives to a container when it starts it,
 *   so neither a negative nor a stale DNS answer can be met.
 * - `retry_join` takes go-sockaddr templates, which are Go templates: each pod takes from the one list, equal
 *   in all pods, the addresses that are meant for it (`POD_NAME` is expanded by the kubelet).
 */
export function serverJoinArguments(config: Config): string[] {
  const names = serverNames(config);
  return names.flatMap((name, ordinal) => {
    const askers = joiners(ordinal, names.length).map((index) => `(eq "$(POD_NAME)" "${names[index]}")`);
    if (askers.length === 0) return [];
    return [`-retry-join={{ if or ${askers.join(' ')} }}${address(name, config.namespace)}{{ end }}`];
  });
}

/** A client asks every server; one answer is enough for it to know them all. */
export function clientJoinArguments(config: Config): string[] {
  return serverNames(config).map((name) => `-retry-join=${address(name, config.namespace)}`);
}

/**
 * Which servers ask server `ordinal`: of each pair of servers exactly one asks the other, and everybody asks
 * two (three servers: a circle in both lengths, so everybody asks everybody).
 *
 * `retry_join` stops at the first answer, so all that is certain is that each server has reached one of those
 * that it asks. With at most five servers that suffices for one single pool: a group of servers that had only
 * met among themselves would have to be a pair in which each asks the other, and of five servers, where a
 * pair and a triple could form, no pair does.
 */
export function joiners(ordinal: number, servers: number): number[] {
  const distances = servers < 3 ? [] : [1, 2];
  return distances.map((distance) => (ordinal - distance + servers) % servers);
}

/**
 * The Service's address from the environment. A kubelet that has not yet heard of the Service leaves the
 * reference as it is (`$$` escapes it, so it can be recognised); then, and only then, the name is asked for.
 */
export function address(service: string, namespace: string): string {
  const variable = serviceVariable(service);
  return `{{ if eq "$(${variable})" "$$(${variable})" }}${service}.${namespace}.svc{{ else }}$(${variable}){{ end }}`;
}
