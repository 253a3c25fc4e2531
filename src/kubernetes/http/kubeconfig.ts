import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { isJsonObject } from '../json.ts';
import type { ExecConfig } from './exec.ts';

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

const section = z.looseObject({ name: z.string() });

/** As much of a kubeconfig as is needed to merge several and to resolve their paths. */
const kubeConfigFile = z.object({
  clusters: z.array(section).nullish(),
  users: z.array(section).nullish(),
  contexts: z.array(section).nullish(),
  'current-context': z.string().nullish(),
});

interface Section {
  name: string;
  [field: string]: unknown;
}

interface Merged {
  clusters: Section[];
  users: Section[];
  contexts: Section[];
  'current-context': string;
}

/**
 * Loads a kubeconfig from a file, from text, from the files that KUBECONFIG lists, or from the pod this
 * runs in. The default of other clients, http://localhost:8080, and ~/.kube/config are not considered:
 * a deployment must not go to a cluster that nobody named.
 * @throws Failure `kubeconfig`
 */
export async function loadKubeConfig(options: {
  path?: string;
  yaml?: string;
  context?: string;
  /** Where the files of a pod are; in tests another folder than the root. */
  root?: string;
}): Promise<KubeConfig> {
  // Loading this package costs some 0.4 s, which a run that needs no cluster should not pay.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kubeConfig = new KubeConfig();
  const merged = await readAll(options);
  try {
    if (merged === 'in-cluster') kubeConfig.loadFromCluster(options.root);
    else kubeConfig.loadFromString(JSON.stringify(merged));
  } catch (error) {
    throw invalid(options.path ?? 'kubeconfig', error instanceof Error ? error.message : 'not valid', error);
  }
  choose(kubeConfig, options.context);
  if (merged !== 'in-cluster') tellPlugin(kubeConfig, merged);
  return kubeConfig;
}

async function readAll(options: {
  path?: string;
  yaml?: string;
  root?: string;
}): Promise<Merged | 'in-cluster'> {
  if (options.yaml !== undefined) return readText(options.yaml, 'kubeconfig', process.cwd());
  if (options.path !== undefined) return readFiles([options.path]);
  const paths = (process.env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  if (paths.length > 0) return readFiles(paths);
  const inPod = Boolean(process.env.KUBERNETES_SERVICE_HOST);
  if (inPod && (await exists(`${options.root ?? ''}${SERVICE_ACCOUNT_TOKEN}`))) return 'in-cluster';
  const pod = inPod ? 'the pod that this runs in has no token' : 'this does not run in a pod';
  const mount = inPod
    ? ' For that of the pod: `automountServiceAccountToken: true` in its specification.'
    : '';
  throw new Failure({
    reason: 'kubeconfig',
    what: `there is no kubeconfig: neither the input nor KUBECONFIG is set, and ${pod}`,
    where: 'kubeconfig',
    hint: `Set the input \`kubeconfig\`, or the environment variable KUBECONFIG to the path of a kubeconfig, such as \`export KUBECONFIG=~/.kube/config\`: no file is taken that nobody has named.${mount}`,
  });
}

/** As kubectl does it: the first file to set something wins, and files that are not there are passed over. */
async function readFiles(paths: readonly string[]): Promise<Merged> {
  const merged: Merged = { clusters: [], users: [], contexts: [], 'current-context': '' };
  let missing: unknown;
  let found = 0;
  for (const path of paths.map(fromHome)) {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing) throw invalid(path, `the kubeconfig cannot be read (${errorCode(error)})`, error);
      missing = error;
      continue;
    }
    found++;
    const file = readText(text, path, dirname(path));
    for (const list of ['clusters', 'users', 'contexts'] as const) {
      const known = new Set(merged[list].map((item) => item.name));
      merged[list].push(...file[list].filter((item) => !known.has(item.name)));
    }
    merged['current-context'] ||= file['current-context'];
  }
  if (found === 0) throw invalid(paths.join(delimiter), 'the kubeconfig does not exist', missing);
  return merged;
}

/** No shell has seen a path that comes from an input or from `env:` of a workflow. */
function fromHome(path: string): string {
  return /^~[/\\]/.test(path) ? join(homedir(), path.slice(2)) : path;
}

