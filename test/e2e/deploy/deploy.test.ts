import { afterAll, describe, expect, it } from 'vitest';
import { keys, members, raftViews, services } from '../consul/consul.ts';
import {
  isReady,
  namespaceName,
  pods,
  removeNamespace,
  serviceAddresses,
  versions,
} from '../kubernetes/cluster.ts';
import { deploy, type Outcome } from '../run/action.ts';

describe('a first deploy, and the same again', () => {
  const namespace = namespaceName('first');
  let first: Outcome;
  afterAll(() => removeNamespace(namespace));

  it('brings up three voters and ten clients, and says so', async () => {
    first = await deploy({ namespace, 'report-html': 'report.html' });
    expect(first.code, first.log).toBe(0);
    expect(first.outputs).toMatchObject({
      result: 'success',
      'failure-reason': '',
      changed: 'true',
      voters: '3',
      'clients-ready': '10',
      'clients-desired': '10',
      'consul-version': '1.22.7',
    });
    expect(first.report?.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(first.summary).toContain('Consul works: 3 voters, 10 clients');
    expect(first.read('report.html')).toMatch(
      /<h1>Consul works: 3 voters, 10 clients, proven in [^<]+<\/h1>/,
    );
    // Who votes, and where, as the watches and the servers have told.
    expect(first.report?.topology?.servers.map(({ state, raft }) => [state, raft]).sort()).toEqual([
      ['ready', 'leader'],
      ['ready', 'voter'],
      ['ready', 'voter'],
    ]);
    expect(first.report?.history).toHaveLength(1);
  });

  it('has told the truth, by what each server itself and kubectl say', async () => {
    const all = await pods(namespace);
    expect(all.filter(isReady)).toHaveLength(13);
    const views = await raftViews(namespace);
    const addresses = [...(await serviceAddresses(namespace))]
      .filter(([name]) => /^consul-server-\d$/.test(name))
      .map(([, address]) => `${address}:8300`)
      .sort();
    for (const { servers } of views) {
      expect(servers.map(({ Address }) => Address).sort()).toEqual(addresses);
      expect(servers.every(({ Voter }) => Voter)).toBe(true);
    }
    const leaders = new Set(views.map(({ servers }) => servers.find(({ Leader }) => Leader)?.Node));
    expect([...leaders]).toEqual([first.outputs.leader]);
    const alive = (await members(views[0]?.ip ?? '')).filter(({ Status }) => Status === 1);
    expect(alive).toHaveLength(13);
  });

  it('has left no key and no service of its own behind', async () => {
    const [server] = await pods(namespace, 'server');
    expect(await keys(server?.status.podIP ?? '', 'consul-deploy/')).toEqual([]);
    expect(await services(server?.status.podIP ?? '')).toEqual(['consul']);
  });

  it('writes nothing when nothing has changed', async () => {
    const before = await versions(namespace);
    const uids = (await pods(namespace)).map(({ metadata }) => metadata.uid).sort();
    const again = await deploy({ namespace });
    expect(again.code, again.log).toBe(0);
    expect(again.outputs).toMatchObject({
      result: 'success',
      changed: 'false',
      'manifest-digest': first.outputs['manifest-digest'],
    });
    expect(again.report?.objects.map(({ action }) => action)).not.toContain('changed');
    const after = await versions(namespace);
    // Controllers write status; what we own is covered by the generation and the uids of the pods.
    for (const kind of ['ConfigMap', 'Service', 'ServiceAccount']) {
      const own = (all: Record<string, string>) =>
        Object.entries(all).filter(([name]) => name.startsWith(`${kind}/`));
      expect(own(after)).toEqual(own(before));
    }
    expect((await pods(namespace)).map(({ metadata }) => metadata.uid).sort()).toEqual(uids);
  });
});
