// A master that has nothing to do but advertise: how evenly it does, and what it costs.

import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../../src/lab/host.js';
import { Lan, type Tools } from './lan.js';
import type { Subject } from './programs.js';
import { percentile, type Sample, summarize } from './statistics.js';

export interface Steady {
  /** Of the time between two adverts from the interval that was asked for, in milliseconds. */
  readonly deviation: Sample;
  readonly deviation99: Sample;
  /** Resident memory in MiB: of the daemon's first process, and of its others. */
  readonly ownMemory: Sample;
  readonly helpersMemory: Sample;
  /** Proportional memory of all, in MiB: what they share with others is counted in part. */
  readonly sharedMemory: Sample;
  /** Percent of one processor. */
  readonly load: Sample;
}

export interface SteadyOptions {
  readonly milliseconds: number;
  readonly memoryAfterMs: number;
}

const skew = 2;

export function measureSteady(
  subject: Subject,
  tools: Tools,
  { milliseconds, memoryAfterMs }: SteadyOptions,
): Promise<Steady> {
  return Lan.use(subject, tools, async (lan) => {
    const host = lan.host('a');
    const daemon = lan.start('a', { skew, preempt: false });
    await daemon.master();
    await delay(1_000);
    const capture = await lan.capture('proto 112');
    const begin = await usage(host);
    await delay(memoryAfterMs);
    const memory = await readMemory(host, daemon.program.pid);
    await delay(milliseconds - memoryAfterMs);
    const end = await usage(host);
    const sent = (await capture.stop()).filter(({ kind }) => kind === 'advert');
    const nominal = subject.name === 'keepalived' ? 1_000 : 1_000 + (skew / 256) * 1_000;
    const deviations = sent
      .slice(1)
      .map(({ at }, index) => Math.abs(at - (sent[index]?.at ?? 0) - nominal));
    const load = (100 * (end.busyMs - begin.busyMs)) / (end.at - begin.at);
    return {
      deviation: summarize(deviations),
      deviation99: { ...summarize(deviations), median: percentile(deviations, 99) },
      load: summarize([load]),
      ...memory,
    };
  });
}

async function readMemory(
  host: Host,
  first: number,
): Promise<Pick<Steady, 'ownMemory' | 'helpersMemory' | 'sharedMemory'>> {
  const pids = await host.pids();
  const helpers = pids.filter((pid) => pid !== first);
  const resident = (pid: number): number => kibibytes(pid, 'status', 'VmRSS') / 1024;
  const shared = (pid: number): number => kibibytes(pid, 'smaps_rollup', 'Pss') / 1024;
  const total = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0);
  return {
    ownMemory: summarize([resident(first)]),
    helpersMemory: { ...summarize([total(helpers.map(resident))]), n: helpers.length },
    sharedMemory: { ...summarize([total(pids.map(shared))]), n: pids.length },
  };
}

function kibibytes(pid: number, file: string, key: string): number {
  const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
  const value = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`/proc/${pid}/${file} has no ${key}`);
  return Number(value);
}

/** How long the host's processes, and those that they have waited for, have been running. */
async function usage(host: Host): Promise<{ at: number; busyMs: number }> {
  const pids = await host.pids();
  const at = performance.now();
  return { at, busyMs: pids.reduce((sum, pid) => sum + busyMs(pid), 0) };
}

/**
 * Of living threads in nanoseconds, and of children that are gone in ticks of 10 ms (proc(5)).
 */
function busyMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  // The command's name is in parentheses and may have blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const childrenTicks = Number(fields[13]) + Number(fields[14]);
  return threads.reduce((sum, nanoseconds) => sum + nanoseconds / 1e6, 0) + childrenTicks * 10;
}
