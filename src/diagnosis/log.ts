import type { FailureReason } from '../failure.ts';
import { oneLine } from '../rollout/container.ts';
import { QUORUM_GRACE } from './quorum.ts';
import type { Subject, Symptom } from './symptom.ts';

export interface Cause {
  /** As Consul, Serf and Memberlist write it. */
  words: RegExp;
  /** Lines with these words are no trouble of this agent. */
  unless?: RegExp;
  /** Lines with the first words are past where one with the second comes after them. */
  past?: readonly [RegExp, RegExp];
  reason: FailureReason;
  hint: string;
  /** Only the last words of an agent mean this. */
  last?: true;
  /** What may pass by itself gets longer. */
  graceMs?: number;
  /** Of the others it means nothing. */
  of?: Subject['role'];
  /** Said once, and so until the agent starts again. */
  lasting?: true;
}

/**
 * From the agent's own address: the question of this action what the agent takes and shows, over a port-forward
 * (consul/gossip/wire.ts, consul/rpc/wire.ts).
 */
const FROM_ITSELF = /from=(?:127\.0\.0\.1|\[::1\]):/;

/** A server without data waits until the others have a leader, which takes a moment where several were replaced. */
export const HELD_MS = 30_000;

/** What an agent says in its log and nowhere else. The first that fits counts: what others may follow from comes last. */
export const CAUSES: readonly Cause[] = [
  {
    // https://github.com/hashicorp/memberlist/blob/v0.5.2/security.go#L201, net.go#L398, #L1169, #L1182
    words:
      /No installed keys could decrypt|Remote state is encrypted and encryption is not configured|Encryption is configured but remote state is not encrypted/,
    unless: FROM_ITSELF,
    reason: 'gossip-key',
    hint: 'All agents need the same key. Where this action makes it: deploy with `gossip-encryption: true`. Where the configuration holds it: compare `encrypt` in `server-config` and `client-config`.',
  },
  {
    // https://github.com/hashicorp/consul/blob/v1.22.7/agent/consul/merge.go#L71
    words: /part of wrong datacenter|wrong cluster: wrong datacenter/,
    reason: 'wrong-datacenter',
    hint: 'Remove `datacenter` from `server-config`, `client-config` and `patches`, and name it in the input `datacenter`.',
  },
  {
    // https://github.com/hashicorp/consul/blob/v1.22.7/agent/agent.go#L4730
    words: /refusing to rejoin cluster because server has been offline/,
    reason: 'stale-data',
    hint: 'This server was away for so long that it may have been replaced. If the other servers have a quorum, delete its volume claim and its pod; it comes back empty and copies from them.',
  },
  {
    // src/manifests/server/guard.ts
    words: /consul-deploy: not started: the data directory is empty/,
    reason: 'data-lost',
    graceMs: HELD_MS,
    of: 'server',
    hint: 'Its volume has lost its data. Bring the servers back that do not answer: as soon as there is a leader, this one joins as a new server. Do not remove their volumes. Where a majority has lost its data for good: `mode: restore` with `from: survivor`; where all have: `mode: restore` with a snapshot.',
  },
  {
    words: /no space left on device/,
    reason: 'disk-full',
    hint: 'Make the volume larger (`server-storage` cannot: enlarge the claim itself, where its StorageClass allows it), or remove what fills it.',
  },
  {
    // The agent leaves gossip for good: https://github.com/hashicorp/serf/blob/v0.10.2/serf/serf.go#L1529
    words: /minority in name conflict resolution/,
    lasting: true,
    reason: 'node-conflict',
    graceMs: QUORUM_GRACE.cutOff,
    of: 'client',
    hint: 'Two agents have the same name. Find the other one (consul members), and stop or rename it.',
  },
  {
    words: /Node name conflicts with another node|Error while renaming Node ID|is reserved by node/,
    reason: 'node-conflict',
    // Gossip keeps the name of an agent that comes back with another address for 30 s.
    graceMs: QUORUM_GRACE.cutOff,
    // The names of servers are those of their pods; one that comes back conflicts with what it was before.
    of: 'client',
    hint: 'Two agents have the same name. Find the other one (consul members), and stop or rename it.',
  },
  {
    words: /x509: |tls: |remote error: tls|does not look like a TLS handshake/,
    unless: FROM_ITSELF,
    reason: 'tls',
    hint: 'Where this action makes the certificates: deploy with `tls: true`. Where the configuration names them: compare certificates, authority and `verify_*` of servers and clients in `server-config` and `client-config`.',
  },
  {
    words: /blocked by ACLs|Permission denied: |ACL not found/,
    // Those who ask lack the token, not the agent. Our own probes are among them: they may not join an agent to another.
    unless: /agent\.http: Request error: /,
    // Rules that came later, and an anti-entropy round after them: https://github.com/hashicorp/consul/blob/v1.22.7/agent/local/state.go
    past: [/Node info update blocked by ACLs/, /Synced node info/],
    reason: 'acl-denied',
    hint: 'Give the agents tokens that may do what the message names (`acl.tokens` in `server-config` and `client-config`).',
  },
  {
    words: /failed to parse|Error parsing|invalid config key|Config validation failed/,
    reason: 'invalid-config',
    last: true,
    hint: 'Correct `server-config` or `client-config`; the message names the key.',
  },
  {
    words: /(mkdir|open|failed to .{0,300}) \/consul\/data.{0,300}permission denied/,
    reason: 'storage',
    hint: "Let the pod's user write to the volume: see `securityContext.fsGroup` in `patches`, and what the driver supports.",
  },
];

