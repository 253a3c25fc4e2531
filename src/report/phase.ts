import type { PhaseName } from './result.ts';

const TITLES: Record<PhaseName, string> = {
  read: 'Read the snapshot',
  connect: 'Connect to the cluster',
  render: 'Render manifests',
  lock: 'Lock',
  'dry-run': 'Dry run',
  compare: 'Compare with what was deployed',
  survey: 'Look for ghosts',
  look: 'Look at what each server has',
  snapshot: 'Take a snapshot',
  rehearse: 'Rehearse the restore',
  restore: 'Restore',
  apply: 'Apply',
  encrypt: 'Encrypt what agents say',
  wait: 'Wait for servers and clients',
  prove: 'Prove',
  'delete-server': 'Delete a server',
  'delete-leader': 'Delete the leader',
  'delete-client': 'Delete a client',
  prune: 'Prune',
  move: 'Move registrations to clients',
  remove: 'Remove',
  record: 'Record',
  finish: 'Finish',
};

/** What a person reads for a phase, in the log's groups and on the timeline. */
export function phaseTitle(name: PhaseName): string {
  return TITLES[name];
}
