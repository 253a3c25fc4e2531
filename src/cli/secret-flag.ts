import type { Input } from '../config/inputs/input.ts';
import { INPUTS, type InputName } from '../config/inputs.ts';
import { secretsIn } from '../secret/find.ts';
import { variableOf } from './names.ts';

/** Inputs given as flags that hold a secret, which every user of the machine can read in its list of processes. */
export function secretFlags(inputs: ReadonlyMap<InputName, string>): string[] {
  return [...inputs]
    .filter(([name, value]) => holdsSecret(name, value.trim()))
    .map(
      ([name]) =>
        `${name}: given as a flag, and other users of this machine can read it there; allowed: the environment variable ${variableOf(name)}, or \`${name}\` in the file of --file`,
    );
}

/** A path to a kubeconfig is none, nor is the public key that a snapshot is encrypted for. */
function holdsSecret(name: InputName, value: string): boolean {
  const { confidential }: Input = INPUTS[name];
  if (!confidential || value === '') return false;
  if (name === 'kubeconfig') {
    const { data, success } = INPUTS.kubeconfig.parser.safeParse(value);
    return !success || data.kind === 'inline';
  }
  if (name === 'snapshot-key') {
    const { data, success } = INPUTS['snapshot-key'].parser.safeParse(value);
    return !success || data?.kind !== 'keys' || data.identities.length > 0;
  }
  const { data } = INPUTS[name].parser.safeParse(value);
  return secretsIn([value, data ?? '']).length > 0;
}
