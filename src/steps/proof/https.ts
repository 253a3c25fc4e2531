import pLimit from 'p-limit';
import { lifeOf } from '../../certificates/certificate.ts';
import { readAgentFacts } from '../../consul/agent/facts.ts';
import { probeHttps } from '../../consul/https/wire.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { CurrentPods } from '../../session/current-pods.ts';
import type { Run } from '../../session/run.ts';
import { untilRight } from './until-right.ts';

/** Connections at once: each is a port-forward of its own. */
const PARALLEL = 16;
const LOOPBACK = /^tcp:\/\/(?:127\.0\.0\.1|\[::1\]):/;

/** Where there is to be HTTPS: every agent answers by it, and plain HTTP is heard where it may be. */
export async function proveHttps(
  run: Run,
  { agents, pods }: { agents: Pick<Agents, 'client' | 'https'>; pods: CurrentPods },
): Promise<void> {
  const { https } = run.config;
  if (https === 'off') return;
  const isOnly = https === 'only';
  const expected = `every agent answers by HTTPS${isOnly ? ', and hears plain HTTP within its pod alone' : ''}`;
  const check = { id: 'https', title: 'HTTPS', group: 'cluster', expected } as const;
  const fail = (observed: string) => run.check({ ...check, observed, passed: false });
  fail('not looked at yet');
  const agentsSeen = await untilRight(run, fail, async () => {
    const all = [...(await pods.servers()), ...pods.readyClientPods()];
    const limit = pLimit(PARALLEL);
    const looks = all.map((pod) => limit(() => troubleAt(run, agents, pod, isOnly)));
    const trouble = (await Promise.all(looks)).find((one) => one !== undefined);
    return trouble ? { trouble } : { seen: all.length };
  });
  const plain = isOnly ? '; plain HTTP within the pod alone, as the agents say' : '';
  const observed = `at ${agentsSeen} of ${count(agentsSeen, 'agent')}${plain}`;
  run.check({ ...check, observed, passed: true });
}

async function troubleAt(
  run: Run,
  agents: Pick<Agents, 'client' | 'https'>,
  pod: PodView,
  isOnly: boolean,
): Promise<Failure | undefined> {
  try {
    const { certificate, status } = await probeHttps(pod.name, agents.https(pod), run.signal);
    if (status >= 500) return refusal(pod, `answers ${status} by HTTPS`);
    const life = lifeOf(certificate);
    if (life === 'over')
      return refusal(pod, `shows a certificate that has expired at ${certificate.validTo}`);
    if (!isOnly) return undefined;
    const { httpAddresses } = await readAgentFacts(agents.client(pod), run.signal);
    const open = httpAddresses.find((address) => !LOOPBACK.test(address));
    return open === undefined ? undefined : refusal(pod, `hears plain HTTP at ${open}`);
  } catch (error) {
    run.signal.throwIfAborted();
    return Failure.from(error);
  }
}

function refusal({ name }: PodView, what: string): Failure {
  return new Failure({
    reason: 'not-encrypted',
    what: `the agent ${what}`,
    where: `Pod/${name}`,
    hint: 'Deploy again. If it stays so: `ports`, `addresses` and `tls.https` in `server-config`, `client-config` and `patches` outdo what the input `https` says.',
  });
}
