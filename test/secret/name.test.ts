import { expect, test } from 'vitest';
import { leadsToSecret } from '../../src/secret/name.ts';

test.each([
  ['.stringData.password', true],
  ['.data.tls_key', true],
  ['.spec.template.spec.containers[name="consul"].env[name="DB_PASS"].value', true],
  ['.spec.template.spec.imagePullSecrets', true],
  ['.spec.template.spec.containers[name="consul"].env[name="BYPASSES"].value', false],
  ['.metadata.annotations.monkey', false],
  ['.spec.replicas', false],
])('%s leads to a secret: %s', (path, leads) => {
  expect(leadsToSecret(path)).toBe(leads);
});