/** How long a log may say so while the agent is in trouble, in milliseconds. */
export const SAID_MS = 10_000;

/** Levels at which nothing is wrong. */
const FINE = /\[(TRACE|DEBUG|INFO)\]/;

/**
 * The cause an agent in trouble names in the last lines of its log, newest first; undefined when it names none.
 * @param ended it ended after them
 * @param isOfAnother tells lines that complain of another agent: that one has the trouble
 */
export function logSymptom(
  subject: Subject,
  log: string,
  ended: boolean,
  isOfAnother: (line: string) => boolean = () => false,
): Symptom | undefined {
  const all = log.split('\n');
  const lately = recent(all);
  for (const { words, unless, past, reason, hint, last, of, lasting, graceMs = SAID_MS } of CAUSES) {
    if ((last && !ended) || (of && of !== subject.role)) continue;
    const since = past ? lately.findLastIndex((one) => past[1].test(one)) : -1;
    const line = (lasting ? all : lately).findLast((one, index) => {
      if (past && index < since && past[0].test(one)) return false;
      return words.test(one) && !unless?.test(one) && !FINE.test(one) && !isOfAnother(one);
    });
    if (line === undefined) continue;
    const what = `its log says: ${message(line)}`;
    return { reason, class: 'hopeless', graceMs, subject, what, hint, alike: 'log', explains: true };
  }
  return undefined;
}

/** Whether a line of another agent's log names the agent: by its name in the catalog, or by its address. */
export function mentions(line: string, { name, ip = '' }: { name: string; ip: string | undefined }): boolean {
  return line.includes(`Member '${name}'`) || (ip !== '' && line.includes(sender(ip)));
}

function sender(ip: string): string {
  return ip.includes(':') ? `from=[${ip}]:` : `from=${ip}:`;
}

/** What a server says of an agent that has only been hung up on, and cannot know why. */
const SAID_OF_OTHERS =
  /Non-TLS connection attempted with VerifyIncoming set|tls: client didn't provide a certificate/;

/**
 * The cause that a server names for the trouble of another agent.
 * @param ip the address of that agent
 */
export function witnessSymptom(
  subject: Subject,
  ip: string,
  server: string,
  log: string,
): Symptom | undefined {
  const from = sender(ip);
  const line = recent(log.split('\n')).findLast((one) => one.includes(from) && SAID_OF_OTHERS.test(one));
  if (line === undefined) return undefined;
  const hint = CAUSES.find(({ reason }) => reason === 'tls')?.hint ?? '';
  const what = `the log of ${server} says of it: ${message(line)}`;
  const common = { class: 'hopeless', graceMs: SAID_MS, alike: 'log', explains: true } as const;
  return { reason: 'tls', subject, what, hint, ...common };
}

/** What an agent complained about longer ago than this, it complains about no more. */
const RECENT_MS = 30_000;

/** Those of the last while, by the clock of the log itself; lines without a time stay. */
function recent(lines: readonly string[]): string[] {
  const times = lines.map((line) => Date.parse(/^\d{4}-\S+T\S+/.exec(line)?.[0] ?? ''));
  const newest = Math.max(...times.filter((time) => !Number.isNaN(time)));
  return lines.filter((_, index) => !((times[index] ?? Number.NaN) < newest - RECENT_MS));
}

/** What Consul prints of itself before its first line: `           Node name: 'consul-server-0'`. */
const HEAD = /^\s+\w[^[]*: /;

/** The last lines, without those that tell of nothing wrong as long as there are others. */
export function tellingLines(log: string, most: number): string[] {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.filter((line) => !FINE.test(line) && !HEAD.test(line) && !isOwnQuestion(line));
  return (telling.length > 0 ? telling : lines).slice(-most);
}

function isOwnQuestion(line: string): boolean {
  const isAnswer = line.includes('remote state is not encrypted') || /agent\.server\.rpc: /.test(line);
  return isAnswer && FROM_ITSELF.test(line);
}

/** Without time, level and the marks of a list. */
function message(line: string): string {
  const text = line.replace(/^[^\sT]+T\S+ +\[\w+\] +/, '').replace(/^(==> |\s*(\| *)?(\\t)?\* )/, '');
  return oneLine(text, 300);
}
