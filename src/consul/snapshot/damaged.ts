import { Failure } from '../../failure.ts';

/** What was read is no snapshot, or not all of one. */
export class DamagedSnapshot extends Failure {
  constructor(where: string, why: string, cause?: unknown) {
    super({
      reason: 'snapshot',
      what: `the snapshot is damaged: ${why}`,
      where,
      hint: 'Nothing can be restored from it. Take another one; look whether it was cut off on its way, or whether a disk is full.',
      cause,
    });
    this.name = 'DamagedSnapshot';
  }
}
