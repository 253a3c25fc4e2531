import type { Config } from './config/config.ts';
import { inputSecrets } from './config/secret.ts';

/**
 * What the runner is told apart from the report: secrets to mask, how far main came, and which lock is its own. `@actions/core` brings
 * an HTTP client along, so it is loaded only where there is a runner to speak to.
 */
type Progress = 'started' | 'finished';
const STATE = 'main';
const LOCK_STATE = 'lock';

/**
 * Masks secrets in what the runner prints, of later steps too. Outside a runner there is nobody to mask, and the
 * command would print them.
 */
export async function masker(env: NodeJS.ProcessEnv): Promise<(secret: string) => void> {
  if (env.GITHUB_ACTIONS !== 'true') return () => undefined;
  const { setSecret } = await import('@actions/core');
  return (secret) => {
    if (secret !== '') setSecret(secret);
  };
}

/**
 * The secrets among the inputs. A kubeconfig given as such is one; a path is not, and masked it would blot out
 * that word everywhere.
 */
export function maskInputs(config: Config, env: NodeJS.ProcessEnv, mask: (secret: string) => void): void {
  if (config.kubeconfig.kind === 'inline') mask(env.INPUT_KUBECONFIG?.trim() ?? '');
  for (const secret of inputSecrets(config)) mask(secret);
}

/** Kept by the runner for the post step. */
export async function saveProgress(env: NodeJS.ProcessEnv, progress: Progress): Promise<void> {
  if (!env.GITHUB_STATE) return;
  const { saveState } = await import('@actions/core');
  saveState(STATE, progress);
}

/** Undefined in the main step itself: the runner gives state only to the post step. */
export function savedProgress(env: NodeJS.ProcessEnv): Progress | undefined {
  const saved = env[`STATE_${STATE}`];
  return saved === 'started' || saved === 'finished' ? saved : undefined;
}

/** What tells the lock of this process from that of any other, for the post step. */
export async function saveLock(env: NodeJS.ProcessEnv, id: string): Promise<void> {
  if (!env.GITHUB_STATE) return;
  const { saveState } = await import('@actions/core');
  saveState(LOCK_STATE, id);
}

/** Undefined where main did not come to its lock. */
export function savedLock(env: NodeJS.ProcessEnv): string | undefined {
  const saved = env[`STATE_${LOCK_STATE}`] ?? '';
  return /^[0-9a-f]{8}$/.test(saved) ? saved : undefined;
}
