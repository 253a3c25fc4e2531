import type { LeafNames } from '../../certificates/authority.ts';
import type { Config } from '../../config/config.ts';
import { topLevelSettings } from '../../manifests/config/top-level.ts';
import { roleName, serverNames } from '../../manifests/name.ts';

type Named = Pick<Config, 'datacenter' | 'domain'>;

/** The domains by which agents know servers: of the deployment, and those that the user's own configuration names. */
function domains({ domain, serverConfig, clientConfig }: Config): string[] {
  const own = [serverConfig, clientConfig]
    .map((one) => topLevelSettings(one).get('domain') ?? '')
    .filter((one) => /^[a-zA-Z0-9.-]+$/.test(one));
  return [...new Set([domain, ...own])].map((one) => one.replace(/\.$/, ''));
}

/** Every name that agents of this deployment may ask a server for. */
export function wantedServerNames(config: Config): string[] {
  return domains(config).map((domain) => serverName({ ...config, domain }));
}

/**
 * The name by which agents know a server: who has a certificate with it may be one.
 * https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/tls
 */
export function serverName({ datacenter, domain }: Named): string {
  return `server.${datacenter}.${domain}`;
}

export function clientName({ datacenter, domain }: Named): string {
  return `client.${datacenter}.${domain}`;
}

const LOCAL = { dns: ['localhost'], ips: ['127.0.0.1', '::1'] };

/**
 * What a leaf of the servers carries: all share one, so also the names by which programs find them.
 * @param before those of its predecessor, which agents that have not yet restarted ask for
 */
export function serverLeafNames(config: Config, before: readonly string[] = []): LeafNames {
  const services = [roleName(config, 'server'), `${config.name}-ui`, ...allServerNames(config)];
  const all = [...wantedServerNames(config), ...before, ...LOCAL.dns, ...ofServices(config, services)];
  return { ...LOCAL, dns: [...new Set(all)] };
}

export function clientLeafNames(config: Config): LeafNames {
  const services = ofServices(config, [roleName(config, 'client')]);
  return { ...LOCAL, dns: [clientName(config), ...LOCAL.dns, ...services] };
}

/** As many as there can be: more servers need no other certificate. */
function allServerNames(config: Config): string[] {
  return serverNames({ ...config, servers: 5 });
}

function ofServices({ namespace }: Pick<Config, 'namespace'>, services: readonly string[]): string[] {
  return services.flatMap((one) => [one, `${one}.${namespace}`, `${one}.${namespace}.svc`]);
}
