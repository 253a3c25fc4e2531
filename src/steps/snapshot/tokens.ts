import { z } from 'zod';
import type { ConsulClient } from '../../consul/client.ts';
import { names } from '../../consul/quorum/finding.ts';
import { differenceOf } from '../../consul/snapshot/difference.ts';
import { visible } from '../../consul/snapshot/name.ts';
import type { SnapshotTokens, TokenRights } from '../../consul/snapshot/tokens.ts';
import { Failure } from '../../failure.ts';
import type { Run } from '../../session/run.ts';
import type { Servers } from './source.ts';

const CHECK = {
  group: 'data',
  id: 'restore-tokens',
  title: 'ACL tokens',
  expected: 'what this run may ask is the same in the snapshot',
} as const;
const ANSWER_MS = 5_000;
const MOST_NAMES = 10;

/** The secret of the anonymous token (https://github.com/hashicorp/consul/blob/v1.22.7/acl/acl.go). */
const ANONYMOUS = 'anonymous';

const selfAnswer = z.object({ SecretID: z.string() });

/** The ACL tokens of today, and those of the snapshot. */
export interface Tokens {
  now: SnapshotTokens;
  restored: SnapshotTokens;
}

/** A token that a server lends to requests without one, as those of this run are. */
interface Lent {
  /** Never told. */
  secret: string;
  name: string;
}

type Verdict = { is: 'same'; why: string } | { is: 'unknown'; why: string } | { is: 'other'; why: string };

/**
 * A restore replaces the tokens, too. Where the one that this run asks with is not in the snapshot, or may do less there,
 * every request after the restore would be denied: "ACL not found", seen with 1.22.7.
 * @throws Failure `acl-denied` with what differs, before anything is restored
 */
export async function checkTokens(run: Run, servers: Servers, tokens: Tokens): Promise<void> {
  const lent = new Map<string, Lent>();
  const verdicts: Verdict[] = [];
  const isOn = await Promise.all(
    (await servers()).map(async (server) => {
      const found = await lentBy(run, server);
      if (typeof found === 'string') verdicts.push({ is: 'unknown', why: found });
      else if (found) lent.set(found.secret, found);
      return found !== undefined;
    }),
  );
  if (!isOn.includes(true)) return;
  for (const one of lent.values()) verdicts.push(judge(one, tokens));
  const others = verdicts.filter(({ is }) => is === 'other');
  const unknown = verdicts.filter(({ is }) => is === 'unknown');
  const observed = [...others, ...unknown, ...verdicts.filter(({ is }) => is === 'same')]
    .map(({ why }) => why)
    .join('; ');
  if (others.length > 0) {
    run.check({ ...CHECK, observed, passed: false });
    throw lockedOut(run, others);
  }
  if (unknown.length > 0) run.concern({ ...CHECK, observed });
  else run.check({ ...CHECK, observed, passed: true });
}

/** Undefined where ACLs are off; text where it cannot be known. */
async function lentBy(run: Run, server: ConsulClient): Promise<Lent | string | undefined> {
  const unknown = (why: string) =>
    `not known which token ${server.name} lends to requests without one: ${why}`;
  try {
    const { status, body } = await server.get<unknown>('/v1/acl/token/self', {
      signal: run.signal,
      timeoutMs: ANSWER_MS,
      accept: [401, 403, 404],
    });
    if (status === 200) {
      const { SecretID: secret } = selfAnswer.parse(body);
      const name = secret === ANONYMOUS ? 'the anonymous token' : `the default token of ${server.name}`;
      return { secret, name };
    }
    // ACL support disabled.
    if (status === 401) return undefined;
    // It looks for the token with no secret: ACLTokenSelf in agent/acl_endpoint.go.
    if (status === 404 || /not found/i.test(String(body)))
      return { secret: ANONYMOUS, name: 'the anonymous token' };
    return unknown(`it answers ${status}`);
  } catch (error) {
    run.signal.throwIfAborted();
    // Never what a parser says, which may quote the answer.
    return unknown(error instanceof Failure ? error.what : 'its answer is of an unknown form');
  }
}

function judge({ secret, name }: Lent, { now, restored }: Tokens): Verdict {
  const isAnonymous = secret === ANONYMOUS;
  // The leader makes that one anew after a restore, with no policy: InitializeACLs in agent/consul/leader.go.
  const none: TokenRights | undefined = isAnonymous
    ? { managesAll: false, isInitial: false, parts: new Map() }
    : undefined;
  const [today, later] = [now.rightsOf(secret) ?? none, restored.rightsOf(secret) ?? none];
  if (!later) {
    return today?.isInitial
      ? {
          is: 'unknown',
          why: `${name} is not in the snapshot; Consul makes it anew where it still is acl.tokens.initial_management`,
        }
      : { is: 'other', why: `${name} is not in the snapshot` };
  }
  if (later.managesAll) return { is: 'same', why: `${name} may do everything, in the snapshot too` };
  if (!today) return { is: 'unknown', why: `${name} is not among the tokens that there are now` };
  return compared(name, today, later);
}

function compared(name: string, today: TokenRights, later: TokenRights): Verdict {
  const { removed, changed, added } = differenceOf(today.parts, later.parts);
  const listed = (all: readonly string[]) => names(all.map(visible), MOST_NAMES);
  const differs = [
    ...(removed.length > 0 ? [`has no ${listed(removed)}`] : []),
    ...(changed.length > 0 ? [`has another ${listed(changed)}`] : []),
  ];
  if (differs.length > 0) return { is: 'other', why: `${name} ${differs.join(' and ')} in the snapshot` };
  if (added.length > 0) {
    const more = `${name} has ${listed(added)} in the snapshot, and not now`;
    return { is: 'unknown', why: `${more}: whether that denies something is not known` };
  }
  return { is: 'same', why: `${name} has the same policies in the snapshot` };
}

function lockedOut(run: Run, others: readonly Verdict[]): Failure {
  const kept = run.known.snapshot?.path;
  return new Failure({
    reason: 'acl-denied',
    what: 'the tokens of the snapshot would lock this run out',
    where: run.config.restorePath ?? 'restore',
    hint: `Nothing was restored; what there is now is in ${kept}. Give the token today what it has in the snapshot, and run again: where that is too little, the run ends before it restores. A token that the snapshot does not have cannot stay: make one of the snapshot's tokens today, with its SecretID, and have the servers lend that (\`acl.tokens.default\`).`,
    details: others.map(({ why }) => why),
  });
}
