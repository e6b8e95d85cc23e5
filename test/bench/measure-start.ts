// How long a program takes from its execution until it says that it is in BACKUP.

import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../../src/lab/command.js';
import { Lan, type Tools } from './lan.js';
import type { Subject } from './programs.js';
import { type Sample, summarize } from './statistics.js';

const pauseMs = 150;

export interface Start {
  readonly elapsed: Sample;
  /**
   * What of it the program wanted to run and others had the processors: none on an idle machine.
   */
  readonly waiting: Sample;
}

export function measureStart(subject: Subject, tools: Tools, rounds: number): Promise<Start> {
  return Lan.use(subject, tools, async (lan) => {
    const elapsed: number[] = [];
    const waiting: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const daemon = lan.start('a', { skew: 2, preempt: false });
      elapsed.push(await daemon.backup());
      waiting.push(daemon.processor().waiting);
      await lan.host('a').killAll();
      await daemon.program.exited;
      await delay(pauseMs);
    }
    return { elapsed: summarize(elapsed), waiting: summarize(waiting) };
  });
}

/** What of it is the interpreter: from execution to the end of a program that does nothing. */
export async function measureInterpreter(rounds: number): Promise<Sample> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await run([process.execPath, '--eval', '']);
    times.push(performance.now() - start);
    await delay(pauseMs);
  }
  return summarize(times);
}
