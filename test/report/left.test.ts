import { describe, expect, test } from 'vitest';
import { leftSentence } from '../../src/report/left.ts';
import type { Left } from '../../src/report/result/left.ts';

type Told<Is extends Left['is']> = readonly (readonly [Left & { is: Is }, string])[];

const before = '/tmp/consul.snap.age';

/** Every way in which a cluster may be left. */
const SENTENCES: { readonly [Is in Left['is']]: Told<Is> } = {
  untouched: [[{ is: 'untouched' }, 'Nothing was changed.']],
  'no-cluster': [[{ is: 'no-cluster' }, 'No cluster was touched.']],
  recorded: [[{ is: 'recorded' }, 'Nothing was changed; the record has one run more.']],
  'namespace-made': [
    [{ is: 'namespace-made', namespace: 'mesh' }, 'The namespace mesh was created; nothing is in it yet.'],
  ],
  'record-begun': [[{ is: 'record-begun' }, 'Nothing was applied; the record says that a deploy has begun.']],
  applying: [[{ is: 'applying' }, 'What was applied so far stays; the next run continues from there.']],
  recreating: [
    [
      { is: 'recreating', object: 'StatefulSet/consul-server' },
      'StatefulSet/consul-server was removed, and its pods run on without it. Run again: the next run recreates it around them. Until then nothing replaces a pod that ends.',
    ],
  ],
  leaving: [
    [
      { is: 'leaving', server: 'consul-server-2' },
      'consul-server-2 was told to leave the cluster, and its pod is still there. Run again: the next run goes on from there.',
    ],
  ],
  replacing: [
    [
      { is: 'replacing', role: 'client', done: 2, of: 10 },
      '2 of 10 clients were replaced; the others run as before. Run again: the next run goes on from there.',
    ],
  ],
  adopting: [
    [
      { is: 'adopting', role: 'server', done: 1, of: 3 },
      '1 of 3 servers were moved to their new shape; the others run as before. Run again: the next run goes on from there.',
    ],
  ],
  restarting: [
    [
      { is: 'restarting', role: 'server', done: 1, of: 3 },
      '1 of 3 servers run with the new configuration; the others run as before. Run again: the next run goes on from there.',
    ],
    [
      { is: 'restarting', role: 'client', done: 0, of: 1 },
      '0 of 1 client run with the new configuration; the others run as before. Run again: the next run goes on from there.',
    ],
  ],
  'changing-image': [
    [
      { is: 'changing-image', role: 'server', done: 1, of: 3 },
      '1 of 3 servers run with the new image; the others run as before. Run again: the next run goes on from there.',
    ],
  ],
  'unread-config': [
    [
      { is: 'unread-config', configMap: 'consul-client-config', pod: 'consul-client-0' },
      'ConfigMap/consul-client-config has the new configuration; consul-client-0 and perhaps others run with the one before.',
    ],
  ],
  'reload-denied': [
    [
      { is: 'reload-denied', configMap: 'consul-client-config' },
      'ConfigMap/consul-client-config has the new configuration; agents that have not read it run with the one before until they start again.',
    ],
  ],
  'refused-config': [
    [
      { is: 'refused-config', configMap: 'consul-server-config', pod: 'consul-server-0' },
      'ConfigMap/consul-server-config has a configuration that agents refuse. They run with the one before, consul-server-0 perhaps with a part of the new one. One that starts now may not get up.',
    ],
  ],
  encrypting: [
    [
      { is: 'encrypting', what: 'gossip', isWanted: true },
      'Gossip is on its way to encryption, and every agent understands the others. Run again: the next run goes on from there.',
    ],
    [
      { is: 'encrypting', what: 'gossip', isWanted: false },
      'Gossip is on its way to plaintext, and every agent understands the others. Run again: the next run goes on from there.',
    ],
    [
      { is: 'encrypting', what: 'rpc', isWanted: true },
      'RPC is on its way to TLS, and every agent understands the others. Run again: the next run goes on from there.',
    ],
    [
      { is: 'encrypting', what: 'rpc', isWanted: false },
      'RPC is on its way to plaintext, and every agent understands the others. Run again: the next run goes on from there.',
    ],
  ],
  'rotating-key': [
    [
      { is: 'rotating-key' },
      'The key of gossip is on its way to the next one, and every agent understands the others. Run again: the next run goes on from there.',
    ],
  ],
  'replacing-certificates': [
    [
      { is: 'replacing-certificates' },
      'The certificates are on their way to new ones, and every agent trusts the others. Run again: the next run goes on from there.',
    ],
  ],
  deployed: [
    [{ is: 'deployed', changed: true }, 'The cluster runs what was rendered.'],
    [
      { is: 'deployed', changed: false },
      'The cluster already ran what is rendered; nothing was written but the lock and the record.',
    ],
  ],
  'not-pruned': [
    [
      { is: 'not-pruned' },
      'The cluster runs what was rendered; not all that is no longer rendered could be removed.',
    ],
  ],
  'data-lost': [
    [
      { is: 'data-lost' },
      'The cluster runs what was rendered, and works; its servers have lost what they held.',
    ],
  ],
  'registrations-lost': [
    [
      { is: 'registrations-lost' },
      'The cluster runs what was rendered, and works; what is named is no longer registered.',
    ],
  ],
  'moving-registrations': [
    [
      { is: 'moving-registrations' },
      'The cluster runs what was rendered. Services were being moved from servers to clients; some may be at both, which does no harm. Run again.',
    ],
  ],
  'moved-registrations': [
    [
      { is: 'moved-registrations', services: 1 },
      'The cluster runs what was rendered; 1 service moved from servers to clients.',
    ],
    [
      { is: 'moved-registrations', services: 12 },
      'The cluster runs what was rendered; 12 services moved from servers to clients.',
    ],
  ],
  fault: [
    [
      { is: 'fault', pod: 'consul-server-0' },
      'consul-server-0 was deleted on purpose; its controller recreates it, with no help of this action.',
    ],
  ],
  healed: [
    [
      { is: 'healed', pods: ['consul-server-0'], isRecorded: true },
      'consul-server-0 was deleted on purpose, and healed by itself. Nothing else was changed; the record has one run more.',
    ],
    [
      { is: 'healed', pods: ['consul-server-0', 'consul-server-1', 'consul-client-1'], isRecorded: false },
      'consul-server-0, consul-server-1 and consul-client-1 were deleted on purpose, and healed by themselves. Nothing else was changed.',
    ],
  ],
  sweeping: [[{ is: 'sweeping' }, 'What was removed so far is gone; run again for the rest.']],
  swept: [
    [
      { is: 'swept', removed: '1 unheld, 2 synthetic' },
      'Removed from the catalog: 1 unheld, 2 synthetic; the rest of it is as it was.',
    ],
    [{ is: 'swept', removed: '' }, 'Removed from the catalog: nothing; the rest of it is as it was.'],
  ],
  'restore-sent': [
    [
      { is: 'restore-sent', before },
      `The restore was sent and its end was not seen: Consul holds either what it held before, or what the snapshot holds. Run it again; what it held before is in ${before}.`,
    ],
  ],
  'restored-unproven': [
    [
      { is: 'restored-unproven', before },
      `Consul holds what the snapshot holds, which is not proven yet. What it held before is in ${before}.`,
    ],
  ],
  restored: [
    [
      { is: 'restored', before },
      `Consul holds what the snapshot holds. What it held before is in ${before}.`,
    ],
  ],
  'quorum-lost': [
    [
      { is: 'quorum-lost', servers: ['consul-server-0', 'consul-server-1'], before },
      `There is no quorum. consul-server-0, consul-server-1 may have the file raft/peers.json, with which an agent takes the votes of the lost servers away when it starts again. Run it again; what there was before is in ${before}.`,
    ],
  ],
  'quorum-rebuilt': [
    [
      { is: 'quorum-rebuilt', servers: ['consul-server-0'], before },
      `consul-server-0 is the quorum now; the others join as new servers, which is not proven yet. What there was before is in ${before}.`,
    ],
    [
      { is: 'quorum-rebuilt', servers: ['consul-server-0', 'consul-server-1'], before },
      `consul-server-0, consul-server-1 are the quorum now; the others join as new servers, which is not proven yet. What there was before is in ${before}.`,
    ],
  ],
  'quorum-whole': [
    [
      { is: 'quorum-whole', before },
      `The quorum is whole again, with all that the survivor had. What that was is in ${before}, too.`,
    ],
  ],
  'quorum-never-lost': [
    [
      { is: 'quorum-never-lost', leader: 'consul-server-1' },
      'The quorum was not lost: the servers follow consul-server-1. Nothing was restored.',
    ],
  ],
  'starting-empty': [
    [
      { is: 'starting-empty' },
      'All servers have lost their data, and form an empty cluster. Run it again to restore into that.',
    ],
  ],
  rehearsing: [
    [
      { is: 'rehearsing', namespace: 'mesh-rehearsal' },
      'Consul is as it was. The namespace mesh-rehearsal may still be there, with a copy of what the snapshot holds: kubectl delete namespace mesh-rehearsal',
    ],
  ],
  'rehearsal-ended': [
    [
      { is: 'rehearsal-ended', namespace: 'mesh-rehearsal' },
      'Consul is as it was. The namespace mesh-rehearsal of the rehearsal was asked to go.',
    ],
  ],
  rehearsed: [
    [
      { is: 'rehearsed', namespace: 'mesh-rehearsal' },
      'Consul is as it was, and the namespace mesh-rehearsal of the rehearsal is gone.',
    ],
  ],
  removing: [[{ is: 'removing' }, 'What was removed so far is gone; the next run goes on from there.']],
  'never-deployed': [
    [
      { is: 'never-deployed', name: 'consul', namespace: 'mesh' },
      'There is nothing: no deployment "consul" is recorded in the namespace mesh.',
    ],
  ],
  removed: [
    [
      { is: 'removed', name: 'consul', namespace: 'mesh', isNamespaceGone: true, kept: [], keys: [] },
      'What was deployed as "consul" is gone, and its namespace with it.',
    ],
    [
      {
        is: 'removed',
        name: 'consul',
        namespace: 'mesh',
        isNamespaceGone: false,
        kept: [
          { kind: 'PersistentVolumeClaim', name: 'data-consul-server-0' },
          { kind: 'Secret', name: 'consul-gossip' },
          { kind: 'Secret', name: 'of-others' },
        ],
        keys: ['consul-gossip'],
      },
      'What was deployed as "consul" is gone; the namespace mesh stays. Kept: PersistentVolumeClaim/data-consul-server-0, Secret/consul-gossip, Secret/of-others. A later deploy finds its data in the claims; they go with kubectl -n mesh delete pvc data-consul-server-0. A later deploy uses the keys in the Secrets again; they go after the claims, with kubectl -n mesh delete secret consul-gossip.',
    ],
    [
      {
        is: 'removed',
        name: 'consul',
        namespace: 'mesh',
        isNamespaceGone: false,
        kept: [{ kind: 'Secret', name: 'consul-ca' }],
        keys: ['consul-ca'],
      },
      'What was deployed as "consul" is gone; the namespace mesh stays. Kept: Secret/consul-ca. A later deploy uses the keys in the Secrets again; they go with kubectl -n mesh delete secret consul-ca.',
    ],
  ],
};

describe.each(Object.entries(SENTENCES))('%s', (_, told) => {
  test.each<readonly [Left, string]>(told)('%o', (left, sentence) => {
    expect(leftSentence(left)).toBe(sentence);
  });
});
