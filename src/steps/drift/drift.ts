import { isDeepStrictEqual } from 'node:util';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Drift } from '../../report/result/change.ts';
import { driftLines, driftTotals } from '../../report/section/drift.ts';
import { deployedImage } from '../../session/deployed-config.ts';
import type { Run } from '../../session/run.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';
import { agentImage, digestOf } from '../proof/agent-image.ts';
import { versionOf } from '../proof/proof.ts';
import type { ProvenCluster } from '../proof/proven-cluster.ts';
import type { Comparison } from './compare.ts';

interface DriftCheck {
  id: string;
  title: string;
  expected: string;
  /** What does not hold; empty where all does. */
  drift: string;
  /** What is seen where all holds. */
  fine: string;
}

/** Adds drift to what the run knows, each once: to the report, and to the evidence of whatever fails. */
export function addDrift(run: Run, drift: readonly Drift[]): void {
  const known = run.known.drift ?? [];
  const fresh = drift.filter((one) => !known.some((other) => isDeepStrictEqual(one, other)));
  run.known.drift = [...known, ...fresh];
  run.findings.push(...fresh.flatMap(driftLines));
}

/** One check for each kind of drift. */
export function tellDrift(run: Run, { drift, deployed, unseen }: Comparison): void {
  const having = (...kinds: Drift['what'][]) => drift.filter(({ what }) => kinds.includes(what));
  const blind = unseen.length > 0 ? `; not looked at: ${unseen.join(', ')}` : '';
  const checks: DriftCheck[] = [
    {
      id: 'drift-objects',
      title: 'Objects as deployed',
      expected: `${deployed.length}, none missing or recreated`,
      drift: driftTotals(having('missing', 'replaced')),
      fine: `${deployed.length} of ${deployed.length}`,
    },
    {
      id: 'drift-fields',
      title: 'Fields as deployed',
      expected: 'none changed',
      drift: driftTotals(having('changed')),
      fine: 'none changed',
    },
    {
      id: 'drift-unexpected',
      title: 'No other objects',
      expected: 'none with the labels of this deployment',
      drift: driftTotals(having('unexpected')),
      fine: 'none',
    },
  ];
  for (const check of checks) tell(run, { ...check, fine: check.fine + blind });
}

/** Whether the deploy before came to its end: the record is complete only when the cluster is proven. */
export function tellLastDeploy(run: Run, { phase, run: by, at }: Inventory): void {
  const drift = phase === 'applying' ? `not proven: ${by} began at ${at} and was cut off, or red` : '';
  tell(run, {
    id: 'drift-deploy',
    title: 'Last deploy',
    expected: 'proven',
    drift,
    fine: `proven: ${by} at ${at}`,
  });
  if (drift) run.findings.push(`the last deploy was ${drift}`);
}

/** The pods run the very image that was proven: a tag may mean another one by now. */
export function tellImages(
  run: Run,
  workloads: Pick<Workloads, 'pods'>,
  deployed: readonly KubernetesObject[],
  { image: recorded }: Inventory,
): void {
  if (!recorded?.includes('@')) return;
  const ofServers = deployedImage(run.config, 'server', deployed);
  const all = ROLES.filter((role) => deployedImage(run.config, role, deployed) === ofServers).flatMap(
    (role) => workloads.pods(role),
  );
  // A runtime that was given the image as a file knows no digest, and a pod that has not started has no image.
  const pods = all.flatMap((pod) => {
    const image = agentImage(pod);
    return image === undefined ? [] : [{ name: pod.name, image }];
  });
  if (pods.length === 0) return;
  const others = pods.filter(({ image }) => digestOf(image) !== digestOf(recorded));
  const drift = others.map(
    ({ name, image }): Drift => ({
      kind: 'Pod',
      name,
      namespace: run.config.namespace,
      what: 'changed',
      fields: [
        {
          path: '.status.containerStatuses[name="consul"].imageID',
          before: recorded,
          after: image,
        },
      ],
    }),
  );
  addDrift(run, drift);
  tell(run, {
    id: 'drift-image',
    title: 'Image as deployed',
    expected: recorded,
    drift: others.length > 0 ? `another in ${others.map(({ name }) => name).join(', ')}` : '',
    fine:
      pods.length === all.length
        ? `in all ${count(pods.length, 'pod')}`
        : `in ${pods.length} of ${count(all.length, 'pod')}; the others tell no digest`,
  });
}

/** The servers answer with the version that was proven, where their image does not say which that is. */
export function tellVersion(
  run: Run,
  { servers }: Pick<ProvenCluster, 'servers'>,
  { consulVersion: recorded }: Inventory,
): void {
  if (recorded === undefined || versionOf(run.config.image) !== undefined) return;
  const others = servers.filter(({ version }) => version !== undefined && version !== recorded);
  const drift = others.map(
    ({ name, version = '' }): Drift => ({
      kind: 'Pod',
      name,
      namespace: run.config.namespace,
      what: 'changed',
      fields: [{ path: '(version of Consul)', before: recorded, after: version }],
    }),
  );
  addDrift(run, drift);
  tell(run, {
    id: 'drift-version',
    title: 'Version as deployed',
    expected: recorded,
    drift: others.map(({ name, version }) => `${name} runs ${version}`).join(', '),
    fine: `in all ${count(servers.length, 'server')}`,
  });
}

/** Pods that the selectors of this cluster match and that none of its workloads made: its Services lead to them. */
export function strangers(run: Run, workloads: Workloads, live: readonly KubernetesObject[]): Drift[] {
  const owners = new Set(live.map(({ metadata }) => metadata.uid));
  return workloads.observation
    .pods()
    .filter(({ ownerUid, terminating }) => !terminating && (ownerUid === undefined || !owners.has(ownerUid)))
    .map(({ name }) => ({
      kind: 'Pod',
      name,
      namespace: run.config.namespace,
      what: 'unexpected',
      fields: [],
    }));
}

/** What the run fails with when nothing else is wrong; undefined without drift, or where it is only reported. */
export function driftFailure(run: Run, { phase }: Inventory): Failure | undefined {
  const { drift = [] } = run.known;
  const what = [
    ...(phase === 'applying' ? ['the last deploy was not proven'] : []),
    ...(drift.length > 0 ? [driftTotals(drift)] : []),
  ].join('; ');
  if (what === '' || run.config.onDrift === 'report') return undefined;
  return new Failure({
    reason: 'drift',
    what,
    where: `namespace ${run.config.namespace}`,
    hint: '`mode: deploy` with the inputs of the last deploy brings it back, with `force-conflicts` for fields that another manager owns now; what should stay belongs in those inputs. `on-drift: report` lets it be.',
  });
}

function tell(run: Run, { id, title, expected, drift, fine }: DriftCheck): void {
  const check = { id, title, group: 'drift', expected, observed: drift || fine } as const;
  if (drift && run.config.onDrift === 'report') run.concern(check);
  else run.check({ ...check, passed: !drift });
}
