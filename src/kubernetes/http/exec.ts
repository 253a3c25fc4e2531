import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Cluster } from '@kubernetes/client-node';
import { z } from 'zod';
import { Failure } from '../../failure.ts';

const TIMEOUT_MS = 60_000;
const LONGEST_OUTPUT = 1 << 20;

/** `users[].user.exec` of a kubeconfig (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#ExecConfig). */
export interface ExecConfig {
  apiVersion?: string;
  command?: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  installHint?: string;
  provideClusterInfo?: boolean;
  /** What the cluster's extension `client.authentication.k8s.io/exec` holds. */
  config?: unknown;
}

const execCredential = z.object({
  kind: z.literal('ExecCredential'),
  apiVersion: z.string(),
  // Go takes null for what is not set, and some plugins write it.
  status: z.object({
    token: z.string().nullish(),
    clientCertificateData: z.string().nullish(),
    clientKeyData: z.string().nullish(),
    expirationTimestamp: z.string().nullish(),
  }),
});

export type ExecStatus = z.infer<typeof execCredential>['status'];

/**
 * Runs a credential plugin without a shell and reads the credential from its output
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
 * @throws Failure `kubeconfig` when it cannot run or talks another language, `unauthorized` when it gives up
 */
export async function runExecPlugin(
  exec: ExecConfig,
  cluster: Cluster | null,
  signal: AbortSignal,
): Promise<ExecStatus> {
  const command = exec.command ?? '';
  const where = `credential plugin ${command}`;
  const info = await execInfo(exec, cluster);
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const { name, value } of exec.env ?? []) env[name] = value;
  env.KUBERNETES_EXEC_INFO = JSON.stringify(info);
  const output = await run(command, exec, env, signal);
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    throw new Failure({ reason: 'kubeconfig', what: 'its output is not JSON', where, hint: tryIt(exec) });
  }
  const credential = execCredential.safeParse(answer);
  const { token, clientCertificateData, clientKeyData } = credential.data?.status ?? {};
  if (!credential.success || !(token || (clientCertificateData && clientKeyData))) {
    const what = 'its output is not an ExecCredential with a token or a client certificate';
    throw new Failure({ reason: 'kubeconfig', what, where, hint: tryIt(exec) });
  }
  if (credential.data.apiVersion !== exec.apiVersion) {
    throw new Failure({
      reason: 'kubeconfig',
      what: `it answered in ${credential.data.apiVersion}, the kubeconfig wants ${exec.apiVersion}`,
      where,
      hint: 'Write the kubeconfig again with the current version of the plugin.',
    });
  }
  return credential.data.status;
}

/** What the plugin may ask for; without it several fall back to versions of the API that are gone. */
async function execInfo(exec: ExecConfig, cluster: Cluster | null): Promise<unknown> {
  const spec: Record<string, unknown> = { interactive: false };
  if (exec.provideClusterInfo && cluster) {
    const { caData, caFile } = cluster;
    spec.cluster = {
      server: cluster.server,
      'tls-server-name': cluster.tlsServerName,
      'insecure-skip-tls-verify': cluster.skipTLSVerify || undefined,
      'certificate-authority-data': caData || (caFile && (await readFile(caFile)).toString('base64')),
      'proxy-url': cluster.proxyUrl,
      config: exec.config,
    };
  }
  return { apiVersion: exec.apiVersion, kind: 'ExecCredential', spec };
}

function run(
  command: string,
  exec: ExecConfig,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, exec.args ?? [], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(0, LONGEST_OUTPUT);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-4096);
    });
    child.once('error', (error) => reject(notRun(command, exec, error)));
    child.once('close', (code) => {
      if (code === 0) return resolve(output);
      reject(
        new Failure({
          reason: 'unauthorized',
          what: `it ended with exit code ${code ?? 'unknown'}`,
          where: `credential plugin ${command}`,
          hint: tryIt(exec),
          details: lastLines(errors),
        }),
      );
    });
  });
}

function notRun(command: string, exec: ExecConfig, error: Error): Failure {
  const code = 'code' in error ? String(error.code) : error.name;
  const timedOut = error.name === 'AbortError';
  return new Failure({
    reason: 'kubeconfig',
    what: timedOut ? `it did not answer within ${TIMEOUT_MS / 1000} s` : `it cannot be run (${code})`,
    where: `credential plugin ${command}`,
    hint:
      exec.installHint || `Install ${command} on the runner before this step, and see that it is in PATH.`,
  });
}

function tryIt(exec: ExecConfig): string {
  return `Run ${exec.command} by hand on the runner; it needs its own sign-in before this step.`;
}

/** The plugin's complaint, without long unbroken strings: those may be tokens. */
function lastLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .slice(-3)
    .map((line) => line.replace(/[\w.+=-]{32,}/g, '(hidden)').slice(0, 300));
}
