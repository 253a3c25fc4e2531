import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { ApiError, apiFailure, NetworkError, type StatusDetails } from '../../src/kubernetes/error.ts';
import { parseApiError } from '../../src/kubernetes/http/status.ts';

const context = { verb: 'patch', object: 'StatefulSet/consul-server' };
const failure = (status: number, message: string, details?: StatusDetails) =>
  apiFailure(new ApiError({ status, message, details }), context);

describe('apiFailure', () => {
  test.each<[number, string, string]>([
    [401, 'Unauthorized', 'unauthorized'],
    [
      403,
      'statefulsets.apps "a" is forbidden: User "ci" cannot patch resource "statefulsets" in API group "apps" in the namespace "consul"',
      'forbidden',
    ],
    [
      403,
      'roles "a" is forbidden: user "ci" is attempting to grant RBAC permissions not currently held',
      'forbidden',
    ],
    [
      403,
      'pods "a" is forbidden: exceeded quota: q, requested: cpu=1, used: cpu=1, limited: cpu=1',
      'rejected',
    ],
    [
      403,
      'pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
      'rejected',
    ],
    [
      403,
      'configmaps "a" is forbidden: unable to create new content in namespace consul because it is being terminated',
      'rejected',
    ],
    [400, 'admission webhook "policy.example.com" denied the request: no', 'rejected'],
    [500, 'Internal error occurred: failed calling webhook "policy.example.com": timeout', 'rejected'],
    [422, "ValidatingAdmissionPolicy 'a' with binding 'b' denied request: no", 'rejected'],
    [404, 'the server could not find the requested resource', 'invalid-manifest'],
    [409, 'Operation cannot be fulfilled: the object has been modified', 'conflict'],
    [
      422,
      'StatefulSet.apps "a" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \'replicas\' are forbidden',
      'immutable-field',
    ],
    [
      422,
      'Service "a" is invalid: spec.clusterIPs[0]: Invalid value: []string{"None"}: may not change once set',
      'immutable-field',
    ],
    [
      422,
      'DaemonSet.apps "a" is invalid: spec.selector: Invalid value: {}: field is immutable',
      'immutable-field',
    ],
    [
      422,
      'StatefulSet.apps "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'invalid-manifest',
    ],
    [
      400,
      'failed to create typed patch object: .spec.replica: field not declared in schema',
      'invalid-manifest',
    ],
    [413, 'Request entity too large', 'invalid-manifest'],
    [503, 'the server is currently unable to handle the request', 'unreachable'],
    [429, 'too many requests', 'unreachable'],
  ])('%i %s: %s', (status, message, reason) => {
    const result = failure(status, message);
    expect(result).toMatchObject({ reason, where: 'StatefulSet/consul-server' });
    expect(result.hint).toBeTruthy();
  });

  test('a missing permission is named with the line that grants it', () => {
    const message =
      'statefulsets.apps "a" is forbidden: User "system:serviceaccount:ci:deployer" cannot patch resource "statefulsets" in API group "apps" in the namespace "consul"';
    expect(failure(403, message)).toMatchObject({
      what: 'user "system:serviceaccount:ci:deployer" may not patch statefulsets in the namespace "consul"',
      hint: 'Add to a Role that is bound to this user: {apiGroups: ["apps"], resources: ["statefulsets"], verbs: ["patch"]}',
    });
    const cluster =
      'nodes is forbidden: User "ci" cannot list resource "nodes" in API group "" at the cluster scope';
    expect(failure(403, cluster).hint).toBe(
      'Add to a ClusterRole that is bound to this user: {apiGroups: [""], resources: ["nodes"], verbs: ["list"]}',
    );
  });

  test('lists what is invalid, but no value of a Secret', () => {
    const causes = [{ field: 'data.key', message: 'Invalid value: "c2VjcmV0": illegal base64' }];
    const error = new ApiError({
      status: 422,
      message: 'data.key: Invalid value: "c2VjcmV0": illegal',
      details: { causes },
    });
    const shown = apiFailure(error, { verb: 'patch', object: 'ConfigMap/a' });
    expect(shown.details).toEqual(['data.key: Invalid value: "c2VjcmV0": illegal base64']);
    const hidden = apiFailure(error, { verb: 'patch', object: 'Secret/a' });
    expect(JSON.stringify([hidden.what, hidden.details])).not.toContain('c2VjcmV0');
    expect(hidden.details).toEqual(['data.key: Invalid value: (hidden): illegal base64']);
  });

  test.each([
    ['ENOTFOUND', 'does not resolve'],
    ['ECONNREFUSED', 'Nothing listens'],
    ['CERT_HAS_EXPIRED', 'out of date'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'another name'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'not signed by'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'not signed by'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'not a Kubernetes API server'],
    ['UND_ERR_ABORTED', 'proxy'],
    ['ETIMEDOUT', 'firewall'],
  ])('%s: unreachable, "%s"', (code, hint) => {
    const result = apiFailure(new NetworkError('https://server:6443', code, 'it failed'), context);
    expect(result).toMatchObject({ reason: 'unreachable', where: 'https://server:6443' });
    expect(result.hint).toContain(hint);
    expect(result.what).toContain(code);
  });

  test('what is a Failure stays one; ends of time and cancellations are told apart from defects', () => {
    const own = new Failure({ reason: 'locked', what: 'x' });
    expect(apiFailure(own, context)).toBe(own);
    expect(apiFailure(AbortSignal.abort().reason, context).reason).toBe('cancelled');
    expect(apiFailure(new DOMException('x', 'TimeoutError'), context).reason).toBe('timeout');
    expect(apiFailure(new TypeError('x'), context).reason).toBe('internal');
  });
});

describe('parseApiError', () => {
  test.each([
    [{ 'retry-after': '7' }, '{}', 7],
    [{ 'retry-after': new Date(0).toUTCString() }, '{}', 0],
    [{ 'retry-after': 'soon' }, '{}', undefined],
    [{}, '{"kind":"Status","details":{"retryAfterSeconds":3}}', 3],
    [{}, 'null', undefined],
    [{}, '<html>', undefined],
  ])('%j %s: %s seconds', (headers, body, seconds) => {
    expect(parseApiError(503, headers, body).retryAfter).toBe(seconds);
  });
});
