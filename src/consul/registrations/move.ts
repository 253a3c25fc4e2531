import { isDeepStrictEqual } from 'node:util';
import { holdId } from '../agent/hold.ts';
import { unmarkedMeta } from './mark.ts';
import type { AgentRegistrations, Carriage } from './portable.ts';

type Json = Record<string, unknown>;

/** A service that a client agent can hold as well as the server that holds it. */
export interface Move {
  id: string;
  name: string;
  /** Body for `/v1/agent/service/register`. No check in it has a status: each has to run at its new agent first. */
  definition: Json;
  /** Why it is in maintenance; undefined where it is not. */
  maintenance: string | undefined;
  /** How long its checks may take until they have said how it is. */
  settleMs: number;
}

export interface Refusal {
  /** Such as `service web-1`. */
  what: string;
  why: string;
}

/** Beyond what its intervals say: an answer, and the way into the catalog. */
const MARGIN_MS = 20_000;
const NANOSECONDS = 1e6;

/**
 * What of a server's registrations can move to a client without anybody noticing, and why the rest cannot.
 * @param live what the server's agent says; @param carriage the same as requests that register it elsewhere
 */
export function movesOf(
  live: Omit<AgentRegistrations, 'files'>,
  { carried, obstacles }: Carriage,
): { moves: Move[]; refused: Refusal[] } {
  const why = new Map(obstacles.map(split));
  const checks = Object.entries(live.checks).filter(([, { Type }]) => Type !== 'maintenance');
  const underway = carried.maintenance.some(({ service }) => service === '');
  const moves: Move[] = [];
  const refused: Refusal[] = [];
  for (const service of carried.services) {
    const id = String(service.ID);
    const what = `service ${id}`;
    const own = checks.flatMap(([check, { ServiceID }]) => (ServiceID === id ? [check] : []));
    const lost = own.flatMap((check) => why.get(`check ${check}`) ?? []);
    const obstacle = lost[0] ?? (underway ? NODE_MAINTENANCE : obstacleTo(service));
    if (obstacle !== undefined) refused.push({ what, why: obstacle });
    else moves.push(moveOf(service, live.services[id] ?? {}, carried.maintenance));
  }
  for (const [what, reason] of why) {
    const owner = checks.find(([id]) => what === `check ${id}`)?.[1].ServiceID;
    if (!owner) refused.push({ what, why: reason });
  }
  for (const { ID, ServiceID } of carried.checks) {
    // Those of a service that is refused are refused with it.
    if (ServiceID === undefined) refused.push({ what: `check ${ID}`, why: NODE_CHECK });
  }
  return { moves, refused };
}

const NODE_MAINTENANCE = 'its server is in maintenance, which a client would not be; end that first';
const NODE_CHECK =
  'it is about the node of the server, not about a service; at a client it would take all services there with it when it fails. Register it where it belongs, or with its service';
const NO_ADDRESS =
  'it has no address of its own, so it is announced at that of its server; register it with the address of its application';
const LOCAL = /^(?:[a-z0-9]+:\/\/)?(?:localhost|127\.|\[?::1\]?)/i;

function moveOf(service: Json, live: Json, maintained: Carriage['carried']['maintenance']): Move {
  const checks = checksOf(service).map(({ Status: _, ...check }) => check);
  const kept = maintained.find((one) => one.service === service.ID);
  // Then the tags that count are those of the catalog, which the agent has taken over and its files have not.
  const overridden = service.EnableTagOverride === true && Array.isArray(live.Tags);
  return {
    id: String(service.ID),
    name: String(service.Name),
    definition: { ...service, ...(overridden && { Tags: live.Tags }), Checks: checks },
    maintenance: kept?.reason,
    settleMs: MARGIN_MS + Math.max(0, ...checks.map(settling)),
  };
}

