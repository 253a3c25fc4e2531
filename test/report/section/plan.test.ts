import { describe, expect, test } from 'vitest';
import { consoleReport } from '../../../src/report/console.ts';
import { toHtml } from '../../../src/report/html/page.ts';
import type { PlannedChange } from '../../../src/report/result/change.ts';
import type { Result } from '../../../src/report/result.ts';
import { encryptionLine, planHeadline, planLines } from '../../../src/report/section/plan-line.ts';
import { summary } from '../../../src/report/summary.ts';
import { verdict } from '../../../src/report/verdict.ts';
import { failure, HOSTILE, hostile, planned, success } from '../example.ts';

const { plan = [] } = planned();
const UNCHANGED = plan.filter(({ consequence }) => consequence === 'none');

function rolls(name: string, podCount: number): PlannedChange {
  return { kind: 'StatefulSet', name, consequence: 'rolls-pods', fields: [], podCount, notes: [] };
}

describe('the headline of a plan', () => {
  test.each<[string, PlannedChange[], string]>([
    ['nothing', UNCHANGED, 'nothing to change'],
    ['nothing at all', [], 'nothing to change'],
    [
      'everything',
      plan,
      '8 changes: loses data of PersistentVolumeClaim/old, deletes 1 object, recreates 1 object, rolls 3 server pods and 2 client pods and 4 other pods, creates 1 object',
    ],
    ['one server', [rolls('consul-server', 1)], '1 change: rolls 1 server pod'],
    [
      'agents that only read or start again, and other pods',
      [
        ...['a', 'b'].map((name) => ({ ...rolls(name, 0), consequence: 'restarts' as const })),
        { ...rolls('c', 0), consequence: 'reloads' },
        rolls('d', 1),
      ],
      '4 changes: rolls 1 other pod, restarts agents for 2 objects, reloads 1 object',
    ],
    [
      'data of two claims',
      ['a', 'b'].map((name) => ({ ...rolls(name, 0), kind: 'Claim', consequence: 'data-loss' as const })),
      '2 changes: loses data of Claim/a, Claim/b',
    ],
    ['no pod that is known', [{ ...rolls('a', 0), consequence: 'recreate' }], '1 change: recreates 1 object'],
    ['only fields', plan.filter(({ consequence }) => consequence === 'metadata'), '1 change'],
  ])('of %s', (_, changes, headline) =>
    expect(planHeadline({ plan: changes, name: 'consul' })).toBe(headline),
  );

  test('has what a deploy does to encryption, which no object shows', () => {
    const encryptionSteps = ['gossip: off → strict', 'TLS: off → enforced'];
    const headline = (changes: PlannedChange[]) =>
      planHeadline({ plan: changes, name: 'consul', encryptionSteps });
    expect(headline(UNCHANGED)).toBe('gossip: off → strict, TLS: off → enforced');
    expect(headline([rolls('consul-server', 1)])).toBe(
      '1 change: rolls 1 server pod, gossip: off → strict, TLS: off → enforced',
    );
  });

  test('leaves whether a snapshot is taken to a line of its own', () => {
    const plannedSnapshot =
      'No snapshot is taken first although data may be lost: the input snapshot is never.';
    for (const shown of [summary, toHtml]) {
      expect(shown(planned())).not.toContain('No snapshot is taken');
      expect(shown(planned({ plannedSnapshot }))).toContain(
        'No snapshot is taken first although data may be lost',
      );
    }
  });

  test('is the verdict of the run', () => {
    expect(verdict(planned({ plan: UNCHANGED })).headline).toBe('Plan: nothing to change');
    expect(verdict(planned()).headline).toMatch(/^Plan: 8 changes: /);
    expect(verdict(failure({ mode: 'plan' })).headline).toMatch(/^There is no plan: /);
  });
});

test('a line for each object that changes, the gravest first', () => {
  expect(planLines(plan)).toEqual([
    'data loss: PersistentVolumeClaim/old (the volume and what is on it go with it)',
    'delete: Service/old',
    'recreate: StatefulSet/consul-server (3 pods; one server at a time, the last ordinal first, each only while Raft can do without it)',
    'rolls pods: StatefulSet/consul-client (2 pods; .spec.template.spec.containers[name="consul"].image .spec.minReadySeconds; by the controller, the last ordinal first, 1 at a time)',
    'rolls pods: DaemonSet/agents (4 pods)',
    'create: ConfigMap/new',
    'in place: ConfigMap/consul-client-config (.data.10-agent.json; read by the pods of StatefulSet/consul-client)',
    'metadata: ServiceAccount/consul-client (.metadata.labels.team)',
  ]);
  expect(consoleReport(planned()).join('\n')).toContain('data loss: PersistentVolumeClaim/old');
});

