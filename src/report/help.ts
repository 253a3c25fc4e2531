import type { FailureReason } from '../failure.ts';
import type { Result } from './result.ts';

/** Where the runner got the action from; https://docs.github.com/actions/reference/workflows-and-actions/variables */
interface RunnerEnvironment {
  GITHUB_SERVER_URL?: string | undefined;
  GITHUB_ACTION_REPOSITORY?: string | undefined;
  GITHUB_ACTION_REF?: string | undefined;
}

/** What the package says of itself. */
export interface Package {
  /** `owner/name` */
  repository: string;
  version: string;
}

// They become part of Markdown, so nothing that has a meaning there, and no way out of the path.
const SERVER = /^https?:\/\/[a-z0-9.-]+(?::\d+)?$/i;
const REPOSITORY = /^(?!\.)[\w.-]+\/(?!\.)[\w.-]+$/;
const REF = /^(?!\.)[\w.+-]+(?:\/(?!\.)[\w.+-]+)*$/;
const LONGEST = 200;

/** The section on this failure reason, in the version of the action that runs. */
export function helpUrl(reason: FailureReason, env: RunnerEnvironment, itself: Package): string {
  return `${source(env, itself)}/docs/troubleshooting.md#${reason}`;
}

/** The result with a link to the help on its failure. */
export function withHelp(result: Result, env: RunnerEnvironment, itself: Package): Result {
  const { failure } = result;
  return failure
    ? { ...result, failure: { ...failure, help: helpUrl(failure.reason, env, itself) } }
    : result;
}

/**
 * The runner leaves repository and ref empty for a local action, and in some composite actions
 * (https://github.com/actions/runner/issues/2473).
 */
function source(env: RunnerEnvironment, { repository, version }: Package): string {
  const server = valid(env.GITHUB_SERVER_URL?.replace(/\/$/, ''), SERVER);
  const own = valid(env.GITHUB_ACTION_REPOSITORY, REPOSITORY);
  const ref = valid(env.GITHUB_ACTION_REF, REF) ?? `v${version}`;
  return server && own ? `${server}/${own}/blob/${ref}` : `https://github.com/${repository}/blob/v${version}`;
}

function valid(text: string | undefined, pattern: RegExp): string | undefined {
  return text !== undefined && text.length <= LONGEST && pattern.test(text) ? text : undefined;
}
