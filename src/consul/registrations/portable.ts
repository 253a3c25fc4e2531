import { SMOKE_SERVICE } from '../proofs/registration.ts';
import { isTaggedByOthers } from './tag-override.ts';

type Json = Record<string, unknown>;

/** What one agent holds that dies with its data directory: the requests that make another agent hold the same. */
export interface Carried {
  /** Bodies for `/v1/agent/service/register`, the checks of each service among them. */
  services: Json[];
  /** Bodies for `/v1/agent/check/register`: checks of the node itself, and those of services that are not carried. */
  checks: Json[];
  /** Services in maintenance mode by id, the node itself as the empty id; with the reason that was given. */
  maintenance: { service: string; reason: string }[];
}

/** What an agent was asked for its registrations. */
export interface AgentRegistrations {
  /** `/v1/agent/services`, by id. */
  services: Readonly<Record<string, Json>>;
  /** `/v1/agent/checks`, by id. It says how a check stands, not what it does. */
  checks: Readonly<Record<string, Json>>;
  /** The files of `services/` and `checks/` in its data directory: what was registered by the API, in full. */
  files: readonly string[];
}

export interface Carriage {
  carried: Carried;
  /** What cannot be taken along, one sentence each. */
  obstacles: string[];
  /** Those of them that the agent has from a configuration file: no obstacle where its successor has that, too. */
  configured: { kind: 'service' | 'check'; id: string; obstacle: string }[];
}

/** https://developer.hashicorp.com/consul/api-docs/agent/service#json-request-body-schema */
const SERVICE_FIELDS = [
  'ID',
  'Tags',
  'Address',
  'TaggedAddresses',
  'Meta',
  'Port',
  'Ports',
  'SocketPath',
  'Weights',
  'EnableTagOverride',
  'Locality',
] as const;

/** Kinds of check that need something of the pod they run in. */
const BOUND = ['ScriptArgs', 'DockerContainerID', 'OSService', 'Shell'] as const;

/**
 * Joins what an agent says of its registrations with what its data directory holds of them: the API tells how a
 * check stands and not what it does, and the files tell the opposite.
 */
export function carriageOf({ services, checks, files }: AgentRegistrations): Carriage {
  const obstacles: string[] = [];
  const configured: Carriage['configured'] = [];
  const cannot = (kind: 'service' | 'check', id: string, why: string) => {
    const obstacle = `${kind} ${id}: ${why}`;
    obstacles.push(obstacle);
    if (why === CONFIGURED) configured.push({ kind, id, obstacle });
  };
  const kept = files.map(parsed);
  const persistedServices = new Map(kept.flatMap((file) => entry(file, 'Service', 'ID')));
  const persistedChecks = new Map(kept.flatMap((file) => entry(file, 'Check', 'CheckID')));
  const maintenance: Carried['maintenance'] = [];
  const byService = new Map<string, Json[]>();
  for (const [id, live] of Object.entries(checks)) {
    const service = text(live.ServiceID);
    if (service.startsWith(SMOKE_SERVICE)) continue;
    if (live.Type === 'maintenance') {
      maintenance.push({ service, reason: text(live.Notes) });
      continue;
    }
    const file = persistedChecks.get(id);
    const type = file && object(file.ChkType);
    const why = !file ? CONFIGURED : !type ? 'its definition is not kept' : obstacleTo(type, file);
    if (why !== undefined || !type) {
      cannot('check', id, why ?? CONFIGURED);
      continue;
    }
    const body = {
      ...filled(type),
      // Consul takes true for it where it is not said.
      ...(!isEmpty(type.H2PING) && { H2PingUseTLS: type.H2PingUseTLS === true }),
      Name: live.Name,
      Notes: live.Notes,
      Status: live.Status,
    };
    byService.set(service, [...(byService.get(service) ?? []), { ...body, CheckID: id }]);
  }
  const carriedServices = Object.keys(services).flatMap((id): Json[] => {
    if (id.startsWith(SMOKE_SERVICE)) return [];
    const file = persistedServices.get(id);
    const definition = file && object(file.Service);
    const why = !file || !definition ? CONFIGURED : obstacleToService(definition, file);
    if (why !== undefined || !definition) {
      cannot('service', id, why ?? CONFIGURED);
      return [];
    }
    const body: Json = Object.fromEntries(
      SERVICE_FIELDS.flatMap((field) => (isEmpty(definition[field]) ? [] : [[field, definition[field]]])),
    );
    const native = object(definition.Connect)?.Native === true;
    const { Tags } = services[id] ?? {};
    if (isTaggedByOthers(definition) && Array.isArray(Tags)) {
      if (Tags.length > 0) body.Tags = Tags;
      else delete body.Tags;
    }
    return [
      {
        ...body,
        Name: definition.Service,
        Checks: byService.get(id) ?? [],
        ...(native && { Connect: { Native: true } }),
      },
    ];
  });
  const held = new Set(carriedServices.map(({ ID }) => ID));
  // Of the node itself, and of services that the agent has from a file.
  const own = [...byService].flatMap(([service, list]) =>
    held.has(service)
      ? []
      : list.map(({ CheckID, ...check }) => ({
          ...check,
          ID: CheckID,
          ...(service !== '' && { ServiceID: service }),
        })),
  );
  return { carried: { services: carriedServices, checks: own, maintenance }, obstacles, configured };
}

export function isNothing({ services, checks, maintenance }: Carried): boolean {
  return services.length + checks.length + maintenance.length === 0;
}

const CONFIGURED =
  'it comes from a configuration file of the agent, which the new agent does not have; put it into `client-config` or `server-config` and remove it there';

function obstacleTo(type: Json, file: Json): string | undefined {
  if (text(file.Token) !== '') return 'it was registered with a token';
  const bound = BOUND.find((field) => !isEmpty(type[field]));
  return bound && `it runs in the pod of its agent (${bound}), which is replaced`;
}

function obstacleToService(service: Json, file: Json): string | undefined {
  if (text(file.Token) !== '') return 'it was registered with a token';
  const kind = text(service.Kind);
  if (kind !== '' || file.LocallyRegisteredAsSidecar === true) {
    return `it is a proxy of the service mesh (${kind || 'sidecar'})`;
  }
  return undefined;
}

/** One file of the data directory, as `[id, file]`. */
function entry(file: Json, field: 'Service' | 'Check', id: 'ID' | 'CheckID'): [string, Json][] {
  const inner = object(file[field]);
  return inner ? [[text(inner[id]), file]] : [];
}

function parsed(file: string): Json {
  try {
    return object(JSON.parse(file)) ?? {};
  } catch {
    return {};
  }
}

/** Without the fields that say nothing; Go writes all of them. Durations stay nanoseconds, which Consul takes. */
function filled(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
