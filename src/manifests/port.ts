import type { Config } from '../config/config.ts';

export interface ServicePort {
  name: string;
  port: number;
  /** Always given: it is part of the key by which server-side apply merges the list. */
  protocol: 'TCP' | 'UDP';
  targetPort?: number;
}

/** https://developer.hashicorp.com/consul/docs/reference/architecture/ports */
export const ports = {
  http: { name: 'http', port: 8500, protocol: 'TCP' },
  https: { name: 'https', port: 8501, protocol: 'TCP' },
  serfLanTcp: { name: 'serflan-tcp', port: 8301, protocol: 'TCP' },
  serfLanUdp: { name: 'serflan-udp', port: 8301, protocol: 'UDP' },
  serfWanTcp: { name: 'serfwan-tcp', port: 8302, protocol: 'TCP' },
  serfWanUdp: { name: 'serfwan-udp', port: 8302, protocol: 'UDP' },
  server: { name: 'server', port: 8300, protocol: 'TCP' },
  dnsTcp: { name: 'consuldns', port: 8600, protocol: 'TCP' },
  dnsUdp: { name: 'consuldns-udp', port: 8600, protocol: 'UDP' },
} as const satisfies Record<string, ServicePort>;

export function serverPorts(config: Pick<Config, 'https'>): ServicePort[] {
  return [
    ...httpPorts(config),
    ports.serfLanTcp,
    ports.serfLanUdp,
    ports.serfWanTcp,
    ports.serfWanUdp,
    ports.server,
    ports.dnsTcp,
    ports.dnsUdp,
  ];
}

export function clientPorts(config: Pick<Config, 'https'>): ServicePort[] {
  return [...httpPorts(config), ports.serfLanTcp, ports.serfLanUdp, ports.dnsTcp, ports.dnsUdp];
}

/** Plain HTTP that is heard within the pod alone has no port that others could dial. */
function httpPorts({ https }: Pick<Config, 'https'>): ServicePort[] {
  if (https === 'only') return [ports.https];
  return https === 'also' ? [ports.http, ports.https] : [ports.http];
}

export function containerPorts(servicePorts: readonly ServicePort[]): Record<string, unknown>[] {
  return servicePorts.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol }));
}
