import type { Config } from '../config/config.ts';
import type { Role } from './label.ts';

/** Whether the pod's address is of IPv6: a colon ends its first group, of four digits at the most. A go-sockaddr template. */
const IS_IPV6 = `or ${[0, 1, 2, 3, 4].map((at) => `(eq (slice "$(POD_IP)" ${at} ${at + 1}) ":")`).join(' ')}`;
/**
 * Gossip and RPC are heard at 127.0.0.1 as well, so at any address: a port-forward dials that, and only so it can be seen
 * what an agent sends and takes. What others are told is `-advertise`.
 */
const ANY_ADDRESS = `{{ if ${IS_IPV6} }}::{{ else }}0.0.0.0{{ end }}`;

/**
 * Where an agent listens: at any address of its pod's family, or at that address and at 127.0.0.1, which a pod has in an
 * IPv6 cluster too. `0.0.0.0` would not hear IPv6, and `::` needs a kernel that has it.
 * A flag outdoes every file, so what the user's own configuration says of it gets none.
 */
export function listenArguments(config: Config, role: Role): string[] {
  const own = (role === 'server' ? config.serverConfig : config.clientConfig)?.text ?? '';
  return [
    ...(own.includes('bind_addr') ? [] : [`-bind=${ANY_ADDRESS}`]),
    ...(own.includes('client_addr') ? [] : ['-client=127.0.0.1 $(POD_IP)']),
  ];
}
