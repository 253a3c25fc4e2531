import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../certificate.ts';
import { bed } from '../bed/bed.ts';
import { eventually, kubectl, kubectlApply, pods } from '../kubernetes/cluster.ts';
import { deploy, type Outcome, start } from '../run/action.ts';
import { CLIENTS, expectRed, expectTold, SMALL, within } from '../run/scenario.ts';

function namespaceWith(name: string, labels: Record<string, string> = {}): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
}

const POD_SECURITY = 'pod-security.kubernetes.io';

const PODS = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };

/** Watches over the pods of one namespace alone, unless more is said. */
function webhook(namespace: string, url: string, caBundle: string, more: object = {}): string {
  return JSON.stringify({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: namespace },
    webhooks: [
      {
        name: 'e2e.consul-deploy.example.com',
        clientConfig: { url, caBundle: Buffer.from(caBundle).toString('base64') },
        rules: [PODS],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        failurePolicy: 'Fail',
        sideEffects: 'None',
        timeoutSeconds: 2,
        admissionReviewVersions: ['v1'],
        ...more,
      },
    ],
  });
}

const unregister = (namespace: string) =>
  kubectl('delete', 'validatingwebhookconfiguration', namespace, '--ignore-not-found');

/** Slower than most, and within the 30 s that a webhook is allowed. */
const SLOW_MS = 28_000;
const SLOW = {
  rules: [{ ...PODS, apiGroups: ['policy'], resources: ['poddisruptionbudgets'] }],
  // It would be asked by the dry run too, which takes as long again and shows no more.
  matchConditions: [{ name: 'for-good', expression: '!request.?dryRun.orValue(false)' }],
  timeoutSeconds: 30,
};

