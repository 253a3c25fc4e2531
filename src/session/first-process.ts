import { Failure } from '../failure.ts';
import { START_SIGN } from '../manifests/start.ts';
import type { PodView } from '../rollout/pod.ts';

/**
 * Shell: `restart_agent` tells the start script to start its agent again, and nobody else. It is the first process of the
 * container, or is run by that with the script among its words, such as an init that passes signals on. With the processes
 * of the node or of the whole pod the first one is another, and so it is where something else runs the command.
 */
export const RESTART_AGENT = `other() { name=; { read -r name </proc/1/comm; } 2>/dev/null; echo "other $name"; exit 0; }
is_first() { case "$(cat /proc/1/cmdline 2>/dev/null)" in *'${START_SIGN}'*) return 0 ;; *) return 1 ;; esac; }
restart_agent() { is_first || other; kill -USR1 1 2>/dev/null || other; }`;

/** Shell: tells the start script that the container is about to be stopped, and to be started again in its pod. */
export const ANNOUNCE_STOP = `${RESTART_AGENT}
is_first || other
kill -USR2 1 2>/dev/null || other
echo announced`;

/** Nothing was stopped, and no agent can be restarted in this pod. */
export class OtherFirstProcess extends Failure {
  constructor({ name }: Pick<PodView, 'name'>, said: string) {
    const [, found] = /^other ([\w.:-]{1,30})/.exec(said) ?? [];
    super({
      reason: 'stalled',
      what: `the agent cannot be restarted in its pod: the first process of its container is ${found ? `"${found}"` : 'another one'}, not its start script`,
      where: `Pod/${name}`,
      hint: 'Look at the pod for what shares the processes of others with it (`hostPID`, `shareProcessNamespace`) or runs its command by another one, such as a webhook. Take that away, or delete this pod while all others are ready: the next one starts with the files as they are. Deploy again then.',
    });
    this.name = 'OtherFirstProcess';
  }

  /** @throws this, where it was said */
  static check(pod: Pick<PodView, 'name'>, said: string): void {
    if (said.startsWith('other')) throw new OtherFirstProcess(pod, said);
  }
}
