import type { Run } from '../session/run.ts';
import { renderSet } from '../steps/render/render.ts';

/** `mode: render`: the YAML and its digest; no cluster is needed. */
export async function renderMode(run: Run): Promise<void> {
  const objects = await run.phase('render', 'Render the manifests', () => renderSet(run));
  run.known.left = { is: 'no-cluster' };
  run.known.objects = objects.map(({ kind, metadata }) => ({
    kind,
    name: metadata.name,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    action: 'unchanged',
  }));
}
