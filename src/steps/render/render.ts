import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import { render } from '../../manifests/render.ts';
import { manifestDigest, parseManifests, toYaml } from '../../manifests/yaml.ts';
import type { Run } from '../../session/run.ts';
import { postRender } from './post-render.ts';

/** Config -> objects, through the post-render command where there is one, and to a file where one is named. */
export async function renderSet(run: Run): Promise<KubernetesObject[]> {
  const { config, log } = run;
  if (config.serverStorage.kind === 'ephemeral') {
    run.warn(
      'server-storage is ephemeral: a server that is rescheduled has lost its data, and two at once lose the quorum, the KV store and the catalog for good. Use it for clusters that may be thrown away.',
    );
  }
  let objects = render(config);
  if (config.postRender !== undefined) {
    log.info(`post-render: ${objects.length} objects to the command`);
    const output = await postRender(config.postRender, toYaml(objects), run.signal);
    objects = parseManifests(output, 'post-render');
  }
  const digest = manifestDigest(objects);
  run.known.manifestDigest = digest;
  log.info(`${objects.length} objects, ${digest}`);
  if (config.manifestsPath !== undefined) {
    await write(run, config.manifestsPath, objects);
    run.known.manifestsPath = config.manifestsPath;
    log.info(`written to ${config.manifestsPath}`);
  }
  return objects;
}

/** Secrets into a file of their own: the other one is made to be kept, shown and reviewed. */
async function write(run: Run, path: string, objects: readonly KubernetesObject[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, toYaml(objects.filter(({ kind }) => kind !== 'Secret')));
  const secrets = objects.filter(({ kind }) => kind === 'Secret');
  if (secrets.length === 0) return;
  const beside = secretsPath(path);
  // Never into what is there already: it may be readable by others, or lead elsewhere.
  await rm(beside, { force: true });
  await writeFile(beside, toYaml(secrets), { mode: 0o600, flag: 'wx' });
  run.warn(
    `${secrets.map(objectName).join(', ')}: written to ${beside}, apart from the other manifests. Apply both files, and keep this one out of artifacts and repositories.`,
  );
}

/** `consul-manifests.secrets.yaml` beside `consul-manifests.yaml` */
export function secretsPath(path: string): string {
  const extension = extname(path);
  return `${path.slice(0, path.length - extension.length)}.secrets${extension}`;
}
