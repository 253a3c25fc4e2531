import type { Config, ServerAddresses } from '../config/config.ts';
import { address } from './join.ts';
import { serverNames } from './name.ts';

/** What the servers advertise, where the inputs leave it open. */
export function serverAddresses({ serverAddresses: given }: Config): ServerAddresses {
  return given === 'auto' ? 'pod' : given;
}

/**
 * The address that a server tells others. That of its own Service stays when its pod is replaced, so neither gossip nor
 * Raft has to learn another one. All pods have the same arguments: each takes its own Service from the list.
 * The WAN address stays the pod's.
 */
export function advertiseArguments(config: Config): string[] {
  if (serverAddresses(config) === 'pod') return ['-advertise=$(POD_IP)'];
  const own = serverNames(config).map(
    (name) => `{{ if eq "$(POD_NAME)" "${name}" }}${address(name, config.namespace)}{{ end }}`,
  );
  return [`-advertise=${own.join('')}`, '-advertise-wan=$(POD_IP)'];
}