test.each([
  [0, 'in place: A/b'],
  [3, 'in place: A/b (.f0 .f1 .f2)'],
  [4, 'in place: A/b (.f0 .f1 .f2; and 1 more field)'],
  [6, 'in place: A/b (.f0 .f1 .f2; and 3 more fields)'],
])('a line for a change of %i fields names three of them, each once', (count, line) => {
  const fields = Array.from({ length: count }, (_, index) => ({ path: `.f${index}` }));
  const change = { kind: 'A', name: 'b', consequence: 'in-place' as const, notes: [] };
  expect(planLines([{ ...change, fields: fields.flatMap((field) => [field, field]) }])).toEqual([line]);
  expect(planLines([{ ...change, fields: [], podCount: 1 }])).toEqual(['in place: A/b (1 pod)']);
});

test.each<[Parameters<typeof encryptionLine>[0], string]>([
  [{ is: 'way', what: 'gossip', from: 'off', to: 'strict' }, 'gossip: off → strict'],
  [{ is: 'way', what: 'rpc', from: 'off', to: 'enforced' }, 'TLS: off → enforced'],
  [{ is: 'key-into-secret' }, 'gossip: the key of the agents into its Secret'],
  [{ is: 'another-key' }, 'gossip: another key'],
  [{ is: 'another-authority' }, 'TLS: another authority'],
])('a step of encryption in words: %j', (step, line) => expect(encryptionLine(step)).toBe(line));

