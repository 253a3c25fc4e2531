import pLimit from 'p-limit';
import { whilePassing } from '../../consul/patience.ts';
import { burdenOf, registrationsAt, type ServerRegistrations } from '../../consul/registrations/at-server.ts';
import { readRegistrations } from '../../consul/registrations/restoration.ts';
import { Failure } from '../../failure.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';

const PARALLEL = 5;
const AGENT_MS = 10_000;

const CHECK = {
  id: 'servers-registrations',
  title: 'Servers hold no registrations',
  group: 'servers',
  expected: 'no service and no check registered at a server',
} as const;

/**
 * Looks at what is registered at the servers: they execute those checks and compare all of it with the catalog, beside
 * what only they can do. A concern and never a failure.
 * @param note what the reader should know of what is still there
 * @returns what is there; empty where nothing is or it could not be read
 */
export async function checkServerRegistrations(
  run: Run,
  { workloads, agents }: Live,
  note = 'see docs/guides/move-registrations.md: `move-registrations: true` moves them to clients',
): Promise<ServerRegistrations[]> {
  const limit = pLimit(PARALLEL);
  let found: ServerRegistrations[];
  try {
    found = await Promise.all(
      workloads.pods('server').map((pod) =>
        limit(async () => {
          const patience = { signal: run.signal, limitMs: AGENT_MS };
          const held = await whilePassing(patience, (signal) =>
            readRegistrations(agents.client(pod), signal),
          );
          return registrationsAt(pod.name, held);
        }),
      ),
    );
  } catch (error) {
    run.signal.throwIfAborted();
    run.concern({ ...CHECK, observed: `not known: ${Failure.from(error).message}` });
    return [];
  }
  const burden = burdenOf(found);
  if (burden === undefined) run.check({ ...CHECK, observed: 'none', passed: true });
  else run.concern({ ...CHECK, observed: `${burden}; ${note}` });
  return burden === undefined ? [] : found;
}