function obstacleTo(service: Json): string | undefined {
  if (typeof service.Address !== 'string') return NO_ADDRESS;
  const found = checksOf(service).map((check) => {
    const id = check.CheckID;
    if ('TTL' in check) {
      return `its application reports the state of check ${id} to the server; let it register at a client`;
    }
    if ('AliasService' in check || 'AliasNode' in check)
      return `check ${id} follows another one at its agent`;
    const target = [check.HTTP, check.TCP, check.UDP, check.GRPC, check.H2PING].find(
      (one) => typeof one === 'string',
    );
    return LOCAL.test(String(target)) ? `check ${id} asks ${target}, which is the server itself` : undefined;
  });
  return found.find((why) => why !== undefined);
}

/** The first execution comes within an interval, and a few may be needed until one counts. */
function settling({ Interval, Timeout, SuccessBeforePassing }: Json): number {
  const times = 1 + (Number(SuccessBeforePassing) || 0);
  return ((Number(Interval) || 0) * times + (Number(Timeout) || 0)) / NANOSECONDS;
}

function checksOf(service: Json): Json[] {
  return Array.isArray(service.Checks) ? (service.Checks as Json[]) : [];
}

/** `check c: why` in its two halves. Ids may hold colons, and what follows the reason does not begin with one. */
function split(obstacle: string): [string, string] {
  const at = obstacle.indexOf(': it');
  return at < 0 ? [obstacle, ''] : [obstacle.slice(0, at), obstacle.slice(at + 2)];
}

/** What `/v1/agent/service/<id>` says of it, and those of `/v1/agent/checks` that are its own. */
export interface Held {
  service: Json;
  checks: readonly Json[];
}

const SERVICE = ['Service', 'Kind', 'Tags', 'TaggedAddresses', 'Weights', 'EnableTagOverride'];
const CHECK = ['CheckID', 'Name', 'Type', 'Interval', 'Timeout'];

/**
 * How what a client holds under an id compares with what a server holds under it: the `same`; `another` instance,
 * at another address; or the same one with `different` settings.
 */
export function likeness(server: Held, client: Held): 'same' | 'another' | 'different' {
  const place = ['Service', 'Address', 'Port'];
  if (!isDeepStrictEqual(picked(server.service, place), picked(client.service, place))) return 'another';
  const same =
    isDeepStrictEqual(settings(server.service), settings(client.service)) &&
    isDeepStrictEqual(definitions(server.checks), definitions(client.checks));
  return same ? 'same' : 'different';
}

function settings(service: Json): Json {
  return { ...picked(service, SERVICE), Meta: unmarkedMeta(service) };
}

function definitions(checks: readonly Json[]): Json[] {
  return checks
    .filter(({ Type, CheckID }) => Type !== 'maintenance' && !String(CheckID).startsWith(holdId('')))
    .map((check) => picked(check, CHECK))
    .sort((a, b) => (String(a.CheckID) < String(b.CheckID) ? -1 : 1));
}

function picked(from: Json, fields: readonly string[]): Json {
  return Object.fromEntries(fields.map((field) => [field, from[field] ?? undefined]));
}

export interface HealthEntry {
  Node: { Node: string };
  Service: { ID: string };
  Checks: { CheckID: string; ServiceID: string; Status: string; Output?: string }[];
}

const RANK: Readonly<Record<string, number>> = { passing: 2, warning: 1 };

/** Why the client's instance is not yet as good as the server's; undefined when it is. */
export function worse(client: HealthEntry | undefined, server: HealthEntry): string | undefined {
  if (!client) return 'the catalog does not show it there';
  const lag = server.Checks.filter(({ ServiceID }) => ServiceID !== '').find(({ CheckID, Status }) => {
    const own = client.Checks.find((check) => check.CheckID === CheckID);
    // Maintenance has to be there; how well it does is one and the same.
    return own === undefined || rank(own.Status) < rank(Status);
  });
  const least = Math.min(2, ...server.Checks.map(({ Status }) => rank(Status)));
  const failing = client.Checks.find(({ Status }) => rank(Status) < least);
  if (failing) return `its check ${failing.CheckID} is ${failing.Status} there`;
  if (!lag) return undefined;
  const now = client.Checks.find(({ CheckID }) => CheckID === lag.CheckID)?.Status ?? 'missing';
  return `its check ${lag.CheckID} is ${now} there, and ${lag.Status} at the server`;
}

function rank(status: string): number {
  return RANK[status] ?? 0;
}
