import type { Config } from '../config/config.ts';
import { roleName, serverNames } from './name.ts';

type Probe = Record<string, unknown>;

const httpGet = (path: string): Probe => ({ httpGet: { path, port: 'http', scheme: 'HTTP' } });

/**
 * The catalog entry of a service that nobody registers. Measured on Consul 1.22: with a leader 200 `[]`;
 * servers without a leader, no answer within the probe's second; no server at all, 500 at once. With `stale`
 * the second case is 200 too. So the first form is readiness and the second tells orphans alone, and neither
 * starts a process, as an exec probe does.
 */
const KNOWS_A_LEADER = '/v1/catalog/service/consul-deploy-probe';
const KNOWS_A_SERVER = `${KNOWS_A_LEADER}?stale`;

/** The agent's HTTP port answers. A leader is no condition: a cluster without one must not be restarted. */
export function serverStartupProbe(): Probe {
  return { ...httpGet('/v1/status/leader'), periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 300 };
}

export function serverReadinessProbe(): Probe {
  return { ...httpGet(KNOWS_A_LEADER), periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 3 };
}

/**
 * An image without a shell or curl makes these probes pass: they mend, and need not be there.
 * Fails only where a restart can help: this server knows no leader while another server reports one. Behind
 * the server Service stand only servers that know a leader, so asking it is enough. Before it fails it joins
 * the others, which mends what a restart would, without one. Two minutes of this in a row restart the agent.
 */
export function serverLivenessProbe(config: Config): Probe {
  const service = variable(roleName(config, 'server'));
  const joins = serverNames(config)
    .map((name) => `[ "$HOSTNAME" = ${name} ] || join "$${variable(name)}" &`)
    .join('\n');
  const script = [
    'leader() { curl -s -m 3 "http://$1:8500/v1/status/leader"; }',
    'join() { curl -s -m 12 -X PUT "http://127.0.0.1:8500/v1/agent/join/$1" >/dev/null; }',
    'case "$(leader 127.0.0.1)" in \'""\' | "") ;; *) exit 0 ;; esac',
    `case "$(leader "$${service}")" in '"'*:*'"') ;; *) exit 0 ;; esac`,
    joins,
    // All at once: one that does not answer takes memberlist's 10 s.
    'wait',
    'exit 1',
  ].join('\n');
  return execProbe(script);
}

/** The first answer of any server. Until then the agent asks for them by itself, once a second. */
export function clientStartupProbe(): Probe {
  return { ...httpGet(KNOWS_A_SERVER), periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 300 };
}

export function clientReadinessProbe(): Probe {
  return { ...httpGet(KNOWS_A_LEADER), periodSeconds: 2, timeoutSeconds: 1, failureThreshold: 3 };
}

/**
 * Fails only for an orphan, a client that knows no server at all: `retry_join` never runs again after its
 * first success (https://github.com/hashicorp/consul/issues/9235). It joins first; only when that has not
 * helped for two minutes is the agent restarted, and its registrations come back from its data directory.
 */
export function clientLivenessProbe(config: Config): Probe {
  const joins = serverNames(config)
    .map((name) => `join "$${variable(name)}" &`)
    .join('\n');
  const script = [
    'join() { curl -s -m 12 -X PUT "http://127.0.0.1:8500/v1/agent/join/$1" >/dev/null; }',
    `[ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' 'http://127.0.0.1:8500${KNOWS_A_SERVER}')" = 500 ] || exit 0`,
    joins,
    // All at once: one that does not answer takes memberlist's 10 s.
    'wait',
    'exit 1',
  ].join('\n');
  return execProbe(script);
}

function execProbe(script: string): Probe {
  return {
    exec: { command: ['/bin/sh', '-c', script] },
    initialDelaySeconds: 30,
    periodSeconds: 30,
    timeoutSeconds: 25,
    failureThreshold: 4,
  };
}

function variable(service: string): string {
  return `${service.toUpperCase().replaceAll('-', '_')}_SERVICE_HOST`;
}
