import { expect, test } from 'vitest';
import { versionOf } from '../../src/modes/prove.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;

test.each([
  ['hashicorp/consul:1.22.7', '1.22.7'],
  ['hashicorp/consul:v1.22.7', '1.22.7'],
  [`hashicorp/consul:1.22.7@${DIGEST}`, '1.22.7'],
  ['hashicorp/consul-enterprise:1.22.7-ent', '1.22.7'],
  [`docker.io/hashicorp/consul-enterprise:1.22.7-ent-ubi@${DIGEST}`, '1.22.7'],
  ['registry.example:5000/hashicorp/consul:1.20.0', '1.20.0'],
  ['hashicorp/consul:1.23.0-rc1', '1.23.0'],
  ['hashicorp/consul:1.22', undefined],
  ['hashicorp/consul:latest', undefined],
  ['hashicorp/consul:1.22.7x', undefined],
  ['hashicorp/consul', undefined],
  [`hashicorp/consul@${DIGEST}`, undefined],
  ['registry.example:5000/consul', undefined],
  ['registry.example:1.22.7/consul', undefined],
])('the version of %s is %s', (image, version) => {
  expect(versionOf(image)).toBe(version);
});
