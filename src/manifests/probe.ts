import type { Config } from '../config/config.ts';
import { roleName, serverNames } from './name.ts';
import { serverAddresses } from './server/address.ts';
import { askServer } from './server/ask.ts';
import { serviceVariable } from './service-variable.ts';

type Probe = Record<string, unknown>;

/** A kubelet does not look whose certificate it is shown. */
function httpGet({ https }: Config, path: string): Probe {
  const isPlain = https !== 'only';
  return { httpGet: { path, port: isPlain ? 'http' : 'https', scheme: isPlain ? 'HTTP' : 'HTTPS' } };
}

/**
 * The catalog entry of a service that nobody registers. Measured on Consul 1.22: with a leader 200 `[]`;
 * servers without a leader, no answer within the probe's time; no server at all, 500 at once. With `stale`
 * the second case is 200 too. So the first form is readiness and the second tells orphans alone, and neither
 * starts a process, as an exec probe does.
 */
const KNOWS_A_LEADER = '/v1/catalog/service/consul-deploy-probe';
const KNOWS_A_SERVER = `${KNOWS_A_LEADER}?stale`;

/**
 * The agent's HTTP port answers. A leader is no condition: a cluster without one must not be restarted.
 * A server that its guard holds back (server/guard.ts) is left alone for an hour. Where the kubelet restarts it again and
 * again, it lets minutes pass before each start, also when nothing holds the server back any more.
 */
export function serverStartupProbe(config: Config): Probe {
  const failureThreshold = serverAddresses(config) === 'pod' ? 300 : 3600;
  return { ...httpGet(config, '/v1/status/leader'), periodSeconds: 1, timeoutSeconds: 2, failureThreshold };
}

export function serverReadinessProbe(config: Config): Probe {
  return { ...httpGet(config, KNOWS_A_LEADER), periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 3 };
}

/**
 * An image without a shell or curl makes these probes pass: they repair, and need not exist.
 * Fails only where a restart can help: this server knows no leader while another server reports one. Behind
 * the server Service stand only servers that know a leader, so asking it is enough. Before it fails it joins
 * the others, which repairs what a restart would, without one. Three minutes of this in a row restart the agent,
 * longer than a machine that is busy or a process that is frozen for a while takes.
 */
export function serverLivenessProbe(config: Config): Probe {
  const joins = serverNames(config)
    .map((name) => `[ "$HOSTNAME" = ${name} ] || join "$${serviceVariable(name)}" &`)
    .join('\n');
  const script = [
    askServer(config),
    LEADER,
    JOIN,
    'case "$(curl -s -m 3 http://127.0.0.1:8500/v1/status/leader)" in \'""\' | "") ;; *) exit 0 ;; esac',
    elsewhere(config),
    joins,
    // All at once: one that does not answer takes memberlist's 10 s.
    'wait',
    'exit 1',
  ].join('\n');
  return execProbe(script);
}

/** The first answer of any server. Until then the agent asks for them by itself, once a second. */
export function clientStartupProbe(config: Config): Probe {
  return { ...httpGet(config, KNOWS_A_SERVER), periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 300 };
}

/**
 * Every probe of every client is a question to the leader, and there may be thousands. With one second for the answer a
 * busy machine makes its agents unready, which makes it busier: a hundred agents did not come up on two processors then,
 * and did with three seconds. When the startup probe passes the kubelet asks at once, so the period delays nobody:
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/prober/prober_manager.go (manualTriggerCh)
 */
export function clientReadinessProbe(config: Config): Probe {
  return { ...httpGet(config, KNOWS_A_LEADER), periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 };
}

/**
 * Fails for an orphan, a client that knows no server at all: `retry_join` never runs again after its first
 * success (https://github.com/hashicorp/consul/issues/9235). It joins first; only when that does not help while
 * a server says that there is a leader is the agent restarted, and its registrations come back from its data
 * directory. Cut off from all servers it lives: a restart would not bring them nearer.
 *
 * Last, it may have servers and no gossip: a client that comes back under a new address before the others have
 * missed it at the old one is outvoted and stops its Serf for good, while the agent goes on
 * ("minority in name conflict resolution, quiting"; Consul turns that off for servers alone:
 * https://github.com/hashicorp/consul/blob/v1.22.7/agent/consul/server_serf.go). No join can help then, so the agent
 * is ended at once.
 *
 * A server that does not answer holds up the first question; then the agent is asked for something it has
 * itself, and fails only when it hangs.
 */
export function clientLivenessProbe(config: Config): Probe {
  const joins = serverNames(config)
    .map((name) => `join "$${serviceVariable(name)}" &`)
    .join('\n');
  const script = [
    `answer() { curl -s -m 5 -o /dev/null -w '%{http_code}' "http://127.0.0.1:8500$1"; }`,
    askServer(config),
    LEADER,
    JOIN,
    `case "$(answer '${KNOWS_A_SERVER}')" in`,
    '500) ;;',
    '000) [ "$(answer /v1/agent/version)" != 000 ]; exit ;;',
    `*) ${GOSSIPS}; kill 1; exit 1 ;;`,
    'esac',
    joins,
    // All at once: one that does not answer takes memberlist's 10 s.
    'wait',
    elsewhere(config),
    'exit 1',
  ].join('\n');
  return execProbe(script);
}

/** Shell: what the server at an address says about the leader. */
const LEADER = 'leader() { server "$1" status/leader -m 3; }';
const JOIN = 'join() { curl -s -m 12 -X PUT "http://127.0.0.1:8500/v1/agent/join/$1" >/dev/null; }';

/**
 * Shell: well if the gossip port is open, or cannot be seen. /proc/net has what listens: the usual port costs one
 * look; only without it the agent is asked which port is its own.
 */
const GOSSIPS = [
  `listens() { cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ":$(printf %04X "$1") 0*:0000 0A"; }`,
  `listens 8301 && exit 0`,
  `port=$(curl -s -m 5 http://127.0.0.1:8500/v1/agent/self | sed -n 's/.*"SerfPortLAN":\\([0-9]*\\).*/\\1/p')`,
  `listens 8500 && [ -n "$port" ] && ! listens "$port" || exit 0`,
].join('; ');

/** Shell: well unless a server says that there is a leader. Only such servers stand behind their Service. */
function elsewhere(config: Config): string {
  return `case "$(leader "$${serviceVariable(roleName(config, 'server'))}")" in '"'*:*'"') ;; *) exit 0 ;; esac`;
}

function execProbe(script: string): Probe {
  return {
    exec: { command: ['/bin/sh', '-c', script] },
    initialDelaySeconds: 30,
    periodSeconds: 30,
    timeoutSeconds: 25,
    failureThreshold: 6,
  };
}
