import { count } from '../../count.ts';
import { SMOKE_SERVICE } from '../proofs/registration.ts';
import { names } from '../quorum/finding.ts';

type Json = Record<string, unknown>;

/** What one server agent holds of its own: the `consul` service is the catalog's and not among it. */
export interface ServerRegistrations {
  /** Name of the server. */
  server: string;
  /** Ids of services. */
  services: string[];
  checks: ServerCheck[];
}

interface ServerCheck {
  id: string;
  /** Empty for a check of the node itself. */
  service: string;
  /** Between two executions, in ms; undefined for a check that the agent does not execute. */
  intervalMs?: number;
}

const LONGEST_ID = 60;

/** @param answers what `/v1/agent/services` and `/v1/agent/checks` of that server say */
export function registrationsAt(
  server: string,
  answers: { services: Readonly<Record<string, Json>>; checks: Readonly<Record<string, Json>> },
): ServerRegistrations {
  const services = Object.keys(answers.services).filter((id) => !id.startsWith(SMOKE_SERVICE));
  const checks = Object.entries(answers.checks).flatMap(([id, { ServiceID, Interval }]): ServerCheck[] => {
    const service = typeof ServiceID === 'string' ? ServiceID : '';
    if (service.startsWith(SMOKE_SERVICE)) return [];
    const intervalMs = typeof Interval === 'string' ? milliseconds(Interval) : 0;
    return [{ id, service, ...(intervalMs > 0 && { intervalMs }) }];
  });
  return { server, services: services.sort(), checks };
}

/** What is registered at servers and what that costs them, in one sentence; undefined where nothing is. */
export function burdenOf(all: readonly ServerRegistrations[]): string | undefined {
  const holding = all.filter(({ services, checks }) => services.length + checks.length > 0);
  if (holding.length === 0) return undefined;
  const services = holding.flatMap(({ server, services }) =>
    services.map((id) => named('service', id, server)),
  );
  const checks = holding.flatMap((one) => one.checks);
  const own = holding.flatMap(({ server, checks }) =>
    checks.flatMap(({ id, service }) => (service === '' ? [named('check', id, server)] : [])),
  );
  const what = `${count(services.length, 'service')} and ${count(checks.length, 'check')} at ${count(holding.length, 'server')}`;
  const rate = checks.reduce((sum, { intervalMs }) => sum + (intervalMs ? 1000 / intervalMs : 0), 0);
  const runs = rate > 0 ? `they execute ${rounded(rate)} checks a second, and anti-entropy` : 'anti-entropy';
  return `${what}: ${names([...services, ...own])}; ${runs} compares ${count(services.length + checks.length, 'entry', 'entries')} with the catalog`;
}

function named(kind: 'service' | 'check', id: string, server: string): string {
  return `${kind} ${shortId(id)} (${server})`;
}

/** For a sentence. An id is whatever an application has chosen. */
export function shortId(id: string): string {
  return id.length > LONGEST_ID ? `${id.slice(0, LONGEST_ID)}…` : id;
}

function rounded(rate: number): string {
  return rate < 10 ? String(Number(rate.toFixed(rate < 0.1 ? 3 : 1))) : rate.toFixed(0);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Of a duration as Go writes it, such as `1m30s`; 0 for what is none. */
export function milliseconds(duration: string): number {
  if (!/^(\d+(\.\d+)?(h|ms|m|s|us|µs|ns))+$/.test(duration)) return 0;
  const parts = [...duration.matchAll(/(?<![\d.])(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)];
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (UNIT_MS[unit] ?? 0), 0);
}
