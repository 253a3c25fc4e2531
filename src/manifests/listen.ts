import type { Config } from '../config/config.ts';
import type { Role } from './label.ts';

/**
 * Where an agent listens: at its pod's address, of whatever family that is, and for probes and port-forwards at
 * 127.0.0.1, which a pod has in an IPv6 cluster too. `0.0.0.0` would not hear IPv6, and `::` needs a kernel that has it.
 * A flag outdoes every file, so what the user's own configuration says of it gets none.
 */
export function listenArguments(config: Config, role: Role): string[] {
  const own = (role === 'server' ? config.serverConfig : config.clientConfig)?.text ?? '';
  return [
    ...(own.includes('bind_addr') ? [] : ['-bind=$(POD_IP)']),
    ...(own.includes('client_addr') ? [] : ['-client=127.0.0.1 $(POD_IP)']),
  ];
}
