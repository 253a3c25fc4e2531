import type * as z from 'zod';
import { CLUSTER } from './inputs/cluster.ts';
import { DATA } from './inputs/data.ts';
import { ENCRYPTION } from './inputs/encryption.ts';
import type { Input } from './inputs/input.ts';
import { PROOF } from './inputs/proof.ts';
import { REPORT } from './inputs/report.ts';
import { SAFETY } from './inputs/safety.ts';
import { SHAPE } from './inputs/shape.ts';
import { WHAT_TO_DO } from './inputs/what-to-do.ts';
import { WHERE } from './inputs/where.ts';

/** Every input by its name, in the groups of the documentation, in its order. action.yml and docs/reference/inputs.md are made of it. */
export const INPUT_GROUPS = {
  'what to do': WHAT_TO_DO,
  where: WHERE,
  cluster: CLUSTER,
  shape: SHAPE,
  encryption: ENCRYPTION,
  data: DATA,
  safety: SAFETY,
  proof: PROOF,
  report: REPORT,
} as const satisfies Record<string, Record<string, Input>>;

/** Every input by its name. */
export const INPUTS = {
  ...WHAT_TO_DO,
  ...WHERE,
  ...CLUSTER,
  ...SHAPE,
  ...ENCRYPTION,
  ...DATA,
  ...SAFETY,
  ...PROOF,
  ...REPORT,
} as const satisfies Record<string, Input>;

export type InputName = keyof typeof INPUTS;

/** The parsed value of every input. */
export type InputValues = { [Name in InputName]: z.output<(typeof INPUTS)[Name]['parser']> };

export const INPUT_NAMES = Object.keys(INPUTS) as InputName[];
