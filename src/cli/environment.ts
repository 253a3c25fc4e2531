import { INPUT_NAMES, type InputName } from '../config/inputs.ts';
import { nearest } from '../config/nearest.ts';
import { ENVIRONMENT_PREFIX, variableOf } from './names.ts';

/** Inputs from one place, and what was wrong there. */
export interface Source {
  inputs: Map<InputName, string>;
  mistakes: string[];
}

/**
 * What Kubernetes sets in every pod where there is a Service named consul-deploy.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const OF_SERVICE = /^CONSUL_DEPLOY_(?:SERVICE_(?:HOST|PORT)|PORT)(?:_|$)/;

/** The inputs that the environment has. A variable without a value is not given, as it is for the runner. */
export function readEnvironment(env: NodeJS.ProcessEnv): Source {
  const names = new Map(INPUT_NAMES.map((name) => [variableOf(name), name]));
  const source: Source = { inputs: new Map(), mistakes: [] };
  for (const [variable, value = ''] of Object.entries(env)) {
    if (!variable.startsWith(ENVIRONMENT_PREFIX) || OF_SERVICE.test(variable)) continue;
    const name = names.get(variable);
    if (name === undefined) source.mistakes.push(`${variable}: ${unknownVariable(variable, names)}`);
    else if (value.trim() !== '') source.inputs.set(name, value);
  }
  return source;
}

/** By what follows the prefix, which is the same in all of them. */
function unknownVariable(variable: string, names: ReadonlyMap<string, InputName>): string {
  const meant = nearest(
    variable.slice(ENVIRONMENT_PREFIX.length).toLowerCase().replaceAll('_', '-'),
    INPUT_NAMES,
  );
  const [found] = [...names].find(([, name]) => name === meant) ?? [];
  return `there is no such input; ${found ? `did you mean \`${found}\`?` : 'see `consul-deploy --help` for those there are'}`;
}

/** The environment in which the action reads its inputs: with these alone, whatever else is named so. */
export function asRunner(env: NodeJS.ProcessEnv, inputs: ReadonlyMap<InputName, string>): NodeJS.ProcessEnv {
  return Object.fromEntries([
    ...Object.entries(env).filter(([name]) => !name.startsWith('INPUT_')),
    ...[...inputs].map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  ]);
}
