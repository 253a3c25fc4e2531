import { stringify } from 'yaml';
import type { Input } from '../src/config/inputs/input.ts';
import { INPUTS } from '../src/config/inputs.ts';
import { inputType } from './input-type.ts';
import type { Action } from './tables.ts';

/** https://github.com/typesafegithub/github-actions-typing#available-types */
export type Typing =
  | { type: 'string' | 'boolean' | 'integer' }
  | { type: 'enum'; 'allowed-values': string[] }
  | { type: 'list'; separator: string; 'list-item': Typing };

const HEAD = `# Types of the inputs and outputs of action.yml, for tools that read workflows. Written by \`node script/tables.ts\`.
# https://github.com/typesafegithub/github-actions-typing
`;

/** Of outputs that are no text; one that is not known is empty. */
const OUTPUTS: Record<string, Typing> = {
  result: { type: 'enum', 'allowed-values': ['success', 'failure', 'cancelled'] },
  changed: { type: 'boolean' },
  voters: { type: 'integer' },
  'clients-ready': { type: 'integer' },
  'clients-desired': { type: 'integer' },
  'snapshot-index': { type: 'integer' },
  'duration-ms': { type: 'integer' },
};

/** The text of action-types.yml. */
export function actionTypes(action: Action): string {
  const inputs = Object.entries<Input>(INPUTS).map(([name, input]) => [name, typingOf(input)]);
  const outputs = Object.keys(action.outputs).map((name) => [name, OUTPUTS[name] ?? { type: 'string' }]);
  const types = { inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) };
  return HEAD + stringify(types, { aliasDuplicateObjects: false, blockQuote: false, lineWidth: 0 });
}

function typingOf(input: Input): Typing {
  const type = inputType(input);
  switch (type.kind) {
    case 'boolean':
    case 'integer':
      return { type: type.kind };
    case 'enum':
      return { type: 'enum', 'allowed-values': type.words };
    case 'list': {
      const item: Typing = type.words ? { type: 'enum', 'allowed-values': type.words } : { type: 'string' };
      return { type: 'list', separator: '\n', 'list-item': item };
    }
    default:
      return { type: 'string' };
  }
}
