import { AGENT_CONTAINER } from '../../manifests/name.ts';
import type { ContainerView } from '../../rollout/container.ts';
import type { PodView } from '../../rollout/pod.ts';

/**
 * The image of a pod's Consul container by digest, such as `docker.io/hashicorp/consul@sha256:…`. Containers are
 * found by name: the kubelet sorts their statuses by it, so that any sidecar may come first.
 * @returns undefined where the container runtime knows no digest: it gives the id of the image then
 */
export function agentImage({ containers }: Pick<PodView, 'containers'>): string | undefined {
  const id = agentContainer(containers)?.imageId?.replace(/^docker-pullable:\/\//, '');
  return id?.includes('@') ? id : undefined;
}

/** `sha256:…` of an image by digest: the same image may have another name, such as that of a mirror. */
export function digestOf(image: string): string {
  return image.slice(image.indexOf('@') + 1);
}

/** A post-render command may have renamed it; among several nobody can tell then. */
function agentContainer(containers: readonly ContainerView[]): ContainerView | undefined {
  const main = containers.filter(({ init }) => !init);
  return main.find(({ name }) => name === AGENT_CONTAINER) ?? (main.length === 1 ? main[0] : undefined);
}
