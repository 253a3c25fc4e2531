import type { Config } from '../../config/config.ts';
import { agentConfigName, roleName } from '../../manifests/name.ts';
import type { PlannedChange } from '../../report/result/change.ts';
import type { Run } from '../../session/run.ts';

/** What is about to happen to the data of the servers. */
export type Danger = 'none' | 'servers' | 'data-loss' | 'destroy';

const WORDS: Readonly<Record<Danger, string>> = {
  none: 'the cluster may change',
  servers: 'servers are replaced or restarted',
  'data-loss': 'data may be lost',
  destroy: 'all is removed',
};

/** As a sentence goes on. */
export function inWords(danger: Danger, { destroyData }: Pick<Config, 'destroyData'>): string {
  return danger === 'destroy' && !destroyData ? 'all but the volumes is removed' : WORDS[danger];
}

/**
 * By the plan of a deploy.
 * @param encryption what the deploy does to encryption beside the objects: each step restarts agents that run
 */
export function dangerOf(
  config: Config,
  plan: readonly PlannedChange[],
  encryption: readonly string[] = [],
): Danger {
  if (plan.some(({ consequence }) => consequence === 'data-loss')) return 'data-loss';
  const servers = roleName(config, 'server');
  const settings = agentConfigName(config, 'server');
  const stopped = plan.some(({ kind, name, consequence }) =>
    kind === 'StatefulSet'
      ? name === servers && ['restarts', 'rolls-pods', 'recreate', 'delete'].includes(consequence)
      : kind === 'ConfigMap' && name === settings && consequence === 'restarts',
  );
  return stopped || encryption.length > 0 ? 'servers' : 'none';
}

/** Whether this run takes one before a change of this kind, if there are servers. */
export function takesSnapshot(
  { snapshot, snapshotKey, snapshotPlain }: Pick<Config, 'snapshot' | 'snapshotKey' | 'snapshotPlain'>,
  danger: Danger,
): boolean {
  const kept = snapshotKey !== undefined || snapshotPlain;
  return snapshot === 'always' || (snapshot === 'auto' && danger !== 'none' && kept);
}

/** Says beside the plan whether a deploy of it takes a snapshot first, and why. Its digest is of the plan alone. */
export function tellPlannedSnapshot(run: Run): void {
  const { config, known } = run;
  const danger = dangerOf(config, known.plan ?? [], known.encryptionSteps);
  const line = plannedSnapshot(config, danger);
  if (line === undefined) return;
  known.plannedSnapshot = line;
  run.log.info(line);
}

/** Undefined where none is taken, and nobody would want one. */
function plannedSnapshot(config: Config, danger: Danger): string | undefined {
  const why = inWords(danger, config);
  if (takesSnapshot(config, danger)) {
    const because = config.snapshot === 'always' ? 'the input snapshot is always' : why;
    return `A snapshot of the servers that run is taken first, since ${because}.`;
  }
  if (danger === 'none') return undefined;
  const cause =
    config.snapshot === 'never'
      ? 'the input snapshot is never'
      : 'there is no snapshot-key to encrypt it with';
  return `No snapshot is taken first although ${why}: ${cause}.`;
}