describe('the summary', () => {
  test('of a plan', () => expect(summary(planned())).toMatchSnapshot());
  test('of a plan without a change', () => expect(summary(planned({ plan: UNCHANGED }))).toMatchSnapshot());

  test('of a deploy has its plan folded away, below the evidence', () => {
    const page = summary(success({ plan, planDigest: 'sha256:1' }));
    expect(page.indexOf('<details><summary>Plan: 8 changes')).toBeGreaterThan(page.indexOf('### Checks'));
    expect(page).not.toContain('expect-plan');
    expect(page).not.toContain('<details open>');
    expect(summary(success({ plan: UNCHANGED }))).not.toContain('Plan:');
  });

  test('of a deploy that was held to another plan shows this one first', () => {
    const what = 'what a deploy would do now is not what was approved';
    const page = summary(failure({ plan, failure: { reason: 'plan-changed', what, details: [] } }));
    expect(page.indexOf('### What a deploy would do')).toBeGreaterThan(0);
    expect(page.indexOf('### What a deploy would do')).toBeLessThan(page.indexOf('### Checks'));
  });

  test('opens what is dangerous and nothing else', () => {
    const opened = [...summary(planned()).matchAll(/<details open><summary>\S+ ([a-z ]+):/g)];
    expect(opened.map(([, title]) => title)).toEqual(['data loss', 'recreate']);
    expect(summary(planned())).toContain('> [!CAUTION]');
    const milder = plan.filter(({ consequence }) => consequence !== 'data-loss');
    expect(summary(planned({ plan: milder }))).toContain('> [!WARNING]');
    const safe = plan.filter(({ consequence }) => consequence === 'in-place');
    expect(summary(planned({ plan: safe }))).not.toContain('> [!');
  });

  test('names only some of many, and fits', () => {
    const pods = Array.from({ length: 5000 }, (_, ordinal) => `consul-client-${4999 - ordinal}`);
    const many = Array.from(
      { length: 400 },
      (_, index): PlannedChange => ({
        ...rolls(`clients-${index}`, pods.length),
        pods,
        fields: Array.from({ length: 60 }, (_, field) => ({
          path: `.spec.a${field}`,
          after: 'x'.repeat(100),
        })),
      }),
    );
    const page = summary(planned({ plan: many }));
    expect(Buffer.byteLength(page)).toBeLessThan(900_000);
    expect(page).toContain('consul-client-4980` and 4980 more');
    expect(page).toContain('`StatefulSet/clients-11` and 388 more');
    expect(page).toMatch(/_\d+ more changes are not shown here/);
  });

  const change = (name: string, rest: Partial<PlannedChange> = {}): PlannedChange => ({
    ...{ kind: 'A', name, consequence: 'in-place', fields: [], notes: [] },
    ...rest,
  });
  const numbered = (count: number, name: string) =>
    Array.from({ length: count }, (_, index) => `${name}${index}`);

  test.each([
    [12, ''],
    [13, ' and 1 more'],
  ])('names twelve of %i objects with one consequence', (count, more) => {
    const names = numbered(12, 'A/m').map((name) => `\`${name}\``);
    const changes = numbered(count, 'm').map((name) => change(name));
    expect(summary(planned({ plan: changes }))).toContain(
      `| in place | ${count} | ${names.join(' ')}${more} |\n`,
    );
  });

  test.each<[string, Partial<PlannedChange>, string]>([
    ['its number alone', { podCount: 2 }, '\n- 2 pods replaced\n'],
    [
      'the names',
      { podCount: 2, pods: ['p-1', 'p-0'] },
      '\n- 2 pods replaced, in this order: `p-1`, `p-0`\n',
    ],
    ['twenty names', { podCount: 20, pods: numbered(20, 'p') }, '`p19`\n'],
    ['twenty of more names', { podCount: 22, pods: numbered(22, 'p') }, '`p19` and 2 more\n'],
  ])('has of the pods of a change %s', (_, rest, words) => {
    expect(summary(planned({ plan: [change('a', rest)] }))).toContain(words);
  });

  test('has nothing to unfold where the totals say all of a change', () => {
    const unfolded = (rest: Partial<PlannedChange>) =>
      summary(planned({ plan: [change('a', rest)] })).includes('<summary>✏️');
    expect(unfolded({})).toBe(false);
    expect(unfolded({ notes: ['a note'] })).toBe(true);
    expect(unfolded({ podCount: 1 })).toBe(true);
    expect(unfolded({ fields: [{ path: '.a' }] })).toBe(true);
  });

  test('says twelve dangers at most in its box, the first note behind each', () => {
    const notes = ['its data goes with it', 'and another note'];
    const gone = numbered(14, 'm').map((name) => change(name, { consequence: 'delete', notes }));
    const box = summary(planned({ plan: gone })).match(/^> .*$/gm) ?? [];
    expect(box).toHaveLength(13);
    expect(box[0]).toBe('> [!WARNING]');
    expect(box[1]).toBe('> 🗑️ **delete** `A/m0`: its data goes with it<br>');
    expect(box[12]).toBe('> 🗑️ **delete** `A/m11`: its data goes with it');
    const bare = summary(planned({ plan: [change('a', { consequence: 'delete' })] }));
    expect(bare).toContain('> [!WARNING]\n> 🗑️ **delete** `A/a`\n\n');
  });

  test('says nothing of what its digest is good for where the run failed, or the digest is not known', () => {
    const { failure: why = expect.unreachable() } = failure();
    const page = summary(planned({ planDigest: 'sha256:0a', failure: why }));
    expect(page).toContain('**Plan digest**: `sha256:0a`\n');
    expect(page).not.toContain('expect-plan');
    const { planDigest: _, ...unknown } = planned();
    expect(summary(unknown)).not.toContain('Plan digest');
  });

  const pages: [string, Result][] = Object.entries(HOSTILE).map(([name, text]) => [
    name,
    { ...hostile(text, planned()), mode: 'plan', result: 'success' },
  ]);
  test.each(pages)('lets nothing out of its place: %s', (_, result) => {
    const all = summary(result);
    const page = all.slice(all.indexOf('### What a deploy would do'), all.indexOf('### Drift'));
    const fenced = [...page.matchAll(/^(`{3,})diff\n([\s\S]*?)\n\1$/gm)];
    expect(fenced).toHaveLength(1);
    for (const line of (fenced[0]?.[2] ?? '').split('\n')) expect(line).toMatch(/^(?: {2}|[-+] )|^$/);
    const rest = page.replace(fenced[0]?.[0] ?? '', '');
    expect(rest.match(/<details/g)?.length).toBe(rest.match(/<\/details/g)?.length);
    expect(rest).not.toMatch(/<script|<img|@octocat|https:\/\/evil/);
  });
});
