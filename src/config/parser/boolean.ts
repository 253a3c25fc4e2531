import * as z from 'zod';

/**
 * The booleans of YAML's core schema, which are also those of actions' own tooling.
 * https://yaml.org/spec/1.2.2/#1032-tag-resolution
 */
export const boolean: z.ZodType<boolean, string> = z
  .enum(['true', 'false', 'True', 'False', 'TRUE', 'FALSE'], 'true or false')
  .transform((word) => word.toLowerCase() === 'true');
