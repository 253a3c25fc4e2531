import { Failure } from '../failure.ts';

const MAX_TEXT = 300;

export interface ConsulErrorFields {
  status: number;
  /** The body of the answer; shortened to 300 characters. */
  text: string;
  method: string;
  /** Without the query. */
  path: string;
  /** Name of the pod that answered. */
  agent: string;
}

/** An agent answered with a status that the caller did not expect. 403 is final; a missing leader is not. */
export class ConsulError extends Failure {
  readonly status: number;
  readonly text: string;
  readonly path: string;
  readonly agent: string;

  constructor(fields: ConsulErrorFields) {
    const text = shorten(fields.text);
    const denied = fields.status === 403;
    super({
      reason: denied ? 'forbidden' : 'rejected',
      what: `${fields.method} ${fields.path} answered ${fields.status}${text ? `: ${text}` : ''}`,
      where: fields.agent,
      hint: denied
        ? 'ACLs deny this request. Allow it for the token in use, or for the anonymous token if there is none.'
        : "Consul's own words are above; the agent's log has the details.",
    });
    this.name = 'ConsulError';
    this.status = fields.status;
    this.text = text;
    this.path = fields.path;
    this.agent = fields.agent;
  }

  /** No leader just now: an election, or no quorum. Worth asking again. */
  get leaderless(): boolean {
    return this.status === 500 && /no cluster leader|no known consul servers/i.test(this.text);
  }
}

/**
 * ACLs have left something out of an answer that has to be whole: what it does not show may be there all the same, so
 * that it is not known. Never a matter of time.
 */
export function cutByAcls(agent: string, path: string): Failure {
  return new Failure({
    reason: 'acl-denied',
    what: `ACLs leave something out of the answer to GET ${path}, so what is there is not known`,
    where: agent,
    hint: `Allow ${rightsFor(path)} for the token that requests without one get: the default token of that agent (\`acl.tokens.default\`), or else the anonymous token. This version takes no token.`,
  });
}

/** The rules of a policy with which such an answer is whole. */
function rightsFor(path: string): string {
  const read = (resource: string) => `\`${resource}_prefix "" { policy = "read" }\``;
  const [, , area] = path.split('/');
  if (area === 'kv') return read('key');
  if (area === 'session') return read('session');
  return `${read('node')} and ${read('service')}`;
}

/** The connection to an agent could not be opened, broke, or stayed silent for too long. */
export function unreachable(agent: string, what: string, cause?: unknown): Failure {
  return new Failure({
    reason: 'unreachable',
    what,
    where: agent,
    hint: 'The agent is starting, stopping or cut off. Look at the pod and its log.',
    cause,
  });
}

/** What servers say in the midst of an election, or while the leader goes, besides that there is none. */
const PASSING =
  /leadership lost|node is not the leader|not ready to serve consistent reads|rpc error.{0,300}(?:EOF|connection re|timeout|broken pipe)|rate limit exceeded/i;

/** An election, or an agent that cannot be reached just now: asked again, it may answer. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ConsulError) {
    return error.leaderless || ([429, 500, 503].includes(error.status) && PASSING.test(error.text));
  }
  return error instanceof Failure && error.reason === 'unreachable';
}

/** Consul answered, and the answer disproves what had to be proven. */
export function disproved(where: string, what: string, hint: string): Failure {
  return new Failure({ reason: 'rejected', what, where, hint });
}

export function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line;
}
