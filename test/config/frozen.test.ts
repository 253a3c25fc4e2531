import { expect, expectTypeOf, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { type DeepReadonly, frozen } from '../../src/config/frozen.ts';
import { render } from '../../src/manifests/render.ts';
import { deployedConfig } from '../../src/session/deployed-config.ts';
import { config } from '../session/fixture.ts';

/** Paths of the parts that can still be changed. */
function thawed(value: unknown, path = 'config'): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.isFrozen(value) ? [] : [path];
  return [...own, ...Object.entries(value).flatMap(([key, part]) => thawed(part, `${path}.${key}`))];
}

test('the type of the Config lets nobody change any part of it', () => {
  expectTypeOf<Config>().toEqualTypeOf<DeepReadonly<Config>>();
});

test('also what is within a part that is frozen already', () => {
  const value = { list: Object.freeze([{ deep: { er: 1 } }]), none: null };
  expect(thawed(value)).toEqual(['config', 'config.list.0', 'config.list.0.deep']);
  expect(thawed(frozen(value))).toEqual([]);
});

test('the Config of what was deployed is frozen, and the one that was given stays as it is', () => {
  const given = config();
  const fragment = { format: 'json', text: '{"log_level": "debug"}' } as const;
  const deployed = deployedConfig(given, render(config({ servers: 5, serverConfig: fragment }))).config;
  expect(thawed(deployed)).toEqual([]);
  expect([deployed.servers, given.servers]).toEqual([5, 3]);
  expect(() => Object.assign(deployed, { servers: 1 })).toThrow(TypeError);
});
