import { count } from '../count.ts';
import type { Left } from './result/left.ts';

const GOES_ON = 'Run again: the next run goes on from there.';

/** How the cluster was left, in words. */
export function leftSentence(left: Left): string {
  switch (left.is) {
    case 'untouched':
      return 'Nothing was changed.';
    case 'no-cluster':
      return 'No cluster was touched.';
    case 'recorded':
      return 'Nothing was changed; the record has one run more.';
    case 'namespace-made':
      return `The namespace ${left.namespace} was created; nothing is in it yet.`;
    case 'record-begun':
      return 'Nothing was applied; the record says that a deploy has begun.';
    case 'applying':
      return 'What was applied so far stays; the next run continues from there.';
    case 'recreating':
      return `${left.object} was removed, and its pods run on without it. Run again: the next run recreates it around them. Until then nothing replaces a pod that ends.`;
    case 'leaving':
      return `${left.server} was told to leave the cluster, and its pod is still there. ${GOES_ON}`;
    case 'replacing':
    case 'adopting':
    case 'restarting':
    case 'changing-image':
      return `${left.done} of ${count(left.of, left.role)} ${DONE[left.is]}; the others run as before. ${GOES_ON}`;
    case 'unread-config':
      return `ConfigMap/${left.configMap} has the new configuration; ${left.pod} and perhaps others run with the one before.`;
    case 'reload-denied':
      return `ConfigMap/${left.configMap} has the new configuration; agents that have not read it run with the one before until they start again.`;
    case 'refused-config':
      return `ConfigMap/${left.configMap} has a configuration that agents refuse. They run with the one before, ${left.pod} perhaps with a part of the new one. One that starts now may not get up.`;
    case 'encrypting':
      return `${left.what === 'gossip' ? 'Gossip' : 'RPC'} is on its way to ${goal(left)}, and every agent understands the others. ${GOES_ON}`;
    case 'rotating-key':
      return `The key of gossip is on its way to the next one, and every agent understands the others. ${GOES_ON}`;
    case 'replacing-certificates':
      return `The certificates are on their way to new ones, and every agent trusts the others. ${GOES_ON}`;
    case 'deployed':
      return left.changed
        ? 'The cluster runs what was rendered.'
        : 'The cluster already ran what is rendered; nothing was written but the lock and the record.';
    case 'not-pruned':
      return 'The cluster runs what was rendered; not all that is no longer rendered could be removed.';
    case 'data-lost':
      return 'The cluster runs what was rendered, and works; its servers have lost what they held.';
    case 'registrations-lost':
      return 'The cluster runs what was rendered, and works; what is named is no longer registered.';
    case 'moving-registrations':
      return 'The cluster runs what was rendered. Services were being moved from servers to clients; some may be at both, which does no harm. Run again.';
    case 'moved-registrations':
      return `The cluster runs what was rendered; ${count(left.services, 'service')} moved from servers to clients.`;
    case 'fault':
      return `${left.pod} was deleted on purpose; its controller recreates it, with no help of this action.`;
    case 'healed':
      return healed(left);
    case 'sweeping':
      return 'What was removed so far is gone; run again for the rest.';
    case 'swept':
      return `Removed from the catalog: ${left.removed || 'nothing'}; the rest of it is as it was.`;
    case 'removing':
      return 'What was removed so far is gone; the next run goes on from there.';
    case 'never-deployed':
      return `There is nothing: no deployment "${left.name}" is recorded in the namespace ${left.namespace}.`;
    case 'removed':
      return removed(left);
    case 'rehearsing':
      return `Consul is as it was. The namespace ${left.namespace} may still be there, with a copy of what the snapshot holds: kubectl delete namespace ${left.namespace}`;
    case 'rehearsal-ended':
      return `Consul is as it was. The namespace ${left.namespace} of the rehearsal was asked to go.`;
    case 'rehearsed':
      return `Consul is as it was, and the namespace ${left.namespace} of the rehearsal is gone.`;
    default:
      return recovered(left);
  }
}

const DONE = {
  replacing: 'were replaced',
  adopting: 'were moved to their new shape',
  restarting: 'run with the new configuration',
  'changing-image': 'run with the new image',
};

function goal({ what, isWanted }: Extract<Left, { is: 'encrypting' }>): string {
  if (!isWanted) return 'plaintext';
  return what === 'gossip' ? 'encryption' : 'TLS';
}

/** A restore, and what comes before one. */
type Recovery = Extract<Left, { is: `restore${string}` | `quorum-${string}` | 'starting-empty' }>;

function recovered(left: Recovery): string {
  switch (left.is) {
    case 'restore-sent':
      return `The restore was sent and its end was not seen: Consul holds either what it held before, or what the snapshot holds. Run it again; what it held before is in ${left.before}.`;
    case 'restored-unproven':
      return `Consul holds what the snapshot holds, which is not proven yet. What it held before is in ${left.before}.`;
    case 'restored':
      return `Consul holds what the snapshot holds. What it held before is in ${left.before}.`;
    case 'starting-empty':
      return 'All servers have lost their data, and form an empty cluster. Run it again to restore into that.';
    case 'quorum-lost':
      return `There is no quorum. ${left.servers.join(', ')} may have the file raft/peers.json, with which an agent takes the votes of the lost servers away when it starts again. Run it again; what there was before is in ${left.before}.`;
    case 'quorum-rebuilt':
      return `${left.servers.join(', ')} ${left.servers.length === 1 ? 'is' : 'are'} the quorum now; the others join as new servers, which is not proven yet. What there was before is in ${left.before}.`;
    case 'quorum-whole':
      return `The quorum is whole again, with all that the survivor had. What that was is in ${left.before}, too.`;
    case 'quorum-never-lost':
      return `The quorum was not lost: the servers follow ${left.leader}. Nothing was restored.`;
  }
}

function healed({ pods, isRecorded }: Extract<Left, { is: 'healed' }>): string {
  const [names, were, itself] =
    pods.length > 1
      ? [`${pods.slice(0, -1).join(', ')} and ${pods.at(-1)}`, 'were', 'themselves']
      : [pods.join(), 'was', 'itself'];
  const record = isRecorded ? '; the record has one run more' : '';
  return `${names} ${were} deleted on purpose, and healed by ${itself}. Nothing else was changed${record}.`;
}

function removed({ name, namespace, isNamespaceGone, kept, keys }: Extract<Left, { is: 'removed' }>): string {
  const claims = kept.filter(({ kind }) => kind === 'PersistentVolumeClaim').map((claim) => claim.name);
  const rest = isNamespaceGone ? ', and its namespace with it' : `; the namespace ${namespace} stays`;
  const parts = [`What was deployed as "${name}" is gone${rest}.`];
  if (kept.length > 0) parts.push(`Kept: ${kept.map((one) => `${one.kind}/${one.name}`).join(', ')}.`);
  if (claims.length > 0) {
    parts.push(
      `A later deploy finds its data in the claims; they go with kubectl -n ${namespace} delete pvc ${claims.join(' ')}.`,
    );
  }
  if (keys.length > 0) {
    // An agent whose volume has another gossip key than it is given goes on with the one of its volume.
    const when = claims.length > 0 ? 'they go after the claims, ' : 'they go ';
    parts.push(
      `A later deploy uses the keys in the Secrets again; ${when}with kubectl -n ${namespace} delete secret ${keys.join(' ')}.`,
    );
  }
  return parts.join(' ');
}
