import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kubectl } from '../../test/e2e/kubernetes/cluster.ts';

const run = promisify(execFile);

/** Asks the cloud for the node's region, in an image that may not be had; an empty command takes its place. */
const INIT = /exec consul-k8s-control-plane fetch-server-region.*/;
const STATEFUL_SET = 'templates/server-statefulset.yaml';
const IMAGE = 'hashicorp/consul:1.22.7';

/** The consul-k8s chart, from a copy of the folder that `CONSUL_K8S_CHART` names, with 3 servers and a client a node. */
export class Chart {
  readonly namespace = `bench-chart-${process.pid}`;
  readonly servers = 'app=consul,component=server';
  readonly clients = 'app=consul,component=client';
  readonly #copy = mkdtempSync(join(tmpdir(), 'consul-deploy-chart-'));
  readonly #helm: string;

  constructor(folder: string) {
    this.#helm = execFileSync('testbed/build', ['helm'], { encoding: 'utf8' }).trim();
    cpSync(folder, this.#copy, { recursive: true });
    const file = join(this.#copy, STATEFUL_SET);
    const template = readFileSync(file, 'utf8');
    if (!INIT.test(template))
      throw new Error(`${STATEFUL_SET} of the chart has no ${INIT}: adapt bench/changes/chart.ts`);
    writeFileSync(file, template.replace(INIT, 'true'));
  }

  /** Installs it or changes it, and waits as Helm does. */
  async upgrade(config: string): Promise<void> {
    const values = join(this.#copy, 'bench-values.json');
    writeFileSync(
      values,
      JSON.stringify({
        global: { name: this.namespace, image: IMAGE, imageK8S: IMAGE },
        server: { replicas: 3, storage: '1Gi', extraConfig: config },
        client: { enabled: true },
        connectInject: { enabled: false },
      }),
    );
    const into = ['--install', '--create-namespace', '--namespace', this.namespace];
    const args = ['upgrade', 'bench', this.#copy, ...into, '--values', values, '--wait', '--timeout', '5m'];
    await run(this.#helm, args);
  }

  async remove(): Promise<void> {
    try {
      await run(this.#helm, ['uninstall', 'bench', '--namespace', this.namespace]);
    } finally {
      await kubectl('delete', 'namespace', this.namespace, '--ignore-not-found', '--wait=false');
      rmSync(this.#copy, { recursive: true });
    }
  }
}
