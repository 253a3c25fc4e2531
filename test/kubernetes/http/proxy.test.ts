import { expect, test } from 'vitest';
import { environmentProxy } from '../../../src/kubernetes/http/proxy.ts';

const HTTPS_PROXY = 'http://proxy:3128';

test.each([
  ['https://api:6443', { HTTPS_PROXY }, HTTPS_PROXY],
  ['https://api:6443', { https_proxy: 'http://lower:1', HTTPS_PROXY }, 'http://lower:1'],
  ['https://api:6443', { HTTPS_PROXY: 'proxy:3128' }, HTTPS_PROXY],
  ['https://api:6443', { HTTP_PROXY: HTTPS_PROXY }, undefined],
  ['http://api:8080', { HTTP_PROXY: HTTPS_PROXY }, HTTPS_PROXY],
  ['https://api:6443', {}, undefined],
  ['https://api:6443', { HTTPS_PROXY: '' }, undefined],
  ['https://api:6443', { https_proxy: '', HTTPS_PROXY }, HTTPS_PROXY],
  ['http://api:8080', { http_proxy: '', HTTP_PROXY: HTTPS_PROXY }, HTTPS_PROXY],
  ['https://api:6443', { HTTPS_PROXY, no_proxy: '', NO_PROXY: 'api' }, undefined],
])('%s with %j goes through %s', (url, env, expected) => {
  expect(environmentProxy(url, env)).toBe(expected);
});

test.each([
  ['https://api.example.com', 'example.com', true],
  ['https://api.example.com', '.example.com', true],
  ['https://api.example.com', '*.example.com', true],
  ['https://example.com', '*.example.com', false],
  ['https://example.com', 'EXAMPLE.com', true],
  ['https://notexample.com', 'example.com', false],
  ['https://api.example.com', 'other, api.example.com', true],
  ['https://api:6443', 'api:6443', true],
  ['https://api:6443', 'api:443', false],
  ['https://api', 'api:443', true],
  ['https://10.1.2.3:6443', '10.0.0.0/8', true],
  ['https://11.1.2.3:6443', '10.0.0.0/8', false],
  ['https://10.1.2.3:6443', '10.1.2.3', true],
  ['https://10.1.2.3:6443', '2.3', false],
  ['https://10.1.2.3:6443', '10.0.0.0/99', false],
  ['https://[fd00::1]:6443', 'fd00::/8', true],
  ['https://[fd00::1]:6443', 'fd00::1', true],
  ['https://[fd00::1]:6443', '[fd00::1]:6443', true],
  ['https://[fd00::1]:6443', '10.0.0.0/8', false],
  ['https://anything', '*', true],
])('%s with NO_PROXY=%s is direct: %s', (url, NO_PROXY, direct) => {
  expect(environmentProxy(url, { HTTPS_PROXY, NO_PROXY })).toBe(direct ? undefined : HTTPS_PROXY);
});

test.each([
  ['https://localhost:6443', true],
  ['https://LOCALHOST:6443', true],
  ['https://127.0.0.1:6443', true],
  ['https://127.9.9.9', true],
  ['https://[::1]:6443', true],
  ['https://[::ffff:127.0.0.1]:6443', true],
  ['https://localhost.example.com', false],
  ['https://kubernetes.localhost', false],
  ['https://128.0.0.1', false],
  ['https://[::2]', false],
])('%s is this machine, which needs no proxy: %s', (url, direct) => {
  expect(environmentProxy(url, { HTTPS_PROXY, HTTP_PROXY: HTTPS_PROXY })).toBe(
    direct ? undefined : HTTPS_PROXY,
  );
});
