import { Failure, type FailureFields } from '../failure.ts';

/** What the API server says about an error: `metav1.Status`. */
export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** An answer of the API server that is not 2xx. Carries neither headers nor the body that was sent. */
export class ApiError extends Error {
  readonly status: number;
  /** The machine-readable reason of the Status, such as `Conflict`; empty when something else answered. */
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** Finds the request in the audit log of the API server. */
  readonly auditId: string | undefined;
  /** Seconds the server asked to wait before another try. */
  readonly retryAfter: number | undefined;

  constructor(fields: {
    status: number;
    message: string;
    reason?: string | undefined;
    details?: StatusDetails | undefined;
    auditId?: string | undefined;
    retryAfter?: number | undefined;
  }) {
    super(fields.message);
    this.name = 'ApiError';
    this.status = fields.status;
    this.reason = fields.reason ?? '';
    this.details = fields.details;
    this.auditId = fields.auditId;
    this.retryAfter = fields.retryAfter ?? fields.details?.retryAfterSeconds;
  }
}

/** To a patch that names the uid: the object is gone, or another one has its name. A uid is a field that cannot be changed. */
export function isGoneOrAnother({ status, details }: ApiError): boolean {
  const isAnother = details?.causes?.some(({ field }) => field === 'metadata.uid') === true;
  return status === 404 || status === 409 || isAnother;
}

/** No usable answer came: the connection failed, broke, timed out or led to something that is no API server. */
export class NetworkError extends Error {
  /** A code of Node, OpenSSL or undici such as `ECONNREFUSED`, or `NOT_JSON`, `INVALID_JSON`, `NO_ANSWER`. */
  readonly code: string;
  readonly server: string;

  constructor(server: string, code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'NetworkError';
    this.server = server;
    this.code = code;
  }
}

/** What was being done, for the message: `verb` as in RBAC, `object` as people name it (`StatefulSet/consul-server`). */
export interface CallContext {
  verb: string;
  object?: string;
}

const IMMUTABLE =
  /field is immutable|updates to statefulset spec for fields other than|may not change once set|is immutable after creation|cannot change roleRef|selector.{0,300}immutable/i;

/** Whether the API server says that this field of an existing object can never be changed. */
export function isImmutable(error: unknown): boolean {
  return error instanceof ApiError && error.status === 422 && IMMUTABLE.test(error.message);
}

/** Quotas, Pod Security, webhooks and policies say no in one of these ways, mostly with 403 as RBAC does. */
const ADMISSION =
  /admission webhook "|failed calling webhook|exceeded quota|violates PodSecurity|ValidatingAdmissionPolicy|denied (the )?request|is being terminated|LimitRange|maximum .{0,40} usage per/;

const RBAC = /User "([^"]*)" cannot (\w+) (?:resource|path) "([^"]*)"(?: in API group "([^"]*)")?(.*)$/s;

/** Turns whatever a call threw into the Failure that says what to do; a Failure stays as it is. */
export function apiFailure(error: unknown, context: CallContext): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof NetworkError) return networkFailure(error);
  if (!(error instanceof ApiError)) return otherFailure(error);
  const fields = { ...refusal(error, context), cause: error };
  return new Failure(context.object === undefined ? fields : { where: context.object, ...fields });
}

function refusal(error: ApiError, context: CallContext): FailureFields {
  const message = redacted(error.message, context);
  const isRbac = error.status === 403 && RBAC.test(error.message);
  if (!isRbac && ADMISSION.test(error.message)) {
    return { reason: 'rejected', what: message, hint: admissionHint(error.message) };
  }
  switch (error.status) {
    case 401:
      return {
        reason: 'unauthorized',
        what: 'the API server does not accept the credentials',
        hint: 'The token or certificate in the kubeconfig has expired or belongs to another cluster. `kubectl auth whoami` shows who the server takes you for.',
      };
    case 403:
      return forbidden(error, message);
    case 404:
      return error.details?.kind === 'namespaces'
        ? {
            reason: 'invalid-input',
            what: message,
            hint: 'Set `create-namespace: true`, or create the namespace first.',
          }
        : {
            reason: 'invalid-manifest',
            what: message,
            hint: 'It may have been removed meanwhile; run again.',
          };
    case 409:
      return {
        reason: 'conflict',
        what: message,
        hint: 'Somebody else changed the object at the same time. Run again.',
      };
    case 400:
    case 413:
    case 415:
    case 422:
      return invalid(error, message, context);
    default:
      return {
        reason: 'unreachable',
        what: `the API server answered ${error.status} to ${context.verb}: ${message}`,
        hint: 'The API server or something in front of it is overloaded or starting. Run again when `kubectl get --raw /readyz` says ok.',
      };
  }
}

