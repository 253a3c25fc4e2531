import { expect, test } from 'vitest';
import { registrationOf } from '../../../src/consul/snapshot/registration.ts';

const bytes = (text: string) => Buffer.from(text);

function service(fields: object, rest: object = {}) {
  return registrationOf({
    Node: bytes('node-1'),
    Service: { Service: bytes('web'), ID: bytes('web-1'), ...fields },
    ...rest,
  });
}

test('a service has its name, its node and its id', () => {
  expect(service({})).toMatchObject({ service: 'web', node: 'node-1', id: 'web-1' });
  expect(service({})).not.toHaveProperty('version');
});

test('when something was changed is no part of it: the same that was registered again does not differ', () => {
  const at = (index: number) => ({ CreateIndex: index, ModifyIndex: index });
  expect(service({ Port: 80, ...at(1) }, at(1))).toEqual(service({ Port: 80, ...at(2) }, at(2)));
  expect(service({ Port: 80 })).not.toEqual(service({ Port: 81 }));
  const node = (address: string, index: number) =>
    registrationOf({ Node: bytes('node-1'), Address: bytes(address), Service: null, ...at(index) });
  expect(node('10.0.0.1', 1)).toEqual(node('10.0.0.1', 2));
  expect(node('10.0.0.1', 1)).not.toEqual(node('10.0.0.2', 1));
});

test('servers tell their version, and nobody else', () => {
  const Meta = { version: bytes('1.22.7') };
  expect(service({ Service: bytes('consul'), Meta })).toMatchObject({ version: '1.22.7' });
  expect(service({ Meta })).not.toHaveProperty('version');
});

test('what a peer exports is not taken for our own', () => {
  const peer = { PeerName: bytes('east') };
  expect(service(peer, peer)).toMatchObject({ service: 'web of peer east', node: 'node-1 of peer east' });
});

test('a check is nothing that is told', () => {
  expect(registrationOf({ Node: bytes('node-1'), Check: { CheckID: bytes('serfHealth') } })).toBeUndefined();
});
