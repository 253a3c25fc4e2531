import { describe, expect, test } from 'vitest';
import { toJunit } from '../../src/report/junit.ts';
import type { Result } from '../../src/report/result.ts';
import { cancelled, failure, HOSTILE, hostile, success } from './example.ts';
import { runnerCommands } from './runner.ts';
import { all, parseXml, type XmlElement } from './xml.ts';

const suite = (root: XmlElement, name: string) =>
  root.children.find(({ attributes }) => attributes.name === name);
const read = (result: Result) => parseXml(toJunit(result));

describe('the JUnit report', () => {
  test('has a suite for the verdict and one for each group that has checks', () => {
    const root = read(success());
    expect(root.name).toBe('testsuites');
    expect(root.children.map(({ name, attributes }) => [name, attributes.name])).toEqual([
      ['testsuite', 'verdict'],
      ['testsuite', 'servers'],
      ['testsuite', 'clients'],
      ['testsuite', 'quorum'],
      ['testsuite', 'smoke'],
    ]);
    for (const one of root.children) {
      expect(one.attributes.tests).toBe(String(all(one, 'testcase').length));
      expect(one.attributes.failures).toBe(String(all(one, 'failure').length));
      expect(one.attributes.skipped).toBe(String(all(one, 'skipped').length));
    }
    expect(root.attributes).toMatchObject({
      tests: String(all(root, 'testcase').length),
      failures: '0',
      skipped: String(success().checks.filter(({ status }) => status === 'skipped').length),
      time: '8.412',
    });
  });

  test('takes as long as the run, and a group as long as its longest check', () => {
    const root = read(failure());
    expect(root.attributes).toEqual({
      ...{ name: 'consul-deploy', tests: '4', failures: '3', errors: '0', skipped: '0', time: '600.000' },
    });
    const [verdict, servers] = [suite(root, 'verdict'), suite(root, 'servers')];
    expect(verdict?.attributes).toEqual({
      ...{ name: 'verdict', tests: '1', failures: '1', errors: '0', skipped: '0', time: '600.000' },
      timestamp: '2026-03-01T10:00:00.000Z',
    });
    expect(all(verdict ?? root, 'testcase')[0]?.attributes).toEqual({
      ...{ name: 'verdict', classname: 'consul-deploy.verdict', time: '600.000' },
    });
    expect(servers?.attributes).toMatchObject({ tests: '1', failures: '1', time: '598.710' });
    expect(suite(read(success()), 'quorum')?.attributes).toMatchObject({ failures: '0', time: '2.100' });
    const [check = expect.unreachable()] = success().checks;
    const open = { ...check, status: 'pending' as const };
    expect(suite(read(failure({ checks: [check, open] })), 'servers')?.attributes.failures).toBe('1');
  });

  test('has of a failure what is known, and as evidence only what there is', () => {
    const text = (result: Result) => all(read(result), 'failure')[0]?.text;
    const bare = { reason: 'image', what: 'x', details: [] } as const;
    expect(text(failure({ mode: 'render', checks: [], failure: { ...bare, details: [] } }))).toBe('What: x');
    const { failure: _, cluster: _c, ...silent } = failure({ checks: [] });
    expect(text(silent)).toBe('The cluster is left as: running what was applied; the lock is released');
    expect(all(read(silent), 'failure')[0]?.attributes.type).toBe('failure');
    const names = all(read(silent), 'property').map(({ attributes }) => attributes.name);
    expect(names.filter((name) => name?.startsWith('kubernetes'))).toEqual([]);
    expect(all(read(success()), 'property').map(({ attributes }) => attributes.name)).toEqual([
      ...[
        'mode',
        'result',
        'name',
        'namespace',
        'kubernetes-server',
        'kubernetes-context',
        'kubernetes-version',
      ],
      ...[
        'consul-version',
        'image',
        'manifest-digest',
        'changed',
        'leader',
        'voters',
        'clients-ready',
        'clients-desired',
      ],
    ]);
  });

  test('has a suite for every group that a check can have', () => {
    const groups = [
      'cluster',
      'servers',
      'clients',
      'quorum',
      'smoke',
      'drift',
      'chaos',
      'catalog',
      'data',
    ] as const;
    const [check = expect.unreachable()] = success().checks;
    const root = read(success({ checks: groups.map((group) => ({ ...check, group })) }));
    expect(root.children.slice(1).map(({ attributes }) => attributes.name)).toEqual(groups);
  });

  test('has one test case for each check, with its time in seconds', () => {
    const cases = all(read(success()), 'testcase').slice(1);
    const checks = success().checks;
    expect(cases.map(({ attributes }) => attributes)).toEqual(
      expect.arrayContaining(
        checks.map(({ title, group, durationMs }) => ({
          name: title,
          classname: `consul-deploy.${group}`,
          time: (durationMs / 1000).toFixed(3),
        })),
      ),
    );
    expect(cases).toHaveLength(checks.length);
  });

  test('tells failed, pending and skipped checks apart', () => {
    const [check] = failure().checks;
    if (!check) throw new Error('no check');
    const skipped = { ...check, title: 'DNS', status: 'skipped' as const, observed: 'smoke-dns is off' };
    const root = read(failure({ checks: [...failure().checks, skipped] }));
    const byName = (name: string) =>
      all(root, 'testcase').find(({ attributes }) => attributes.name === name)?.children[0];
    expect(byName('Servers ready')).toMatchObject({
      name: 'failure',
      attributes: {
        type: 'failed',
        message: 'expected 3 of 3, observed 2 of 3: consul-server-2 is Pending',
      },
      text: 'Expected: 3 of 3\nObserved: 2 of 3: consul-server-2 is Pending',
    });
    expect(byName('Voters')).toMatchObject({
      name: 'failure',
      attributes: { type: 'pending', message: 'expected 3, observed 2' },
    });
    expect(byName('DNS')).toMatchObject({ name: 'skipped', attributes: { message: 'smoke-dns is off' } });
    expect(byName('Clients ready')).toBeUndefined();
  });

  test('lets a check that is only a warning pass', () => {
    const [check] = success().checks;
    if (!check) throw new Error('no check');
    const root = read(success({ checks: [{ ...check, title: 'Volumes', status: 'warning' }] }));
    const found = all(root, 'testcase').find(({ attributes }) => attributes.name === 'Volumes');
    expect(found?.children).toEqual([]);
  });

  test('says in the verdict what, where, what to do and all the evidence', () => {
    const [found] = all(suite(read(failure()), 'verdict') as XmlElement, 'failure');
    expect(found?.attributes).toEqual({
      type: 'timeout',
      message: 'Consul is not proven: consul-server-2 did not become ready within 10 min',
    });
    expect(found?.text.split('\n')).toEqual([
      'What: consul-server-2 did not become ready within 10 min',
      'Where: Pod/consul-server-2',
      'What to do: Free 100m of CPU on a third node, or ask for fewer servers.',
      expect.stringMatching(/^Help: https:.*#timeout$/),
      'The cluster is left as: running what was applied; the lock is released',
      'Evidence (2 lines):',
      'FailedScheduling: 0/3 nodes are available: 1 Insufficient cpu',
      'consul-server-2: Pending',
    ]);
    expect(all(read(cancelled()), 'failure')[0]?.attributes.type).toBe('cancelled');
  });

  test('has a verdict that passed when the run did, so that a CI sees it recover; also without checks', () => {
    const root = read(success({ mode: 'render', checks: [] }));
    expect(all(root, 'testcase').map(({ attributes }) => attributes.name)).toEqual(['verdict']);
    expect(all(root, 'failure')).toEqual([]);
  });

  test('has the facts of the cluster as properties, and leaves out what is not known', () => {
    const properties = (result: Result) =>
      Object.fromEntries(
        all(read(result), 'property').map(({ attributes: { name, value } }) => [name, value]),
      );
    expect(properties(success())).toMatchObject({
      namespace: 'consul',
      'kubernetes-server': 'https://10.0.0.1:6443',
      'kubernetes-version': 'v1.36.1',
      'consul-version': '1.22.7',
      leader: 'consul-server-0',
      voters: '3',
      changed: 'true',
    });
    expect(properties(failure())).not.toHaveProperty('leader');
  });
});

describe('hostile text', () => {
  const texts: Record<string, string> = {
    ...HOSTILE,
    'end of CDATA': 'a]]>b<![CDATA[c]]>',
    markup: '<failure/> & &amp; " \' --> <?xml?> <!DOCTYPE a>',
    'control characters': Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join('x'),
    'characters that are none': '\ufffe a \uffff b \ud800',
    'keys of the builder': '#text @name __proto__',
  };
  const shape = (element: XmlElement): unknown => [element.name, ...element.children.map(shape)];

  test.each(Object.entries(texts))('is text and nothing else: %s', (_, text) => {
    const xml = toJunit(hostile(text));
    // Strict: throws on what XML 1.0 forbids.
    const root = parseXml(xml);
    expect(shape(root)).toEqual(shape(parseXml(toJunit(hostile('tame')))));
    // A later step may print the file.
    expect(runnerCommands([xml])).toEqual([]);
  });

  test('is kept as far as XML can', () => {
    const root = read(hostile('a]]>b <c> & "d" \'e\''));
    expect(all(root, 'testcase')[1]?.attributes.name).toBe('a]]>b <c> & "d" \'e\'');
    expect(all(root, 'failure')[0]?.text).toContain('What: a]]>b <c> & "d" \'e\'\n');
  });
});
