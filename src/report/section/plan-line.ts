import { count } from '../../count.ts';
import type { Consequence, PlannedChange } from '../result/change.ts';
import type { EncryptionStep } from '../result/encryption-step.ts';
import type { Result } from '../result.ts';

export const CONSEQUENCE_TITLE: Record<Consequence, string> = {
  none: 'unchanged',
  metadata: 'metadata',
  'in-place': 'in place',
  reloads: 'reloads',
  restarts: 'restarts',
  create: 'create',
  'rolls-pods': 'rolls pods',
  recreate: 'recreate',
  delete: 'delete',
  'data-loss': 'data loss',
};
/** A plan is what a run is about: of `plan`, and of a deploy that was held to another one. */
export function isAboutPlan({ mode, failure }: Result): boolean {
  return mode === 'plan' || failure?.reason === 'plan-changed';
}

/** `3 changes: rolls 3 server pods, deletes 1 object`; what is gravest comes first. */
export function planHeadline(result: Pick<Result, 'plan' | 'name' | 'encryptionSteps'>): string {
  const { plan = [], name, encryptionSteps = [] } = result;
  const changes = plan.filter(({ consequence }) => consequence !== 'none');
  if (changes.length === 0) return encryptionSteps.join(', ') || 'nothing to change';
  const number = (consequence: Consequence) =>
    changes.filter((change) => change.consequence === consequence).length;
  const objects = (verb: string, consequence: Consequence) =>
    number(consequence) > 0 ? [`${verb} ${count(number(consequence), 'object')}`] : [];
  const lost = changes.filter(({ consequence }) => consequence === 'data-loss');
  const parts = [
    ...(lost.length > 0 ? [`loses data of ${lost.map(objectOf).join(', ')}`] : []),
    ...objects('deletes', 'delete'),
    ...objects('recreates', 'recreate'),
    ...rolled(changes, name),
    ...objects('creates', 'create'),
    ...objects('restarts agents for', 'restarts'),
    ...objects('reloads', 'reloads'),
    ...encryptionSteps,
  ];
  return `${count(changes.length, 'change')}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

function rolled(changes: readonly PlannedChange[], name: string): string[] {
  const total = (of: (change: PlannedChange) => boolean) =>
    changes.filter(of).reduce((sum, { podCount = 0 }) => sum + podCount, 0);
  const isRole = (role: string) => (change: PlannedChange) => change.name === `${name}-${role}`;
  const [servers, clients] = [total(isRole('server')), total(isRole('client'))];
  const others = total(() => true) - servers - clients;
  const parts = [
    servers > 0 ? count(servers, 'server pod') : '',
    clients > 0 ? count(clients, 'client pod') : '',
    others > 0 ? count(others, 'other pod') : '',
  ].filter((part) => part !== '');
  return parts.length > 0 ? [`rolls ${parts.join(' and ')}`] : [];
}

/** One line for each object that changes, for the log and as evidence. */
export function planLines(plan: readonly PlannedChange[]): string[] {
  return plan
    .filter(({ consequence }) => consequence !== 'none')
    .map((change) => {
      const paths = [...new Set(change.fields.map(({ path }) => path))];
      const what = [
        ...(change.podCount === undefined ? [] : [`${count(change.podCount, 'pod')}`]),
        ...(paths.length > 0
          ? [
              paths.slice(0, 3).join(' '),
              ...(paths.length > 3 ? [`and ${count(paths.length - 3, 'more field')}`] : []),
            ]
          : []),
        ...change.notes,
      ];
      return `${CONSEQUENCE_TITLE[change.consequence]}: ${objectOf(change)}${what.length > 0 ? ` (${what.join('; ')})` : ''}`;
    });
}

/** `gossip: off → strict` */
export function encryptionLine(step: EncryptionStep): string {
  if (step.is === 'key-into-secret') return 'gossip: the key of the agents into its Secret';
  if (step.is === 'another-key') return 'gossip: another key';
  if (step.is === 'another-authority') return 'TLS: another authority';
  return `${step.what === 'gossip' ? 'gossip' : 'TLS'}: ${step.from} → ${step.to}`;
}

/** `StatefulSet/consul-server` */
export function objectOf({ kind, name }: PlannedChange): string {
  return `${kind}/${name}`;
}