function forbidden(error: ApiError, message: string): FailureFields {
  const [, user = '', verb = '', resource = '', group = '', scope = ''] = RBAC.exec(error.message) ?? [];
  if (verb === '') {
    return { reason: 'forbidden', what: message, hint: 'Ask whoever runs the cluster for the permission.' };
  }
  const kind = scope.includes('in the namespace') ? 'Role' : 'ClusterRole';
  return {
    reason: 'forbidden',
    what: `user "${user}" may not ${verb} ${resource}${scope}`,
    hint: `Add to a ${kind} that is bound to this user: {apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]}`,
  };
}

function invalid(error: ApiError, message: string, context: CallContext): FailureFields {
  const causes = error.details?.causes ?? [];
  const details = causes.map((cause) => redacted(`${cause.field}: ${cause.message}`, context));
  if (IMMUTABLE.test(error.message)) {
    return {
      reason: 'immutable-field',
      what: message,
      details,
      hint: 'Kubernetes cannot change this field of an existing object. Go back to the value it has, or remove the object (mind its data) and deploy again.',
    };
  }
  return {
    reason: 'invalid-manifest',
    what: message,
    details,
    hint: 'The API server does not take this object. If a patch, a fragment of configuration or post-render touched it, look there.',
  };
}

function admissionHint(message: string): string {
  if (/exceeded quota|LimitRange|usage per/.test(message)) {
    return 'Raise the ResourceQuota or LimitRange of the namespace, or ask for less with `server-resources` and `client-resources`.';
  }
  if (/violates PodSecurity/.test(message)) {
    return 'The namespace enforces a Pod Security level that these pods do not meet; look at what `patches` or post-render changed in securityContext.';
  }
  if (/is being terminated/.test(message)) {
    return 'The namespace is being removed. Wait until it is gone, then run again.';
  }
  if (/failed calling webhook/.test(message)) {
    return 'The service behind an admission webhook does not answer. Repair it, or have it leave out this namespace.';
  }
  return 'A policy of this cluster refuses the object. Meet the policy with `patches`, or ask for an exception.';
}

const NETWORK_HINTS: readonly [RegExp, string][] = [
  [
    /ENOTFOUND|EAI_AGAIN/,
    'The name does not resolve on this runner. Check the address, the DNS and the VPN.',
  ],
  [/ECONNREFUSED/, 'Nothing listens there. Check the address in the kubeconfig and that the cluster is up.'],
  [/CERT_HAS_EXPIRED|NOT_YET_VALID/, 'The certificate is out of date, or the clock of this runner is.'],
  [
    /ALTNAME/,
    'The certificate is for another name. Check the address, or set tls-server-name in the kubeconfig.',
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO/,
    'The certificate is not signed by the authority in the kubeconfig. The cluster was recreated, or a proxy is in between.',
  ],
  [
    /ERR_SSL|EPROTO|HPE_|NOT_JSON/,
    'What answers there is not a Kubernetes API server. Check the address and the proxy settings.',
  ],
  [
    /NO_ANSWER|HEADERS_TIMEOUT/,
    'It has stopped answering. Run again when `kubectl get --raw /livez` says ok.',
  ],
  [
    /UND_ERR_ABORTED|PRX/,
    'The proxy did not let the connection through. Check HTTPS_PROXY, NO_PROXY and proxy-url.',
  ],
];

function networkFailure(error: NetworkError): Failure {
  const hint = NETWORK_HINTS.find(([code]) => code.test(error.code))?.[1];
  return new Failure({
    reason: 'unreachable',
    what: `no usable answer from the API server: ${error.message} (${error.code})`,
    where: error.server,
    hint: hint ?? 'Check that this runner reaches the address: firewall, VPN, HTTPS_PROXY and NO_PROXY.',
    cause: error,
  });
}

function otherFailure(error: unknown): Failure {
  const name = error instanceof Error ? error.name : '';
  if (name !== 'AbortError' && name !== 'TimeoutError') return Failure.from(error);
  return name === 'AbortError'
    ? new Failure({ reason: 'cancelled', what: 'the run was cancelled', cause: error })
    : new Failure({ reason: 'timeout', what: 'the time ran out', cause: error });
}

/** The API server quotes the values it refuses; those of a Secret are nobody's business. */
function redacted(message: string, context: CallContext): string {
  if (!/^Secret\b/i.test(context.object ?? '')) return message;
  return message.replace(
    /(Invalid|Unsupported|Duplicate) value: ("(?:\\.|[^"\\])*"|[^,:]+)/g,
    '$1 value: (hidden)',
  );
}
