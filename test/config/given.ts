import { parseConfig } from '../../src/config/parse.ts';
import { Failure } from '../../src/failure.ts';

/** The environment the runner makes of `with:`. */
export function given(inputs: Record<string, string>): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
}

/** The lines of the Failure that these inputs lead to; empty where they are accepted. */
export function mistakes(inputs: Record<string, string>, env: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    parseConfig({ ...env, ...given(inputs) });
    return [];
  } catch (error) {
    if (!(error instanceof Failure) || error.reason !== 'invalid-input') throw error;
    return error.details;
  }
}
