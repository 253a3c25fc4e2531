// A reporter of vitest: the last lines of why each test, hook or file failed, in the file named by WHY_FAILED.
// The JSON report leaves out the errors of hooks, and a second try would otherwise leave nobody to ask.
// https://vitest.dev/api/advanced/reporters
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { TestError } from 'vitest';
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

const LINES = 25;
const REASONS = 5;

/** The log of a run is part of the message, and its end tells most. */
function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-LINES).join('\n');
}

function where({ stacks }: TestError): string {
  const [first] = stacks ?? [];
  return first ? `${relative(process.cwd(), first.file)}:${first.line}` : '';
}

function reasons(name: string, errors: readonly TestError[] = []): string[] {
  return errors.map(
    (error) => `${name} ${where(error)}\n${lastLines(`${error.message}\n${error.diff ?? ''}`)}\n`,
  );
}

function ofTest(test: TestCase): string[] {
  return reasons(test.fullName, test.result().errors);
}

function ofSuite(suite: TestSuite | TestModule, name: string): string[] {
  const suites = [...suite.children.suites()].flatMap((child) => ofSuite(child, child.fullName));
  const tests = [...suite.children.tests()].flatMap(ofTest);
  return [...reasons(name, suite.errors()), ...suites, ...tests];
}

export default class WhyFailed implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const all = modules.flatMap((module) => ofSuite(module, module.relativeModuleId));
    const more = all.length > REASONS ? [`and ${all.length - REASONS} more\n`] : [];
    writeFileSync(process.env.WHY_FAILED ?? 'why-failed.txt', [...all.slice(0, REASONS), ...more].join('\n'));
  }
}
