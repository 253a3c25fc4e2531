import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bed } from '../bed/bed.ts';
import { REGISTRY, type Registry, startRegistry } from '../bed/registry.ts';
import { kubectl } from '../kubernetes/cluster.ts';
import { check, deploy } from '../run/action.ts';
import {
  CLIENTS,
  CONTAINER,
  expectRed,
  expectTold,
  readyNames,
  SERVERS,
  SMALL,
  within,
} from '../run/scenario.ts';

if (bed) {
  const { folder, hostIp } = bed;

  describe.concurrent('images', () => {
    let registry: Registry;
    const work = mkdtempSync(join(tmpdir(), 'consul-deploy-images-'));

    beforeAll(async () => {
      registry = await startRegistry(hostIp);
      registry.serve('flaky/consul', consulImage('flaky').layout);
      registry.serve('plain/consul', bareImage());
    });

    afterAll(async () => {
      await registry.close();
      rmSync(work, { recursive: true, force: true });
    });

    /** The image of Consul with a digest of its own: once pulled, the kubelet (1.35 and later) would ask for that of the other tests, too. */
    function consulImage(label: string): { layout: string; digest: string } {
      const layout = join(work, label);
      mkdirSync(layout);
      execFileSync('tar', ['xf', join(folder, 'images/consul.tar'), '-C', layout]);
      return { layout, digest: relabel(layout, label) };
    }

    /** The same image under another digest, which is returned. */
    function relabel(layout: string, label: string): string {
      const blob = (digest: string) => join(layout, 'blobs', digest.replace(':', '/'));
      const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
      const write = (value: object) => {
        const text = JSON.stringify(value);
        const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
        writeFileSync(blob(digest), text);
        return { digest, size: Buffer.byteLength(text) };
      };
      const index = read(join(layout, 'index.json'));
      const manifest = read(blob(index.manifests[0].digest));
      const config = read(blob(manifest.config.digest));
      Object.assign(
        manifest.config,
        write({ ...config, config: { ...config.config, Labels: { e2e: label } } }),
      );
      Object.assign(index.manifests[0], write(manifest));
      writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
      return index.manifests[0].digest;
    }

    /** Consul and nothing else: no shell, no curl, no entry point but itself. */
    function bareImage(): string {
      const root = join(work, 'root');
      for (const dir of ['bin', 'tmp', 'consul/data', 'consul/config'])
        mkdirSync(join(root, dir), { recursive: true });
      cpSync(join(folder, 'bin/consul'), join(root, 'bin/consul'));
      const layout = join(work, 'plain');
      mkdirSync(layout);
      const archive = join(work, 'plain.tar');
      const arch = process.arch === 'x64' ? 'amd64' : process.arch;
      const config = JSON.stringify({ Entrypoint: ['/bin/consul'] });
      execFileSync('python3', [
        'testbed/images/image.py',
        `${REGISTRY}/plain/consul:1.22.7`,
        root,
        arch,
        archive,
        config,
      ]);
      execFileSync('tar', ['xf', archive, '-C', layout]);
      rmSync(root, { recursive: true });
      return layout;
    }

    it(
      'a tag that does not exist',
      within('no-tag', async (namespace) => {
        const image = `${REGISTRY}/flaky/nothing:1.22.7`;
        const outcome = await deploy({ ...SMALL, namespace, image });
        expectTold(outcome, 'image', {
          what: /5 pods \(consul-.*nothing:1\.22\.7: not found/,
          where: /^Pod\/consul-(server|client)-\d$/,
          hint: '`image`',
        });
        // Asked for a second time before it was given up.
        expect(registry.asked.get('1.22.7')).toBeGreaterThan(1);
        expect(outcome.log).toContain('event Failed');
      }),
    );

    it(
      'a registry that wants credentials',
      within('unauthorized', async (namespace) => {
        const image = `${REGISTRY}/private/consul:1.22.7`;
        const outcome = await deploy({ ...SMALL, namespace, image });
        expectTold(outcome, 'image', { what: /401|[Uu]nauthorized|authorization/, hint: 'imagePullSecrets' });
      }),
    );

    it(
      'a registry that nobody answers for, of the clients alone',
      within('no-registry', async (namespace) => {
        const operations = [
          { op: 'replace', path: `${CONTAINER}/image`, value: '127.0.0.1:1/consul:1.22.7' },
        ];
        const patches = JSON.stringify([{ target: CLIENTS, operations }]);
        const outcome = await deploy({ ...SMALL, namespace, patches });
        expectTold(outcome, 'image', {
          what: /2 pods \(consul-client-0, consul-client-1\).*connection refused/,
          where: 'Pod/consul-client-0',
          hint: 'registry answers',
        });
        expect(await readyNames(namespace)).toEqual([
          'consul-server-0',
          'consul-server-1',
          'consul-server-2',
        ]);
      }),
    );

    it(
      'no false alarm: a registry that stumbles twice for each node, and then gives the image',
      within('stumbles', async (namespace) => {
        registry.stumble('flaky/consul', 6);
        // A tag of its own: nodes that have the image from an earlier run would not ask for it.
        const image = `${REGISTRY}/flaky/consul:1.22.7-${Date.now()}`;
        const outcome = await deploy({ ...SMALL, namespace, image });
        expect(outcome.code, outcome.log).toBe(0);
        const events = await kubectl(
          '-n',
          namespace,
          'get',
          'events',
          '--field-selector=reason=Failed',
          '-o',
          'name',
        );
        expect(events.trim().split('\n').length).toBeGreaterThan(2);
      }),
    );

    it(
      'a tag that was moved, beside a sidecar whose name sorts before that of Consul',
      within('moved-tag', async (namespace) => {
        const [proven, other] = [consulImage('proven'), consulImage('other')];
        registry.serve('moved/consul', proven.layout);
        registry.serve('sidecar/consul', consulImage('sidecar').layout);
        // A tag of its own: nodes that have the image from an earlier run would not ask for it.
        const tag = `1.22.7-${Date.now()}`;
        const sidecar = {
          name: 'a',
          image: `${REGISTRY}/sidecar/consul:${tag}`,
          command: ['sleep', '86400'],
        };
        const add = { op: 'add', path: '/spec/template/spec/containers/-', value: sidecar };
        const pull = { op: 'replace', path: `${CONTAINER}/imagePullPolicy`, value: 'Always' };
        const deployed = await deploy({
          ...SMALL,
          namespace,
          servers: '1',
          'client-replicas': '1',
          image: `${REGISTRY}/moved/consul:${tag}`,
          patches: JSON.stringify([
            { target: SERVERS, operations: [add] },
            { target: CLIENTS, operations: [add, pull] },
          ]),
        });
        expect(deployed.code, deployed.log).toBe(0);
        const verify = { mode: 'verify', namespace, 'stable-for': '2s' };
        expect(deployed.outputs.image).toBe(`${REGISTRY}/moved/consul@${proven.digest}`);
        const same = await deploy(verify);
        expect(same.code, same.log).toBe(0);
        expect(check(same, 'drift-image').status).toBe('passed');

        registry.serve('moved/consul', other.layout);
        await kubectl('-n', namespace, 'delete', 'pod', 'consul-client-0', '--wait=false');
        const moved = await deploy(verify);
        expectRed(moved, 'drift', 'Consul is not as it was deployed');
        expect(check(moved, 'drift-image')).toMatchObject({
          status: 'failed',
          observed: 'another in consul-client-0',
        });
        expect(moved.report?.drift).toMatchObject([
          {
            kind: 'Pod',
            name: 'consul-client-0',
            fields: [{ after: `${REGISTRY}/moved/consul@${other.digest}` }],
          },
        ]);
      }),
    );

    it(
      'no false alarm: an image without a shell and without curl',
      within('bare', async (namespace) => {
        // What the entry point of the official image says for us.
        const patches = [SERVERS, CLIENTS].map((target) => ({
          target,
          operations: [
            // Our own start is a shell's.
            { op: 'remove', path: `${CONTAINER}/command` },
            ...['-data-dir=/consul/data', '-config-dir=/consul/config'].map((value) => ({
              op: 'add',
              path: `${CONTAINER}/args/-`,
              value,
            })),
          ],
        }));
        const image = `${REGISTRY}/plain/consul:1.22.7`;
        const outcome = await deploy({ ...SMALL, namespace, image, patches: JSON.stringify(patches) });
        expect(outcome.code, outcome.log).toBe(0);
        await expect(
          kubectl('-n', namespace, 'exec', 'consul-server-0', '--', 'sh', '-c', 'true'),
        ).rejects.toThrow(/executable file not found|no such file/);
      }),
    );
  });
}
