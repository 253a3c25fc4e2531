import { type Life, lifeOf } from '../../certificates/certificate.ts';
import { probeRpc, type RpcOnWire } from '../../consul/rpc/wire.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { TlsRecord } from '../../inventory/inventory.ts';
import { NothingListens } from '../../kubernetes/streams/portforward.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { CurrentPods } from '../../session/current-pods.ts';
import type { Run } from '../../session/run.ts';
import { untilRight } from './until-right.ts';

/** What RPC has to be like on the wire; `alike`: whatever it is, the same at every server. */
export type WantedTls = 'enforced' | 'plaintext' | 'alike';

const EXPECTED: Record<WantedTls, string> = {
  enforced: 'every server speaks TLS alone, with a certificate of one authority that is long valid',
  plaintext: 'plaintext at every server, as asked for',
  alike: 'the same at every server',
};

/** What a server does: `offered` is TLS beside plaintext. */
type Seen = TlsRecord['state'];

/** What a server was seen to do for RPC. */
export interface RpcLook {
  pod: PodView;
  seen: RpcOnWire;
}

/** What to do about a certificate whose life is nearly over. */
export const RENEWAL =
  'Deploy, or verify with `renew: true`: both make new certificates while all agents run. Certificates of `tls-secret` are renewed by who makes them; a deploy then gives them to the agents.';

/** Certificates that Consul makes for its service mesh, where a server has none of its own: `….consul.ca.….consul`. */
const MESH_ISSUER = /\.consul\.ca\./;

/** The certificate that a server has for RPC; undefined where it shows that of the mesh, or none. */
export function ownCertificate({ certificate }: RpcOnWire): RpcOnWire['certificate'] {
  return certificate && !MESH_ISSUER.test(certificate.issuer) ? certificate : undefined;
}

/** Looks at what every server takes and shows at its port for RPC. */
export async function proveTls(
  run: Run,
  { agents, pods }: { agents: Pick<Agents, 'rpc'>; pods: CurrentPods },
  wanted: WantedTls,
): Promise<TlsRecord | undefined> {
  const check = { id: 'tls', title: 'RPC', group: 'servers', expected: EXPECTED[wanted] } as const;
  const fail = (observed: string) => run.check({ ...check, observed, passed: false });
  fail('not looked at yet');
  const looks = await untilSeen(run, fail, { agents, pods }, wanted);
  if (!looks) {
    const observed = 'not seen: port 8300 of these servers cannot be reached by a port-forward';
    run.skip({ ...check, observed });
    return undefined;
  }
  const seen = tlsOf(looks);
  if (seen) {
    // Also where the proof fails after this.
    run.known.tls = seen;
    warnIfDue(run, seen, looks);
  }
  run.check({ ...check, observed: seen ? describe(seen, looks.length) : 'no server', passed: true });
  return seen;
}

function untilSeen(
  run: Run,
  fail: (observed: string) => void,
  { agents, pods }: { agents: Pick<Agents, 'rpc'>; pods: CurrentPods },
  wanted: WantedTls,
): Promise<RpcLook[] | undefined> {
  return untilRight(run, fail, async () => {
    const looks = await rpcLooksAt(agents, await pods.servers(), run.signal);
    // Servers that listen at the pod's address alone: of an earlier version, or by a configuration that says so.
    if (wanted !== 'enforced' && looks.every(isUnheard)) return { seen: undefined };
    const silent = looks.find((look): look is Failure => look instanceof Failure);
    if (silent) return { trouble: silent, isSilent: true };
    const seen = looks.filter((look): look is RpcLook => !(look instanceof Failure));
    const trouble = troubleOf(seen, wanted);
    // New certificates come before the proof, or not in this run.
    return trouble ? { trouble, isFinal: trouble.reason === 'expiring' } : { seen };
  });
}

