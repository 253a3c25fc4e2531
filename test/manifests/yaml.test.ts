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

const digest = (change: Parameters<typeof config>[0] = {}) => manifestDigest(toYaml(render(config(change))));

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

  test('no anchors, and no line is folded', () => {
    const yaml = toYaml(render(config()));
    expect(yaml).not.toMatch(/[&*][a-z]\d+\b/);
    expect(yaml).toContain('{{ else }}$(CONSUL_SERVER_0_SERVICE_HOST){{ end }}{{ end }}');
  });
});

describe('the digest', () => {
  test('is the SHA-256 of the text, the same each time', () => {
    const yaml = toYaml(render(config()));
    expect(manifestDigest(yaml)).toBe(`sha256:${createHash('sha256').update(yaml, 'utf8').digest('hex')}`);
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
    ['the same twice', `${map}---\n${map}`, ['ConfigMap/a is there twice']],
    [
      'the same twice, in two versions',
      `${map.replace('v1', 'x/v1')}---\n${map.replace('v1', 'x/v2')}`,
      ['ConfigMap/a is there twice'],
    ],
  ])('refuses %s', (_, text, details) => {
    expect(refusal(text)).toMatchObject({ reason: 'post-render', where: 'post-render', details });
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
    expect(() => parseManifests(`${map}l0: &a0 [x]\n${levels.join('\n')}\n`, 'x')).toThrow();
  });
});
