import type { Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { clientJoinArguments, serverJoinArguments } from './join.ts';
import type { Role } from './label.ts';
import { startCommand } from './start.ts';

/**
 * Whether the agents of this workload find the servers as rendered here, with nothing patched away and no
 * other `retry_join` beside it.
 */
export function joinsByItself(config: Config, role: Role, workload: KubernetesObject): boolean {
  const fragment = role === 'server' ? config.serverConfig : config.clientConfig;
  if (fragment?.text.includes('retry_join')) return false;
  const { template } = workload.spec as {
    template?: { spec?: { containers?: { args?: string[]; command?: string[] }[] } };
  };
  // What another command makes of the arguments cannot be seen.
  const ours = startCommand(config, role).join('\n');
  if (template?.spec?.containers?.some(({ command }) => command && command.join('\n') !== ours)) return false;
  const given = new Set(template?.spec?.containers?.flatMap(({ args }) => args ?? []));
  const wanted = role === 'server' ? serverJoinArguments(config) : clientJoinArguments(config);
  return wanted.every((argument) => given.has(argument));
}
