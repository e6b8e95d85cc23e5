// A vitest reporter that appends one line "passed failed skipped" to the file named by
// TSCARP_COUNTS, so that the shell can add up several runs. Whatever makes a run worthless counts
// as failed, also where vitest itself does not: a failing hook, a file that cannot be loaded, an
// error nobody handled and a resource left open (vitest only prints those).

import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export class CountReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts = countModules(modules);
    const leaks = this.#vitest?.state.leakSet.size ?? 0;
    counts.failed += unhandled.length + leaks;
    const problems = [
      ...(unhandled.length > 0 ? [`${unhandled.length} unhandled errors`] : []),
      ...(leaks > 0 ? [`${leaks} resources left open`] : []),
    ];
    if (problems.length > 0) {
      process.stdout.write(`Counted as failed: ${problems.join(', ')}\n`);
    }
    if (counts.failed > 0) process.exitCode = 1;
    const file = process.env['TSCARP_COUNTS'];
    if (file === undefined) return;
    appendFileSync(file, `${counts.passed} ${counts.failed} ${counts.skipped}\n`);
  }
}

/** Tests by result; a broken suite or file counts as one failed test more. */
function countModules(modules: readonly TestModule[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    if (module.errors().length > 0) counts.failed += 1;
    for (const suite of module.children.allSuites()) countSuite(suite, counts);
    for (const test of module.children.allTests()) counts[resultOf(test)] += 1;
  }
  return counts;
}

function countSuite(suite: TestSuite, counts: Counts): void {
  if (suite.errors().length > 0) counts.failed += 1;
}

/** A test that never got a result, because the run was cut short, has not passed. */
function resultOf(test: TestCase): keyof Counts {
  const { state } = test.result();
  return state === 'pending' ? 'failed' : state;
}
