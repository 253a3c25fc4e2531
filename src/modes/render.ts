import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { render } from '../manifests/render.ts';
import { manifestDigest, parseManifests, toYaml } from '../manifests/yaml.ts';
import { postRender } from './post-render.ts';
import type { Run } from './run.ts';

/** Config -> objects, through the post-render command where there is one, and to a file where one is named. */
export async function renderSet(run: Run): Promise<KubernetesObject[]> {
  const { config, log } = run;
  if (config.serverStorage.kind === 'ephemeral') {
    run.warn(
      'server-storage is ephemeral: a server that is rescheduled has lost its data, and two at once lose the quorum, the KV store and the catalog for good. Use it for clusters that may be thrown away.',
    );
  }
  let objects = render(config);
  let yaml = toYaml(objects);
  if (config.postRender !== undefined) {
    log.info(`post-render: ${objects.length} objects to the command`);
    objects = parseManifests(await postRender(config.postRender, yaml, run.signal), 'post-render');
    yaml = toYaml(objects);
  }
  const digest = manifestDigest(yaml);
  run.known.manifestDigest = digest;
  log.info(`${objects.length} objects, ${digest}`);
  if (config.manifestsPath !== undefined) {
    await mkdir(dirname(config.manifestsPath), { recursive: true });
    await writeFile(config.manifestsPath, yaml);
    run.known.manifestsPath = config.manifestsPath;
    log.info(`written to ${config.manifestsPath}`);
  }
  return objects;
}

/** `mode: render`: the YAML and its digest; no cluster is needed. */
export async function renderMode(run: Run): Promise<void> {
  const objects = await run.phase('render', 'Render the manifests', () => renderSet(run));
  run.known.left = 'No cluster was touched.';
  run.known.objects = objects.map(({ kind, metadata }) => ({
    kind,
    name: metadata.name,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    action: 'unchanged',
  }));
}
