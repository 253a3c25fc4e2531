import { expect, test } from 'vitest';
import { clientLeafNames, serverLeafNames } from '../../../src/steps/encryption/leaf-names.ts';
import { config } from '../../session/fixture.ts';

const json = (text: string) => ({ format: 'json', text }) as const;

test.each([
  [{}, ['server.dc1.consul']],
  [{ domain: 'corp.example' }, ['server.dc1.corp.example']],
  [{ clientConfig: json('{"domain": "elsewhere."}') }, ['server.dc1.consul', 'server.dc1.elsewhere']],
  [
    { serverConfig: { format: 'hcl', text: 'domain = "a"\nalt_domain = "b"' } as const },
    ['server.dc1.consul', 'server.dc1.a'],
  ],
  [
    {
      serverConfig: { format: 'hcl', text: '# domain = "old"\nnode_meta { domain = "rack-1" }' } as const,
      clientConfig: json('{"service": {"name": "web", "meta": {"domain": "shop"}}, "domain": "not a name"}'),
    },
    ['server.dc1.consul'],
  ],
])('with %j servers carry every name that agents ask for', (change, names) => {
  const found = serverLeafNames(config(change)).dns.filter((name) => name.startsWith('server.'));
  expect(found).toEqual(names);
});

test('names of before are kept, each once', () => {
  const { dns } = serverLeafNames(config({ domain: 'new' }), ['server.dc1.consul', 'server.dc1.new']);
  expect(dns.slice(0, 3)).toEqual(['server.dc1.new', 'server.dc1.consul', 'localhost']);
});

test('a client carries no name of a server', () => {
  const { dns } = clientLeafNames(config({ clientConfig: json('{"domain":"elsewhere"}') }));
  expect(dns.filter((name) => name.startsWith('server.'))).toEqual([]);
});
