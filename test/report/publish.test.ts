import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { toHtml } from '../../src/report/html/page.ts';
import { toJson } from '../../src/report/json.ts';
import { toJunit } from '../../src/report/junit.ts';
import { Log } from '../../src/report/log.ts';
import { publish, type Sinks } from '../../src/report/publish.ts';
import { summary } from '../../src/report/summary.ts';
import { failure, HOSTILE, hostile, success } from './example.ts';

let folder: string;
let lines: string[];
let log: Log;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consul-deploy-report-'));
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  lines = [];
  log = new Log({ style: 'actions', write: (line) => lines.push(line) });
  for (const [name, file] of [
    ['GITHUB_OUTPUT', 'output'],
    ['GITHUB_STEP_SUMMARY', 'summary'],
  ] as const) {
    vi.stubEnv(name, join(folder, file));
    await writeFile(join(folder, file), '');
  }
});
afterEach(() => void vi.unstubAllEnvs());

/** The outputs file as the runner reads it. */
async function outputs(): Promise<Record<string, string>> {
  const text = await readFile(join(folder, 'output'), 'utf8');
  return Object.fromEntries(
    [...text.matchAll(/^([\w-]+)<<(ghadelimiter_[\w-]+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [
      name,
      value,
    ]),
  );
}

describe('publishing to the runner', () => {
  test('writes closing lines, annotation, outputs, summary and report', async () => {
    const reportPath = join(folder, 'deep', 'er', 'report.json');
    await publish(failure(), {
      log,
      config: {
        summary: true,
        reportPath,
        junitPath: undefined,
        summaryPath: undefined,
        reportHtml: undefined,
      },
    });
    expect(lines.filter((line) => line.startsWith('::'))).toEqual([
      expect.stringMatching(/^::error title=Consul is not/),
    ]);
    expect(lines).toContain('✗ Consul is not proven: consul-server-2 did not become ready within 10 min');
    expect(await outputs()).toMatchObject({
      result: 'failure',
      'failure-reason': 'timeout',
      report: reportPath,
    });
    expect(await readFile(join(folder, 'summary'), 'utf8')).toBe(summary(failure()));
    expect(await readFile(reportPath, 'utf8')).toBe(toJson(failure()));
  });

  test('writes JUnit XML where it is asked to, with or without the JSON report', async () => {
    const junitPath = join(folder, 'deep', 'junit.xml');
    await publish(failure(), {
      log,
      config: {
        summary: false,
        reportPath: undefined,
        junitPath,
        summaryPath: undefined,
        reportHtml: undefined,
      },
    });
    expect(await readFile(junitPath, 'utf8')).toBe(toJunit(failure()));
    expect(await outputs()).toMatchObject({ report: '' });
  });

  test('writes the summary into a file where it is asked to, also without that of the step', async () => {
    const summaryPath = join(folder, 'deep', 'summary.md');
    const config = {
      summary: false,
      reportPath: undefined,
      junitPath: undefined,
      summaryPath,
      reportHtml: undefined,
    };
    await publish(failure(), { log, config });
    expect(await readFile(summaryPath, 'utf8')).toBe(summary(failure()));
  });

  test('writes the HTML page into a file where it is asked to', async () => {
    const reportHtml = join(folder, 'deep', 'report.html');
    const config = {
      ...{ summary: false, reportPath: undefined, junitPath: undefined, summaryPath: undefined },
      reportHtml,
    };
    await publish(failure(), { log, config });
    expect(await readFile(reportHtml, 'utf8')).toBe(toHtml(failure()));
  });

  test('writes no annotation for success, no summary and no report unasked', async () => {
    await publish(success(), {
      log,
      config: {
        summary: false,
        reportPath: undefined,
        junitPath: undefined,
        summaryPath: undefined,
        reportHtml: undefined,
      },
    });
    expect(lines.join('\n')).not.toContain('::');
    expect(await outputs()).toMatchObject({ result: 'success', report: '' });
    expect(await readFile(join(folder, 'summary'), 'utf8')).toBe('');
  });

  test('lets no hostile text add an output', async () => {
    await publish(success(), {
      log,
      config: {
        summary: false,
        reportPath: undefined,
        junitPath: undefined,
        summaryPath: undefined,
        reportHtml: undefined,
      },
    });
    const names = Object.keys(await outputs());
    expect(names).toHaveLength(17);
    for (const text of Object.values(HOSTILE)) {
      await writeFile(join(folder, 'output'), '');
      await publish(hostile(text), {
        log,
        config: {
          summary: false,
          reportPath: undefined,
          junitPath: undefined,
          summaryPath: undefined,
          reportHtml: undefined,
        },
      });
      expect(Object.keys(await outputs())).toEqual(names);
    }
  });

  test('prints no commands where there is no runner', async () => {
    vi.stubEnv('GITHUB_OUTPUT', undefined);
    vi.stubEnv('GITHUB_STEP_SUMMARY', undefined);
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    try {
      log = new Log({ style: 'plain', write: (line) => lines.push(line) });
      await publish(failure(), {
        log,
        config: {
          summary: true,
          reportPath: undefined,
          junitPath: undefined,
          summaryPath: undefined,
          reportHtml: undefined,
        },
      });
      expect(stdout).not.toHaveBeenCalled();
    } finally {
      stdout.mockRestore();
    }
    expect(lines.join('\n')).not.toMatch(/::|warning/);
  });
});

describe('trouble in reporting', () => {
  test('with the report leaves the rest, is logged, and names no report', async () => {
    await writeFile(join(folder, 'file'), '');
    const reportPath = join(folder, 'file', 'report.json');
    await publish(success(), {
      log,
      config: {
        summary: true,
        reportPath,
        junitPath: undefined,
        summaryPath: undefined,
        reportHtml: undefined,
      },
    });
    expect(lines.filter((line) => line.startsWith('::'))).toEqual([
      expect.stringMatching(/^::warning::Trouble in writing the report: .*(EEXIST|ENOTDIR)/),
    ]);
    expect(await outputs()).toMatchObject({ result: 'success', report: '' });
    expect(await readFile(join(folder, 'summary'), 'utf8')).toBe(summary(success()));
  });

  test('with the JUnit report is a warning and leaves the rest', async () => {
    await writeFile(join(folder, 'file'), '');
    const reportPath = join(folder, 'beside.json');
    const junitPath = join(folder, 'file', 'junit.xml');
    await publish(success(), {
      log,
      config: { summary: true, reportPath, junitPath, summaryPath: undefined, reportHtml: undefined },
    });
    expect(lines.filter((line) => line.startsWith('::'))).toEqual([
      expect.stringMatching(/^::warning::Trouble in writing the JUnit report: .*(EEXIST|ENOTDIR)/),
    ]);
    expect(await outputs()).toMatchObject({ result: 'success', report: reportPath });
    expect(await readFile(reportPath, 'utf8')).toBe(toJson(success()));
  });

  test('with every sink is logged for each, and never thrown', async () => {
    const sinks: Sinks = {
      setOutput: () => Promise.reject(new Error('no outputs')),
      writeSummary: () => {
        throw new Error('no summary');
      },
    };
    await publish(success(), {
      log,
      config: {
        summary: true,
        reportPath: undefined,
        junitPath: undefined,
        summaryPath: undefined,
        reportHtml: undefined,
      },
      sinks,
    });
    expect(lines.filter((line) => line.startsWith('::')).sort()).toEqual([
      '::warning::Trouble in writing the outputs: no outputs',
      '::warning::Trouble in writing the summary: no summary',
    ]);
  });

  test('with one output does not lose the others', async () => {
    const written: string[] = [];
    const sinks: Sinks = {
      setOutput: async (name) => {
        if (name === 'leader') throw new Error('no leader');
        written.push(name);
      },
      writeSummary: undefined,
    };
    await publish(success(), {
      log,
      config: {
        summary: true,
        reportPath: undefined,
        junitPath: undefined,
        summaryPath: undefined,
        reportHtml: undefined,
      },
      sinks,
    });
    expect(lines).toContain('::warning::Trouble in writing the outputs: no leader');
    expect(written).toContain('result');
    expect(written).toContain('report');
  });
});