describe.concurrent('pods are not even made', () => {
  it(
    'because the quota is used up',
    within('quota', async (namespace) => {
      await kubectlApply(namespaceWith(namespace));
      // One with a scope, which is not looked at beforehand: all that do not end by themselves.
      await kubectl('-n', namespace, 'create', 'quota', 'small', '--hard=pods=4', '--scopes=NotTerminating');
      const outcome = await deploy({ ...SMALL, namespace });
      expectTold(outcome, 'pod-refused', {
        what: /exceeded quota: small/,
        where: /^StatefulSet\/consul-(server|client)$/,
        hint: 'quota',
      });
      expect(await pods(namespace)).toHaveLength(4);

      // The controller would try again by itself, but only after as long as it has tried in vain: it is told to, unless
      // it was about to.
      await kubectl('-n', namespace, 'delete', 'quota', 'small');
      const again = await deploy({ ...SMALL, namespace });
      expect(again.code, again.log).toBe(0);
      expect(again.outputs.changed).toBe(String(again.log.includes('its controller is made to try again')));
      expect(await pods(namespace)).toHaveLength(5);
    }),
  );

  it(
    'because a quota has no room, which is seen before the first write',
    within('no-room', async (namespace) => {
      await kubectlApply(namespaceWith(namespace));
      await kubectl('-n', namespace, 'create', 'quota', 'small', '--hard=pods=4');
      // Its controller says what is used.
      await kubectl('-n', namespace, 'wait', 'quota/small', '--for=jsonpath={.status.hard.pods}=4');
      const outcome = await deploy({ ...SMALL, namespace });
      expectRed(outcome, 'unfit-cluster');
      expect(outcome.report?.failure?.what).toContain(
        'ResourceQuota/small has room for 4 more (pods), and 5 are missing',
      );
      expect(outcome.report?.left).toBe('Nothing was changed.');
      expect(await kubectl('-n', namespace, 'get', 'statefulsets', '-o', 'name')).toBe('');
    }),
  );

  it(
    'because Pod Security forbids what a patch asks for',
    within('pod-security', async (namespace) => {
      // Without its warnings nobody says so beforehand.
      const labels = { [`${POD_SECURITY}/enforce`]: 'restricted', [`${POD_SECURITY}/warn`]: 'privileged' };
      await kubectlApply(namespaceWith(namespace, labels));
      const patches = JSON.stringify([
        { target: CLIENTS, merge: { spec: { template: { spec: { hostNetwork: true } } } } },
      ]);
      const outcome = await deploy({ ...SMALL, namespace, patches });
      expectTold(outcome, 'pod-refused', {
        what: /violates PodSecurity "restricted:latest": host namespaces/,
        where: 'StatefulSet/consul-client',
        hint: 'Pod Security',
      });
      expect(await pods(namespace, 'client')).toEqual([]);
    }),
  );

  it(
    'because Pod Security will forbid it, which is seen before the first write',
    within('warned', async (namespace) => {
      await kubectlApply(namespaceWith(namespace, { [`${POD_SECURITY}/enforce`]: 'restricted' }));
      const patches = JSON.stringify([
        { target: CLIENTS, merge: { spec: { template: { spec: { hostNetwork: true } } } } },
      ]);
      const outcome = await deploy({ ...SMALL, namespace, patches });
      expectRed(outcome, 'pod-refused');
      expect(outcome.report?.failure?.what).toMatch(
        /would violate PodSecurity "restricted:latest": host namespaces/,
      );
      expect(outcome.report?.left).toBe('Nothing was changed.');
      expect(await kubectl('-n', namespace, 'get', 'statefulsets,services', '-o', 'name')).toBe('');
    }),
  );

  if (bed) {
    const { hostIp } = bed;
    let server: Server;
    let url: string;
    let slowReviews = 0;
    const { key, cert } = selfSigned('webhook.example.com', hostIp);

    beforeAll(async () => {
      server = createServer({ key, cert }, (request, response) => {
        let body = '';
        request.on('data', (chunk) => {
          body += chunk;
        });
        request.on('end', () => {
          const { request: review } = JSON.parse(body) as { request: { uid: string } };
          const answer = (verdict: object) => {
            response.setHeader('content-type', 'application/json');
            response.end(
              JSON.stringify({
                apiVersion: 'admission.k8s.io/v1',
                kind: 'AdmissionReview',
                response: { uid: review.uid, ...verdict },
              }),
            );
          };
          if (!request.url?.startsWith('/slow'))
            return answer({ allowed: false, status: { message: 'not on a Monday' } });
          slowReviews += 1;
          setTimeout(() => answer({ allowed: true }), SLOW_MS);
        });
      });
      await new Promise<void>((resolve) => server.listen(0, hostIp, resolve));
      url = `https://${hostIp}:${(server.address() as AddressInfo).port}/`;
    });

    afterAll(() => new Promise((resolve) => server.close(resolve)));

    async function deployUnder(namespace: string, webhookUrl: string): Promise<Outcome> {
      try {
        await kubectlApply(webhook(namespace, webhookUrl, cert));
        return await deploy({ ...SMALL, namespace });
      } finally {
        await unregister(namespace);
      }
    }

    it(
      'because an admission webhook denies them',
      within('webhook-denies', async (namespace) => {
        const outcome = await deployUnder(namespace, url);
        expectTold(outcome, 'pod-refused', {
          what: /admission webhook "e2e\.consul-deploy\.example\.com" denied the request: not on a Monday/,
          where: 'StatefulSet/consul-server',
          hint: 'webhook',
        });
        expect(await pods(namespace)).toEqual([]);
      }),
    );

    it(
      'because an admission webhook is down, and stays so',
      within('webhook-down', async (namespace) => {
        const outcome = await deployUnder(namespace, `https://${hostIp}:9/`);
        expectTold(outcome, 'pod-refused', {
          what: 'failed calling webhook',
          where: 'StatefulSet/consul-server',
          hint: 'Repair the webhook',
        });
      }),
    );

    it(
      'no false alarm: an admission webhook takes 28 s',
      within('webhook-slow', async (namespace) => {
        try {
          await kubectlApply(webhook(namespace, `${url}slow`, cert, SLOW));
          const outcome = await deploy({ ...SMALL, namespace });
          expect(outcome.code, outcome.log).toBe(0);
          // It was waited for, and not asked again.
          expect(slowReviews, outcome.log).toBe(1);
        } finally {
          await unregister(namespace);
        }
      }),
    );

    it(
      'no false alarm: an admission webhook is down for a while',
      within('webhook-returns', async (namespace) => {
        try {
          await kubectlApply(webhook(namespace, `https://${hostIp}:9/`, cert));
          const running = start({ ...SMALL, namespace });
          await eventually('the refusal in the log', 60_000, async () =>
            running.log().includes('its pods are refused') ? true : undefined,
          );
          await unregister(namespace);
          const outcome = await running.outcome;
          expect(outcome.code, outcome.log).toBe(0);
        } finally {
          await unregister(namespace);
        }
      }),
    );
  }
});

describe.concurrent('volumes that are never made', () => {
  it(
    'because the provisioner of their StorageClass does not run',
    within('no-provisioner', async (namespace) => {
      const storageClass = {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: namespace },
        provisioner: 'nobody.example.com',
        volumeBindingMode: 'WaitForFirstConsumer',
      };
      try {
        await kubectlApply(JSON.stringify(storageClass));
        const outcome = await deploy({
          ...SMALL,
          namespace,
          'server-storage': '1Gi',
          'storage-class': namespace,
        });
        expectTold(outcome, 'storage', {
          what: /3 pods .*volume claim data-consul-server-\d is not bound: .*nobody\.example\.com/,
          where: 'Pod/consul-server-0',
          hint: 'storage-class',
        });
      } finally {
        await kubectl('delete', 'storageclass', namespace, '--ignore-not-found');
      }
    }),
  );
});
