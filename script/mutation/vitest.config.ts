import { defineConfig } from 'vitest/config';
import { testsOf } from './tests.ts';

const room = process.env.MUTATION_ROOM;
if (room === undefined) throw new Error('MUTATION_ROOM is not set: run this as npm run mutation');

export default defineConfig({ test: { include: testsOf(room), testTimeout: 30_000 } });