/** What each of these servers does, or why it does not tell. */
export function rpcLooksAt(
  agents: Pick<Agents, 'rpc'>,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<(RpcLook | Failure)[]> {
  return Promise.all(
    pods.map(async (pod) => {
      try {
        return { pod, seen: await probeRpc(pod.name, agents.rpc(pod), signal) };
      } catch (error) {
        signal.throwIfAborted();
        return Failure.from(error);
      }
    }),
  );
}

function isUnheard(look: RpcLook | Failure): boolean {
  return look instanceof NothingListens;
}

/** Undefined for one that closes whatever is said: it may be starting, and speaks no TLS that could be enforced. */
export function stateOf(seen: RpcOnWire): Seen | undefined {
  const speaksTls = ownCertificate(seen) !== undefined;
  if (!seen.takesPlaintext) return speaksTls ? 'enforced' : undefined;
  return speaksTls ? 'offered' : 'plaintext';
}

const WORDS: Record<Seen, string> = {
  plaintext: 'plaintext',
  offered: 'TLS, not enforced',
  enforced: 'TLS, enforced',
};

function troubleOf(looks: readonly RpcLook[], wanted: WantedTls): Failure | undefined {
  const [first] = looks;
  if (!first) return undefined;
  const closed = looks.find(({ seen }) => stateOf(seen) === undefined);
  if (closed) return showsNone(closed);
  const states = looks.map(({ pod, seen }) => ({ pod, state: stateOf(seen) ?? 'plaintext' }));
  const right: Seen = wanted === 'alike' ? (states[0]?.state ?? 'plaintext') : wanted;
  const other = states.find(({ state }) => state !== right);
  if (other) {
    const isOpen = other.state !== 'enforced';
    return new Failure({
      reason: 'not-encrypted',
      what: `RPC is ${WORDS[other.state]} at ${other.pod.name}, and ${wanted === 'alike' ? `${WORDS[right]} at ${first.pod.name}` : `has to be ${WORDS[right]}`}`,
      where: `Pod/${other.pod.name}`,
      hint: isOpen
        ? 'Deploy with `tls: true`: that takes every agent there, step by step. Where `server-config` or `client-config` sets TLS it is as they say. If one server alone differs, look for who has changed its Secret or its configuration. Where `patches` or `post-render` replace the volume `config`, that has to have the Secret of the certificates, too.'
        : 'Deploy with `tls: true` to keep it, or `tls: false` to end it step by step.',
    });
  }
  if (right === 'plaintext') return undefined;
  const stranger = looks.find(({ seen }) => issuerOf(seen) !== issuerOf(first.seen));
  if (stranger) {
    return new Failure({
      reason: 'certificate',
      what: `the certificate of ${stranger.pod.name} is of another authority (${issuerOf(stranger.seen)}) than that of ${first.pod.name} (${issuerOf(first.seen)})`,
      where: `Pod/${stranger.pod.name}`,
      hint: 'Deploy again: that gives every agent the files of its Secret. If it stays so, look for who has changed the configuration of that server.',
    });
  }
  const soonest = soonestOf(looks);
  const life = soonest && lifeAt(soonest.seen);
  if (!soonest || (life !== 'expiring' && life !== 'over')) return undefined;
  return new Failure({
    reason: 'expiring',
    what: `the certificate of ${soonest.pod.name} ${life === 'over' ? 'has expired' : 'expires'} at ${new Date(endOf(soonest.seen)).toISOString()}`,
    where: `Pod/${soonest.pod.name}`,
    hint: RENEWAL,
  });
}

function showsNone({ pod: { name } }: RpcLook): Failure {
  return new Failure({
    reason: 'certificate',
    what: `${name} takes no plaintext for RPC, and shows no certificate of its own`,
    where: `Pod/${name}`,
    hint: 'Look at its log: an agent that starts or ends closes every connection, and so does one whose certificate cannot be used. Deploy again: that gives every agent the files of its Secret.',
  });
}

function issuerOf(seen: RpcOnWire): string {
  return ownCertificate(seen)?.issuer ?? 'none';
}

function endOf(seen: RpcOnWire): number {
  return ownCertificate(seen)?.validToDate.getTime() ?? Number.POSITIVE_INFINITY;
}

function lifeAt(seen: RpcOnWire): Life {
  const certificate = ownCertificate(seen);
  return certificate ? lifeOf(certificate) : 'long';
}

function soonestOf(looks: readonly RpcLook[]): RpcLook | undefined {
  return looks.toSorted((a, b) => endOf(a.seen) - endOf(b.seen))[0];
}

/** Undefined where there is no server. */
function tlsOf(looks: readonly RpcLook[]): TlsRecord | undefined {
  const [first] = looks;
  const soonest = soonestOf(looks);
  if (!first || !soonest) return undefined;
  const state = stateOf(first.seen) ?? 'plaintext';
  if (state === 'plaintext') return { state };
  return { state, issuer: issuerOf(first.seen), until: new Date(endOf(soonest.seen)).toISOString() };
}

function warnIfDue(run: Run, { state, until }: TlsRecord, looks: readonly RpcLook[]): void {
  const soonest = soonestOf(looks);
  if (state === 'plaintext' || !soonest || lifeAt(soonest.seen) !== 'due') return;
  run.warn(
    `The certificate of ${soonest.pod.name} is valid until ${until} only: deploy, or verify with \`renew: true\`.`,
  );
}

function describe({ state, issuer, until }: TlsRecord, servers: number): string {
  const valid = until === undefined ? '' : `, valid until ${until}, by ${issuer}`;
  return `${WORDS[state]} at ${servers} of ${count(servers, 'server')} (on the wire)${valid}`;
}
