import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { render } from '../../src/manifests/render.ts';
import { manifestDigest, parseManifests, toYaml } from '../../src/manifests/yaml.ts';
import { config, SHAPES } from './fixture.ts';

function refusal(text: string): Failure {
  try {
    parseManifests(text, 'post-render');
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('the text was accepted');
}

const digest = (change: Parameters<typeof config>[0] = {}) => manifestDigest(render(config(change)));

describe('writing', () => {
  test.each(SHAPES)('what is written is read as the same: $shape', ({ config: given }) => {
    const objects = render(given);
    expect(parseManifests(toYaml(objects), 'post-render')).toEqual(objects);
  });

  test('texts that YAML could take for something else survive', () => {
    const tricky = [
      'yes',
      'null',
      '1e3',
      '0x10',
      '---',
      '- a',
      '*a',
      'a: b',
      ' x ',
      '\t',
      '2026-01-01',
      '"',
      'a\nb\n',
    ];
    const data = Object.fromEntries(tricky.map((text, index) => [`k${index}`, text]));
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'tricky' }, data };
    expect(parseManifests(toYaml([object]), 'x')).toEqual([object]);
  });

  // kubectl reads YAML 1.1 by the rules of Go: none of these is a text there unless it is quoted.
  test.each([
    ...['on', 'off', 'yes', 'no', 'y', 'n', 'Yes', 'ON', 'true', 'null', '~', '<<', '2001-01-01'],
    ...[
      '1_000',
      '12:30:45',
      '1:30',
      '0400',
      '0o17',
      '-0o17',
      '0o1_7',
      '0x1F',
      '0X1F',
      '0x_1F',
      '0b1',
      '-0b1',
    ],
    ...['1e3', '1_e3', '1e1_0', '+_1', '_1', '.5_0', '1_.5', '.inf', '123456789012345678901234567890'],
  ])('the text %s is quoted, as a value and as a key', (text) => {
    const metadata = { name: 'tricky' };
    const yaml = toYaml([{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: text, [text]: 'b' } }]);
    expect(yaml).toContain(`  a: "${text}"\n`);
    expect(yaml).toMatch(/^ {2}"[^"]+": b$/m);
  });

  test('texts that are no number stay bare', () => {
    const data = { a: '10Gi', b: '-node=x', c: 'feed', d: '100m' };
    const yaml = toYaml([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'plain' }, data }]);
    expect(yaml).toContain('a: 10Gi\n  b: -node=x\n  c: feed\n  d: 100m\n');
  });

  test('no anchors, and no line is folded', () => {
    const yaml = toYaml(render(config()));
    expect(yaml).not.toMatch(/[&*][a-z]\d+\b/);
    expect(yaml).toContain('{{ else }}$(CONSUL_SERVER_0_SERVICE_HOST){{ end }}{{ end }}');
  });
});

describe('the digest', () => {
  test('is the SHA-256 of the text, the same each time', () => {
    const objects = render(config());
    const yaml = toYaml(objects);
    expect(manifestDigest(objects)).toBe(`sha256:${createHash('sha256').update(yaml, 'utf8').digest('hex')}`);
    expect(digest()).toBe(digest());
  });

  test('changes with what is rendered', () => {
    const all = [digest(), digest({ image: 'hashicorp/consul:1.22.6' }), digest({ clientReplicas: 11 })];
    expect(new Set(all).size).toBe(all.length);
  });

  test('does not depend on the order in which the inputs name things', () => {
    expect(
      digest({ serverResources: { limits: { memory: '1Gi' }, requests: { memory: '1Gi', cpu: '1' } } }),
    ).toBe(digest({ serverResources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } } }));
    const target = { kind: 'Service', name: 'consul-ui' };
    const merge = (annotations: object) => ({ patches: [{ target, merge: { metadata: { annotations } } }] });
    expect(digest(merge({ a: '1', b: '2' }))).toBe(digest(merge({ b: '2', a: '1' })));
  });
});

