import type { Config } from '../config/config.ts';

export const ROLES = ['server', 'client'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What selectors match on. The same two labels as in clusters made by hand from the widely copied manifests,
 * because a workload's selector is immutable: with other labels such a cluster could not be taken over.
 */
export function selectorLabels(config: Config, role: Role): Record<string, string> {
  return { app: config.name, 'consul-role': role };
}

/**
 * Labels of the objects themselves. Ownership lives here and never in selectors, pod templates or volume
 * claim templates, where a changed label would roll pods or be refused as immutable.
 */
export function objectLabels(config: Config, role?: Role): Record<string, string> {
  return {
    app: config.name,
    ...(role && { 'consul-role': role }),
    'app.kubernetes.io/name': 'consul',
    'app.kubernetes.io/instance': config.name,
    'app.kubernetes.io/managed-by': 'consul-deploy',
  };
}

/** Annotation of a pod template: the digest of the configuration its agents were started with. */
export const CONFIG_DIGEST = 'consul-deploy/config-digest';
