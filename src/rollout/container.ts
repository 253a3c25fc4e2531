/** What the diagnosis needs of a container's status. */
export interface ContainerView {
  name: string;
  /** It has to end before the containers of the pod start. */
  init: boolean;
  /** As the runtime tells it: by digest, `docker.io/hashicorp/consul@sha256:…`, or only the id of the image, `sha256:…`. */
  imageId?: string;
  restarts: number;
  running: boolean;
  /** Its startup probe has passed. */
  started: boolean;
  waiting?: { reason: string; message: string };
  /** How it ended the last time. */
  ended?: { reason: string; exitCode: number; message: string };
}

interface Terminated {
  reason?: string;
  exitCode?: number;
  message?: string;
}

export interface ContainerStatus {
  name?: string;
  imageID?: string;
  restartCount?: number;
  started?: boolean | null;
  state?: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: Terminated;
  };
  lastState?: { terminated?: Terminated };
}

const LONGEST_MESSAGE = 1_000;
const LONGEST_REASON = 60;

/** Projects the status of a container; messages become one line, cut at 1000 characters. */
export function containerView(status: ContainerStatus, init: boolean): ContainerView {
  const { waiting, running, terminated } = status.state ?? {};
  const ended = terminated ?? status.lastState?.terminated;
  return {
    name: status.name ?? '',
    init,
    ...(status.imageID && { imageId: status.imageID }),
    restarts: status.restartCount ?? 0,
    running: running !== undefined,
    started: status.started === true,
    ...(waiting && {
      waiting: {
        reason: oneLine(waiting.reason ?? '', LONGEST_REASON) || 'Waiting',
        message: oneLine(waiting.message ?? ''),
      },
    }),
    ...(ended && {
      ended: {
        reason: oneLine(ended.reason ?? '', LONGEST_REASON) || 'Error',
        exitCode: ended.exitCode ?? 0,
        message: oneLine(ended.message ?? ''),
      },
    }),
  };
}

/** One line of at most `longest` characters. */
export function oneLine(text: string, longest = LONGEST_MESSAGE): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