describe('reading', () => {
  const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\n';

  test('skips documents that are empty or comments', () => {
    const text = `# from a tool\n---\n${map}---\n# nothing\n---\n\n---\n${map.replace('a,', 'b,')}`;
    expect(parseManifests(text, 'x').map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  });

  test.each([
    ['nothing at all', '', ['there is no object in it']],
    ['only comments', '# sorry\n', ['there is no object in it']],
    ['a message', 'error: no such file\n', ['document 1: has no apiVersion, kind, metadata.name']],
    ['a word', 'done\n', ['document 1: has no apiVersion, kind, metadata.name']],
    ['a list', '- a\n', ['document 1: has no apiVersion, kind, metadata.name']],
    [
      'an object without a name',
      'apiVersion: v1\nkind: Pod\nmetadata: {}\n',
      ['document 1: has no metadata.name'],
    ],
    [
      'a name that is a number',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: 1}\n',
      ['document 1: has no metadata.name'],
    ],
    [
      'empty words',
      'apiVersion: ""\nkind: ""\nmetadata: {name: ""}\n',
      ['document 1: has no apiVersion, kind, metadata.name'],
    ],
    ['a number', '7\n', ['document 1: has no apiVersion, kind, metadata.name']],
    ['the same twice', `${map}---\n${map}`, ['ConfigMap/a is there twice']],
    [
      'the same twice, in two versions',
      `${map.replace('v1', 'x/v1')}---\n${map.replace('v1', 'x/v2')}`,
      ['ConfigMap/a is there twice'],
    ],
  ])('refuses %s', (_, text, details) => {
    expect(refusal(text)).toMatchObject({ reason: 'post-render', where: 'post-render', details });
  });

  test('takes two of one name in different namespaces, of different kinds and of different groups', () => {
    const others = [
      map.replace('namespace: n', 'namespace: other'),
      map.replace('ConfigMap', 'Secret'),
      map.replace('v1', 'vault.example.com/v1'),
    ];
    expect(parseManifests([map, ...others].join('---\n'), 'x')).toHaveLength(4);
  });

  test.each([
    ['0400', 'octal to some readers and decimal to others'],
    ['-0755', 'octal to some readers and decimal to others'],
    ['08', 'octal to some readers and decimal to others'],
    ['9007199254740993', 'would lose digits'],
    ['-9007199254740993', 'would lose digits'],
    ['0x20000000000001', 'would lose digits'],
    ['123456789012345678901234567890', 'would lose digits'],
    ['.inf', 'a number is not finite'],
    ['*nobody', 'has no anchor before it'],
    ['&a [*a]', 'refers to itself'],
  ])('refuses the value %s', (value, why) => {
    const failure = refusal(`${map}---\n${map.replace('a,', 'b,')}data:\n  x: ${value}\n`);
    expect(failure).toMatchObject({ reason: 'post-render', where: 'post-render' });
    expect(failure.details).toEqual([expect.stringMatching(/^document 2: .*/)]);
    expect(failure.details.join()).toContain(why);
    expect(failure.details.join()).not.toContain('undefined');
  });

  test.each([
    ['0o400', 256],
    ['0', 0],
    ['0.5', 0.5],
    ['-0.5', -0.5],
    ['1e3', 1000],
    ['0x1F', 31],
    ['9007199254740991', 9007199254740991],
    ['"0400"', '0400'],
    ['"9007199254740993"', '9007199254740993'],
    ['0.10000000000000000001', 0.1],
  ])('takes the value %s', (value, wanted) => {
    const [object] = parseManifests(`${map}data: {x: ${value}}\n`, 'x');
    expect(object?.data).toEqual({ x: wanted });
  });

  test('tells the position and never quotes the text, which may be a Secret', () => {
    const failure = refusal(`${map}data:\n  a: "canary" canary\n`);
    expect(failure.details).toEqual([expect.stringMatching(/^document 1: line 5, column \d+: YAML error/)]);
    expect(JSON.stringify([failure.details, failure.hint])).not.toContain('canary');
  });

  test('is not led too deep', () => {
    const depth = 20_000;
    const failure = refusal(`${map}data: ${'['.repeat(depth)}${']'.repeat(depth)}\n`);
    expect(failure.details).toEqual([expect.stringMatching(/^document 1: .*RESOURCE_EXHAUSTION$/)]);
  });

  test('tells all mistakes at once, by document', () => {
    const failure = refusal(`${map}---\nkind: Pod\n---\na: [\n---\na: 1\na: 2\n`);
    expect(failure.details.map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining(['document 2', 'document 3', 'document 4']),
    );
    expect(failure.details.join()).not.toContain('document 1');
  });

  test('is not led into a bomb of aliases', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`,
    );
    const failure = refusal(`${map}l0: &a0 [x]\n${levels.join('\n')}\n`);
    expect(failure.details.join()).toContain('is used too often');
  });
});
