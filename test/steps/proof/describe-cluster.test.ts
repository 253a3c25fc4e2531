import { expect, test } from 'vitest';
import { render } from '../../../src/manifests/render.ts';
import { podView } from '../../../src/rollout/pod.ts';
import type { Workloads } from '../../../src/session/workloads.ts';
import { describeCluster } from '../../../src/steps/proof/describe-cluster.ts';
import type { QuorumLook } from '../../../src/steps/proof/quorum-watch.ts';
import { raw } from '../../rollout/fixture.ts';
import { config, startRun } from '../../session/fixture.ts';

const [CONSUL, SIDECAR] = ['1', '2'].map((digit) => `docker.io/hashicorp/consul@sha256:${digit.repeat(64)}`);

/** The image of a proven cluster whose servers have these containers: name and `imageID`, as the kubelet sorts them. */
function concluded(servers: Record<string, string>[], image = 'hashicorp/consul:1.22.7') {
  const { run } = startRun({ image });
  const views = servers.map((containers, index) =>
    podView(
      raw(
        'Pod',
        { name: `consul-server-${index}` },
        {
          status: {
            containerStatuses: Object.entries(containers).map(([name, imageID]) => ({ name, imageID })),
          },
        },
      ),
    ),
  );
  const manifest = render(config({ image })).find(({ metadata }) => metadata.name === 'consul-server');
  const workloads = { pods: () => views, manifest: () => manifest } as unknown as Workloads;
  describeCluster(run, workloads, { evidence: [], findings: [] } as unknown as QuorumLook);
  return { image: run.known.image, warnings: run.known.warnings };
}

test.each([
  ['a sidecar whose name sorts before', { a: SIDECAR, consul: CONSUL }],
  ['a sidecar whose name sorts behind', { consul: CONSUL, proxy: SIDECAR }],
  ['a sidecar without a digest', { a: 'sha256:3', consul: CONSUL }],
  ['no other container', { consul: CONSUL }],
  ['one container of another name', { agent: CONSUL }],
  ['a runtime that puts its own scheme before it', { consul: `docker-pullable://${CONSUL}` }],
] as [string, Record<string, string>][])('the image is that of Consul, by digest: %s', (_, containers) => {
  expect(concluded([containers, containers])).toEqual({ image: CONSUL, warnings: [] });
});

test('the report has the image that was configured where the runtime knows no digest', () => {
  expect(concluded([{ a: SIDECAR ?? '', consul: 'sha256:4' }]).image).toBe('hashicorp/consul:1.22.7');
});

test('servers with several images under one tag are a warning, and the report has the image that was configured', () => {
  const { image, warnings } = concluded([{ consul: CONSUL ?? '' }, { consul: SIDECAR ?? '' }]);
  expect(image).toBe('hashicorp/consul:1.22.7');
  expect(warnings).toEqual([expect.stringContaining('The servers run 2 different images')]);
});
