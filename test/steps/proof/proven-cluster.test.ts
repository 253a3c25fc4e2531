import { expect, test } from 'vitest';
import { render } from '../../../src/manifests/render.ts';
import { podView } from '../../../src/rollout/pod.ts';
import type { Workloads } from '../../../src/session/workloads.ts';
import { clusterState, describeCluster } from '../../../src/steps/proof/proven-cluster.ts';
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
  const { image: proven } = clusterState(run, workloads, {
    evidence: [],
    findings: [],
  } as unknown as QuorumLook);
  return { image: proven, warnings: run.known.warnings };
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

test('the state of a cluster is what the first server says, and the report gets it', () => {
  const { run } = startRun({ ui: false });
  const raft = [
    { id: 'id-0', node: 'consul-server-0', address: '10.0.0.1:8300', leader: false, voter: true },
    { id: 'id-1', node: 'consul-server-1', address: '10.0.0.2:8300', leader: true, voter: true },
    { id: 'id-2', node: 'consul-server-2', address: '10.0.0.3:8300', leader: false, voter: false },
  ];
  const evidence = [{ name: 'consul-server-0', version: '1.22.7', raft, denied: [], errors: {} }];
  const led = { term: 7, leader: 'id-1', voters: ['id-1'], since: '2026-01-01T00:00:00.000Z' };
  const look = { evidence, held: { ms: 1, parts: [], led } } as unknown as QuorumLook;
  const workloads = { pods: () => [], manifest: () => undefined };
  const state = clusterState(run, workloads, look);
  expect(state).toEqual({
    servers: evidence,
    leader: 'consul-server-1',
    led,
    voters: 2,
    version: '1.22.7',
    image: run.config.image,
  });
  describeCluster(run, state);
  const { image } = run.config;
  expect(run.result()).toMatchObject({
    leader: 'consul-server-1',
    voters: 2,
    consulVersion: '1.22.7',
    image,
  });
  expect(run.result()).not.toHaveProperty('uiCommand');
});
