import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const FOLDER = 'examples/other-ci';
const files = readdirSync(new URL(`../../${FOLDER}`, import.meta.url));
const { inputs, outputs } = parse(read('action.yml')) as { inputs: object; outputs: object };
const MODES: string[] = JSON.parse(read('docs/report.schema.json')).properties.mode.enum;
const { version } = JSON.parse(read('package.json')) as { version: string };

const variables = (prefix: string, names: object) =>
  Object.keys(names).map((name) => `${prefix}_${name.toUpperCase().replaceAll('-', '_')}`);
const KNOWN_FLAGS = [...Object.keys(inputs), 'set', 'file', 'json', 'outputs', 'no-color', 'help', 'version'];
const KNOWN_VARIABLES = [...variables('CONSUL_DEPLOY', inputs), ...variables('CONSUL_OUTPUT', outputs)];

/** Flags, modes and variables in a text that runs the command. */
function used(text: string) {
  const code = text.replace(/^\s*(#|\/\/).*$/gm, '');
  return {
    // Those of npm and docker stand in front of the command, or in a line of their own.
    flags: code
      .split('\n')
      .filter((line) => !/\bnpm install\b|docker (build|run)/.test(line))
      .flatMap((line) => [...line.matchAll(/(?<=[\s(`'"]|^)--([a-z][a-z-]*)/g)].map(([, name = '']) => name))
      .filter((name) => name !== 'yes'),
    modes: [...code.matchAll(/(?:consul-deploy|\.tgz) ([a-z]+)(?= --|$| \|)/gm)].map(([, mode = '']) => mode),
    variables: [...code.matchAll(/\bCONSUL_(?:DEPLOY|OUTPUT)_[A-Z_]*[A-Z]/g)].map(([name]) => name),
  };
}

test.each([
  ['gitlab-ci.yml', ['plan', 'deploy']],
  ['Jenkinsfile', ['verify']],
])('%s runs the command', (file, modes) => expect(used(read(`${FOLDER}/${file}`)).modes).toEqual(modes));

describe.each([...files.map((file) => `${FOLDER}/${file}`), 'docs/guides/command-line.md'])('%s', (file) => {
  const text = read(file);

  test('names only what there is', () => {
    const { flags, modes, variables: named } = used(text);
    expect(flags.length + named.length).toBeGreaterThan(3);
    expect(flags.filter((name) => !KNOWN_FLAGS.includes(name))).toEqual([]);
    expect(modes.filter((mode) => !MODES.includes(mode) && mode !== 'completion')).toEqual([]);
    expect(named.filter((name) => !KNOWN_VARIABLES.includes(name))).toEqual([]);
  });

  test('has the version of this package', () => {
    const versions = [
      ...text.matchAll(/consul-deploy(?:-|:)(\d+\.\d+\.\d+)|download\/v(\d+\.\d+\.\d+)/g),
    ].map(([, image, release]) => image ?? release);
    expect(versions.filter((one) => one !== version)).toEqual([]);
  });
});

test.each(files.filter((file) => /\.ya?ml$/.test(file)))('%s is YAML', (file) => {
  const documents = parseAllDocuments(read(`${FOLDER}/${file}`));
  expect(documents).not.toHaveLength(0);
  for (const { errors } of documents) expect(errors).toEqual([]);
});

test('the workflow of Argo begins its arguments with a mode', () => {
  const { spec } = parse(read(`${FOLDER}/argo-workflow.yaml`));
  const [{ container }] = spec.templates;
  expect(MODES).toContain(container.args[0]);
  for (const arg of container.args.slice(1)) expect(arg).toMatch(/^--[a-z-]+=\S+$/);
});

test('the Task of Tekton writes every result that it promises', () => {
  const { spec } = parse(read(`${FOLDER}/tekton-task.yaml`));
  const [{ script }] = spec.steps;
  expect(spec.results.length).toBeGreaterThan(1);
  for (const { name } of spec.results) {
    expect(Object.keys(outputs)).toContain(name);
    expect(script).toContain(`$(results.${name}.path)`);
  }
  expect(MODES).toContain(spec.params[0].default);
});

test('the image is of the Node.js that this repository is built with, pinned, and runs as nobody special', () => {
  const dockerfile = read('Dockerfile');
  const { packages } = JSON.parse(read('package-lock.json'));
  expect(dockerfile).toContain(`FROM node:${packages['node_modules/node'].version}-alpine\n`);
  expect(dockerfile).toMatch(/^USER 1000:1000$/m);
  const copied = [...dockerfile.matchAll(/^COPY (.*) \S+$/gm)].flatMap(([, from = '']) => from.split(' '));
  const sent = read('.dockerignore').trim().split('\n');
  expect(sent).toEqual(['*', ...copied.map((name) => `!${name}`)]);
});
