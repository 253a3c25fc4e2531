import { z } from 'zod';
import type { ConsulClient } from '../client.ts';
import { cutByAcls } from '../failure.ts';

type Json = Record<string, unknown>;
type Kind = 'services' | 'checks';

/** Something may be registered between two questions. */
const TRIES = 3;

const listAnswer = z.record(z.string(), z.record(z.string(), z.unknown()));

/** How many an agent has, whoever asks: it takes `agent:read` and no right on the services. */
const countsAnswer = z
  .object({
    Stats: z.object({ agent: z.object({ services: z.coerce.number(), checks: z.coerce.number() }) }),
  })
  .transform(({ Stats }) => Stats.agent);

/**
 * All services, or all checks, that an agent itself holds, by id.
 * @throws Failure `acl-denied` where ACLs hide some of them, also from a request without a token: those are not told
 *   that an answer is cut (https://github.com/hashicorp/consul/blob/v1.22.7/agent/agent_endpoint.go, AgentServices)
 */
export async function readAllOf(
  agent: ConsulClient,
  kind: Kind,
  signal: AbortSignal,
): Promise<Record<string, Json>> {
  const path = kind === 'services' ? '/v1/agent/services' : '/v1/agent/checks';
  for (let tries = 1; ; tries += 1) {
    const { body, aclDefault } = await agent.get(path, { signal });
    const found = listAnswer.parse(body);
    if (aclDefault === undefined) return found;
    const { body: self } = await agent.get('/v1/agent/self', { signal });
    if (Object.keys(found).length >= countsAnswer.parse(self)[kind]) return found;
    if (tries === TRIES) throw cutByAcls(agent.name, path);
  }
}
