import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { KubeConfig, User } from '@kubernetes/client-node';
import { Failure } from '../../failure.ts';
import { type ExecConfig, runExecPlugin } from './exec.ts';

/** Rotated token files and tokens of unknown life are read again this often, as client-go does. */
const REREAD_MS = 60_000;
const LONGEST_SKEW_MS = 60_000;

export interface Credential {
  headers: Record<string, string>;
  /** PEM; only from a credential plugin, other certificates come with the kubeconfig. */
  certificate?: { cert: string; key: string };
  /** Epoch milliseconds from which on another one is fetched. */
  refreshAt?: number;
}

interface TokenFile {
  tokenFile?: string;
  token?: string;
}

/** The current credential of one user. However many ask at once, it is fetched once. */
export class Credentials {
  /** Called with each secret before anybody can use it. */
  onSecret?: (secret: string) => void;
  /** Whether fetching again can give another one. */
  readonly refreshable: boolean;
  readonly #kubeConfig: KubeConfig;
  readonly #user: User | null;
  readonly #closed = new AbortController();
  #current: Promise<Credential> | undefined;
  #latest: Credential | undefined;

  constructor(kubeConfig: KubeConfig) {
    this.#kubeConfig = kubeConfig;
    this.#user = kubeConfig.getCurrentUser();
    this.refreshable = Boolean(this.#user?.exec || this.#user?.authProvider);
  }

  /** @throws Failure `kubeconfig` or `unauthorized`, or the reason of the signal */
  async get(signal: AbortSignal): Promise<Credential> {
    signal.throwIfAborted();
    const credential = await orAborted(this.#pending(), signal);
    if (credential.refreshAt === undefined || Date.now() < credential.refreshAt) return credential;
    this.discard(credential);
    return orAborted(this.#pending(), signal);
  }

  /** Forgets a credential the server refused, unless that has happened already. */
  discard(credential: Credential): void {
    if (this.#latest !== credential) return;
    this.#latest = undefined;
    this.#current = undefined;
  }

  close(): void {
    this.#closed.abort();
  }

  #pending(): Promise<Credential> {
    this.#current ??= this.#fetch();
    return this.#current;
  }

  async #fetch(): Promise<Credential> {
    try {
      const credential = await this.#read();
      const as = this.#user?.impersonateUser;
      if (as) credential.headers['Impersonate-User'] = as;
      this.#latest = credential;
      return credential;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  async #read(): Promise<Credential> {
    const user = this.#user;
    if (!user) return { headers: {} };
    const file: TokenFile | undefined = user.authProvider?.config;
    if (file?.tokenFile) return this.#fromFile(file.tokenFile, file.token);
    if (user.token) return { headers: this.#bearer(user.token) };
    if (user.username) {
      this.onSecret?.(user.password ?? '');
      const basic = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
      this.onSecret?.(basic);
      return { headers: { authorization: `Basic ${basic}` } };
    }
    const exec: ExecConfig | undefined = user.exec ?? user.authProvider?.config?.exec;
    if (exec) return this.#fromPlugin(exec);
    if (user.authProvider) return this.#fromProvider(user);
    return { headers: {} };
  }

  async #fromPlugin(exec: ExecConfig): Promise<Credential> {
    const status = await runExecPlugin(exec, this.#kubeConfig.getCurrentCluster(), this.#closed.signal);
    const { token, clientCertificateData: cert, clientKeyData: key } = status;
    if (key) this.onSecret?.(key);
    const expires = Date.parse(status.expirationTimestamp ?? '');
    return {
      headers: token ? this.#bearer(token) : {},
      ...(cert && key && { certificate: { cert, key } }),
      ...(!Number.isNaN(expires) && { refreshAt: refreshTime(Date.now(), expires) }),
    };
  }

  async #fromProvider(user: User): Promise<Credential> {
    const refreshAt = Date.now() + REREAD_MS;
    try {
      const options: RequestOptions = {};
      await this.#kubeConfig.applyToHTTPSOptions(options);
      const header = (options.headers as Record<string, unknown> | undefined)?.Authorization;
      const token = String(header ?? '').replace(/^Bearer /, '');
      return { headers: token ? this.#bearer(token) : {}, refreshAt };
    } catch {
      // The provider's own error is left out: it may quote the request it made.
      throw new Failure({
        reason: 'kubeconfig',
        what: `auth-provider "${user.authProvider.name}" gave no token`,
        where: `kubeconfig, user ${user.name}`,
        hint: 'Auth providers are out of use since Kubernetes 1.26; a token or an exec plugin works everywhere.',
      });
    }
  }

  /** @param otherwise a token for when the file cannot be read, or is empty */
  async #fromFile(file: string, otherwise: string | undefined): Promise<Credential> {
    const refreshAt = Date.now() + REREAD_MS;
    try {
      const token = (await readFile(file, 'utf8')).trim();
      if (token !== '') return { headers: this.#bearer(token), refreshAt };
      if (otherwise === undefined) throw new Error('it is empty');
    } catch (error) {
      if (otherwise === undefined) {
        throw new Failure({
          reason: 'kubeconfig',
          what: 'the token file cannot be read, or is empty',
          where: file,
          hint: 'Look at `tokenFile` in the kubeconfig: what writes the file has to run before this step.',
          cause: error,
        });
      }
    }
    return { headers: this.#bearer(otherwise), refreshAt };
  }

  #bearer(token: string): Record<string, string> {
    this.onSecret?.(token);
    return { authorization: `Bearer ${token}` };
  }
}

/** Early enough for a request to arrive in time, but not so early that a short life is no life at all. */
function refreshTime(now: number, expires: number): number {
  return expires - Math.min(LONGEST_SKEW_MS, Math.max(0, expires - now) / 5);
}

/** Waits for what others may wait for too, so it is not stopped when this one no longer wants it. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
