import { describe, expect, it } from 'vitest';
import { burdenOf, milliseconds, registrationsAt } from '../../../src/consul/registrations/at-server.ts';

const check = (ServiceID: string, Interval = '') => ({ ServiceID, Interval });

describe('what is registered at servers', () => {
  it('is not what this action has registered for a proof', () => {
    const services = { 'consul-deploy-smoke-1': {}, b: {}, a: {} };
    const checks = {
      s: check('consul-deploy-smoke-1', '1s'),
      c: check('a', '10s'),
      t: check('a'),
      n: check(''),
    };
    expect(registrationsAt('s-0', { services, checks })).toEqual({
      server: 's-0',
      services: ['a', 'b'],
      checks: [
        { id: 'c', service: 'a', intervalMs: 10_000 },
        { id: 't', service: 'a' },
        { id: 'n', service: '' },
      ],
    });
  });

  it('is nothing where no server holds anything', () => {
    expect(burdenOf([])).toBeUndefined();
    expect(burdenOf([{ server: 's-0', services: [], checks: [] }])).toBeUndefined();
  });

  it('is named, a few of many, with how often checks run and how much has to be compared', () => {
    const one = {
      server: 's-0',
      services: ['a', 'b', 'c', 'd', 'e', 'f'],
      checks: [
        { id: 'x', service: 'a', intervalMs: 10_000 },
        { id: 'y', service: 'b', intervalMs: 500 },
      ],
    };
    const two = { server: 's-1', services: [], checks: [{ id: 'disk', service: '' }] };
    expect(burdenOf([one, { server: 's-2', services: [], checks: [] }, two])).toBe(
      '6 services and 3 checks at 2 servers: service a (s-0), service b (s-0), service c (s-0), service d (s-0), service e (s-0) and 2 more; they execute 2.1 checks a second, and anti-entropy compares 9 entries with the catalog',
    );
    expect(burdenOf([two])).toBe(
      '0 services and 1 check at 1 server: check disk (s-1); anti-entropy compares 1 entry with the catalog',
    );
    const long = burdenOf([{ server: 's-0', services: ['x'.repeat(500)], checks: [] }]);
    expect(long?.length).toBeLessThan(250);
  });
});

it.each([
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['1h0m0.5s', 3_600_500],
  ['250ms', 250],
  ['', 0],
  ['soon', 0],
  ['10', 0],
])('a duration of Go: %s', (text, ms) => {
  expect(milliseconds(text)).toBe(ms);
});
