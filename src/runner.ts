/**
 * What the runner is told apart from the report: secrets to mask, and how far main came. `@actions/core` brings
 * an HTTP client along, so it is loaded only where there is a runner to speak to.
 */
type Progress = 'started' | 'finished';
const STATE = 'main';

/** Masks secrets in the log. Outside a runner there is nobody to mask, and the command would print them. */
export async function masker(env: NodeJS.ProcessEnv): Promise<(secret: string) => void> {
  if (env.GITHUB_ACTIONS !== 'true') return () => undefined;
  const { setSecret } = await import('@actions/core');
  return (secret) => {
    if (secret !== '') setSecret(secret);
  };
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
