import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { render } from '../../../src/manifests/render.ts';
import { parseManifests, toYaml } from '../../../src/manifests/yaml.ts';
import { renderMode } from '../../../src/modes/render.ts';
import { renderSet } from '../../../src/steps/render/render.ts';
import { folder } from '../../kubernetes/fake-server.ts';
import { startRun } from '../../session/fixture.ts';

describe('render mode', () => {
  test('writes what is rendered, and its digest is that of the file', async () => {
    const manifestsPath = join(await folder(), 'deep', 'er', 'out.yaml');
    const { run } = startRun({ mode: 'render', manifestsPath });
    await renderMode(run);
    const yaml = await readFile(manifestsPath, 'utf8');
    expect(yaml).toBe(toYaml(render(run.config)));
    const result = run.result();
    expect(result).toMatchObject({
      mode: 'render',
      result: 'success',
      changed: false,
      left: 'No cluster was touched.',
      manifestDigest: `sha256:${createHash('sha256').update(yaml).digest('hex')}`,
      manifestsPath,
      phases: [{ name: 'render', status: 'passed' }],
    });
    expect(result.objects).toHaveLength(render(run.config).length);
    expect(result.objects).toContainEqual({
      kind: 'StatefulSet',
      name: 'consul-server',
      namespace: 'consul',
      action: 'unchanged',
    });
    expect(result.objects[0]).toEqual({ kind: 'Namespace', name: 'consul', action: 'unchanged' });
  });

  test('writes Secrets into a file of their own that nobody else can read', async () => {
    const manifestsPath = join(await folder({ 'out.secrets.yaml': 'readable by all' }), 'out.yaml');
    const serverConfig = { format: 'json', text: '{"encrypt":"gossip-key-1"}' } as const;
    const { run, lines } = startRun({ mode: 'render', manifestsPath, serverConfig });
    await renderMode(run);
    const beside = manifestsPath.replace('.yaml', '.secrets.yaml');
    const objects = render(run.config);
    expect(parseManifests(await readFile(manifestsPath, 'utf8'), 'file')).toEqual(
      objects.filter(({ kind }) => kind !== 'Secret'),
    );
    expect(parseManifests(await readFile(beside, 'utf8'), 'file')).toEqual(
      objects.filter(({ kind }) => kind === 'Secret'),
    );
    expect((await stat(beside)).mode & 0o777).toBe(0o600);
    expect(run.known.warnings).toEqual([
      expect.stringContaining(`Secret/consul-server-config: written to ${beside}`),
    ]);
    const told = [...lines, JSON.stringify(run.result())].join('\n');
    expect(told).not.toContain('gossip-key-1');
    expect(told).not.toContain(Buffer.from('gossip-key-1').toString('base64').slice(0, 12));
  });

  test('a file that cannot be written fails the run', async () => {
    const path = await folder({ file: '' });
    const { run } = startRun({ mode: 'render', manifestsPath: join(path, 'file', 'out.yaml') });
    await expect(renderMode(run)).rejects.toMatchObject({ code: expect.stringMatching(/^E/) });
    expect(run.result().phases).toMatchObject([{ status: 'failed' }]);
  });

  test.each([
    ['ephemeral', { kind: 'ephemeral' }, [expect.stringContaining('server-storage is ephemeral')]],
    ['persistent', { kind: 'persistent', size: '1Gi' }, []],
  ] as const)('storage that is %s', async (_, serverStorage, warnings) => {
    const { run } = startRun({ serverStorage });
    await renderSet(run);
    expect(run.known.warnings).toEqual(warnings);
  });
});

describe('a post-render command in render mode', () => {
  test('decides what is in the file and in the digest', async () => {
    const manifestsPath = join(await folder(), 'out.yaml');
    const { run } = startRun({ postRender: 'sed "s/consul-ui/consul-web/"', manifestsPath });
    const objects = await renderSet(run);
    expect(objects.map(({ metadata }) => metadata.name)).toContain('consul-web');
    const yaml = await readFile(manifestsPath, 'utf8');
    expect(parseManifests(yaml, 'file')).toEqual(objects);
    expect(run.known.manifestDigest).toBe(`sha256:${createHash('sha256').update(yaml).digest('hex')}`);
  });

  test('that changes nothing leaves the digest as it is without one', async () => {
    const { run } = startRun({ postRender: 'cat' });
    await renderSet(run);
    const { run: plain } = startRun();
    await renderSet(plain);
    expect(run.known.manifestDigest).toBe(plain.known.manifestDigest);
  });

  test.each([
    [
      'garbage',
      'sh -c "cat >/dev/null; echo all good"',
      'document 1: has no apiVersion, kind, metadata.name',
    ],
    ['nothing', 'sh -c "cat >/dev/null"', 'there is no object in it'],
    ['half a document', 'sh -c "cat; echo a: [; "', expect.stringMatching(/^document \d+: /)],
    [
      'an object twice',
      'sed "s/name: consul-server-1/name: consul-server-0/"',
      'Service/consul-server-0 is there twice',
    ],
  ])('%s fails the run, and no file is written', async (_, postRender, detail) => {
    const manifestsPath = join(await folder(), 'out.yaml');
    const { run } = startRun({ postRender, manifestsPath });
    const failure = await renderSet(run).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'Failure', reason: 'post-render', where: 'post-render' });
    expect((failure as { details: string[] }).details[0]).toEqual(detail);
    await expect(readFile(manifestsPath)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