function readText(text: string, where: string, directory: string): Merged {
  let document: unknown;
  try {
    document = parse(text);
  } catch {
    // Without the parser's message, which quotes the line, and that may hold a key.
    throw invalid(where, 'the kubeconfig is not valid YAML');
  }
  const file = kubeConfigFile.safeParse(document);
  if (!file.success) {
    const issue = file.error.issues[0];
    throw invalid(
      where,
      `this is not a kubeconfig: ${issue?.path.join('.') || 'document'}: ${issue?.message}`,
    );
  }
  return {
    clusters: resolveAll(file.data.clusters, 'cluster', directory, ['certificate-authority']),
    users: resolveAll(file.data.users, 'user', directory, [
      'client-certificate',
      'client-key',
      'tokenFile',
    ]).map((user) => adaptUser(user, where, directory)),
    contexts: file.data.contexts ?? [],
    'current-context': file.data['current-context'] ?? '',
  };
}

/** Paths in a kubeconfig are relative to the file they stand in, and give way to data beside them, as in client-go. */
function resolveAll(
  sections: Section[] | null | undefined,
  key: string,
  directory: string,
  fields: readonly string[],
): Section[] {
  return (sections ?? []).map((section) => {
    const body: Record<string, unknown> = { ...(section[key] as object | null | undefined) };
    for (const field of fields) {
      const path = body[field];
      if (typeof path === 'string' && path !== '' && !isAbsolute(path)) body[field] = join(directory, path);
      if (body[`${field}-data`]) delete body[field];
    }
    return { ...section, [key]: body };
  });
}

/** Bridges what the loader does not know: `tokenFile`, plugins by relative path, impersonation beyond the user. */
function adaptUser(section: Section, where: string, directory: string): Section {
  const user = section.user as Record<string, unknown>;
  for (const field of ['as-uid', 'as-groups', 'as-user-extra']) {
    if (user[field] === undefined || user[field] === null) continue;
    throw invalid(where, `user "${section.name}" has \`${field}\`, which is not supported (only \`as\` is)`);
  }
  if (typeof user.tokenFile === 'string' && user.tokenFile !== '') {
    // The file wins over the token, which is for when it cannot be read, and both over a plugin, as in client-go.
    const { tokenFile, token } = user;
    user['auth-provider'] = { name: 'tokenFile', config: { tokenFile, ...(token ? { token } : {}) } };
    delete user.token;
    delete user.exec;
  }
  const exec = user.exec as { command?: unknown } | null | undefined;
  if (typeof exec?.command === 'string' && /[/\\]/.test(exec.command) && !isAbsolute(exec.command)) {
    user.exec = { ...exec, command: join(directory, exec.command) };
  }
  return section;
}

/** What a cluster has for credential plugins (https://kubernetes.io/docs/reference/config-api/client-authentication.v1/#client-authentication-k8s-io-v1-Cluster). */
const PLUGIN_EXTENSION = 'client.authentication.k8s.io/exec';

/** The loader drops the extensions of a cluster, and a plugin may need one of them. */
function tellPlugin(kubeConfig: KubeConfig, { clusters }: Merged): void {
  const exec: ExecConfig | undefined = kubeConfig.getCurrentUser()?.exec ?? undefined;
  const section = clusters.find(({ name }) => name === kubeConfig.getCurrentCluster()?.name);
  const { extensions } = (section?.cluster ?? {}) as { extensions?: unknown };
  if (!exec || !Array.isArray(extensions)) return;
  const found = extensions.find((one) => isJsonObject(one) && one.name === PLUGIN_EXTENSION);
  if (found) exec.config = found.extension;
}

function choose(kubeConfig: KubeConfig, wanted: string | undefined): void {
  const contexts = kubeConfig.getContexts().map((context) => context.name);
  const name = wanted ?? kubeConfig.getCurrentContext();
  const there = contexts.length > 0 ? `There are: ${contexts.join(', ')}.` : 'There are none in it.';
  if (!name) {
    throw new Failure({
      reason: 'kubeconfig',
      what: 'the kubeconfig has no current context',
      where: 'context',
      hint: `Set the input \`context\`. ${there}`,
    });
  }
  if (!contexts.includes(name)) {
    throw new Failure({
      reason: 'kubeconfig',
      what: `the kubeconfig has no context "${name}"`,
      where: 'context',
      hint: `Set the input \`context\` to one that exists. ${there}`,
    });
  }
  kubeConfig.setCurrentContext(name);
  if (!kubeConfig.getCurrentCluster()) {
    throw invalid('kubeconfig', `context "${name}" names a cluster that is not in it`);
  }
}

function invalid(where: string, what: string, cause?: unknown): Failure {
  return new Failure({
    reason: 'kubeconfig',
    what,
    where,
    hint: 'Check that the path or the secret holds a whole kubeconfig: `kubectl config view` reads it.',
    cause,
  });
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
