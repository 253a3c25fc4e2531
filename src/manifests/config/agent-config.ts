import type { Config } from '../../config/config.ts';

/** The file that every ConfigMap with the configuration of agents has, and that Consul reads first. */
export const AGENT_FILE = '10-agent.json';

/** What both kinds of agent share. https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file */
function common(config: Config): Record<string, unknown> {
  return {
    datacenter: config.datacenter,
    domain: config.domain,
    bind_addr: '0.0.0.0',
    client_addr: '0.0.0.0',
    // `ports.https` is read only when an agent starts; the certificates for it are in the Secret (manifests/tls.ts).
    ...(config.https !== 'off' && { ports: { https: 8501 } }),
    ...(config.https === 'only' && { addresses: { http: '127.0.0.1' } }),
    recursors: config.recursors,
    retry_interval: '1s',
    disable_update_check: true,
    // A host's id is the same for all agents on it; an own id, kept in the data directory, is not.
    disable_host_node_id: true,
    ui_config: { enabled: config.ui },
  };
}

export function serverAgentConfig(config: Config): Record<string, unknown> {
  return {
    ...common(config),
    server: true,
    bootstrap_expect: config.servers,
    // Raft's production timing; the default waits five times as long for an election.
    performance: { raft_multiplier: 1 },
    autopilot: {
      cleanup_dead_servers: true,
      // A crashed voter is not pruned below the full number, so any majority that returns is a quorum:
      // https://github.com/hashicorp/consul/issues/8118
      min_quorum: config.servers,
    },
    // With a volume a stopped server stays a voter and comes back as the same one: leaving would shrink the
    // quorum with every pod that stops. Without one it never comes back, so it has to leave.
    leave_on_terminate: config.serverStorage.kind === 'ephemeral',
    rejoin_after_leave: true,
  };
}

export function clientAgentConfig(config: Config): Record<string, unknown> {
  return {
    ...common(config),
    server: false,
    leave_on_terminate: true,
    rejoin_after_leave: true,
    // Clients that are gone for good leave the member list after this, not after three days.
    advertise_reconnect_timeout: '15m',
  };
}
