import { type KubernetesObject, objectName } from '../kubernetes/object.ts';
import { isMachine } from './settled.ts';

/** Who wrote to an object last, controllers left out. */
export interface Write {
  object: string;
  manager: string;
  /** RFC 3339. */
  at: string;
}

/** The last writes of people, tools and ourselves, the newest first. */
export function lastWrites(objects: readonly KubernetesObject[], most: number): Write[] {
  return objects
    .flatMap((object) =>
      (object.metadata.managedFields ?? []).flatMap((entry): Write[] => {
        const { manager, time, subresource } = entry;
        if (time === undefined || isMachine(entry)) return [];
        const by = subresource ? `${manager} (${subresource})` : manager;
        return [{ object: objectName(object), manager: by, at: time }];
      }),
    )
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, most);
}
