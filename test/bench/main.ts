// npm run bench: tscarp beside the real ucarp and keepalived, where they are installed, on networks
// of namespaces on this machine. Not a test: it fails only when something cannot be measured.
// Usage: main.js [--quick] [--json] [--program dist/bin/tscarp.js] [--only tscarp,ucarp,keepalived]
//   [--measure start,reaction,takeover,steady,failover]

import { cpus, loadavg, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { run } from '../../src/lab/command.js';
import { requireNetworks } from '../../src/lab/network.js';
import { NetError } from '../../src/net/errors.js';
import type { Tools } from './lan.js';
import { measureFailover } from './measure-failover.js';
import { measureReaction, measureTakeover } from './measure-reaction.js';
import { measureInterpreter, measureStart } from './measure-start.js';
import { measureSteady } from './measure-steady.js';
import { findSubjects, type ProgramName, programNames, type Subject } from './programs.js';
import { quantities } from './quantities.js';
import { type Document, formatDocument, type Machine, Results } from './results.js';
import type { Sample } from './statistics.js';

const measurements = ['start', 'reaction', 'takeover', 'steady', 'failover'] as const;

interface Scale {
  readonly starts: number;
  readonly reactions: number;
  readonly takeovers: number;
  /** ucarp needs a second or two for each, and so gets fewer. */
  readonly slow: number;
  readonly otherBackends: boolean;
  readonly steadyMs: number;
  readonly memoryAfterMs: number;
  readonly failovers: number;
}

const full: Scale = {
  starts: 15,
  reactions: 200,
  takeovers: 20,
  slow: 15,
  otherBackends: true,
  steadyMs: 65_000,
  memoryAfterMs: 30_000,
  failovers: 5,
};

const quick: Scale = {
  starts: 5,
  reactions: 60,
  takeovers: 6,
  slow: 3,
  otherBackends: false,
  steadyMs: 14_000,
  memoryAfterMs: 10_000,
  failovers: 1,
};

class Bench {
  readonly results = new Results(quantities);
  readonly #subjects: readonly Subject[];
  readonly #tools: Tools;
  readonly #scale: Scale;

  constructor(subjects: readonly Subject[], tools: Tools, scale: Scale) {
    this.#subjects = subjects;
    this.#tools = tools;
    this.#scale = scale;
  }

  /**
   * What takes fractions of a millisecond is measured one after the other, what takes seconds at
   * once.
   */
  async run(chosen: readonly string[]): Promise<void> {
    const subjects = this.#subjects;
    const { steadyMs, failovers } = this.#scale;
    if (chosen.includes('start')) await this.#start();
    if (chosen.includes('reaction')) for (const subject of subjects) await this.#react(subject);
    if (chosen.includes('takeover')) for (const subject of subjects) await this.#takeOver(subject);
    if (chosen.includes('steady')) {
      progress(`a quiet master for ${steadyMs / 1_000} s, all programs at once`);
      await Promise.all(subjects.map((subject) => this.#hold(subject)));
    }
    if (chosen.includes('failover')) {
      progress(`${failovers} x host death, planned stop, return; all programs at once`);
      await Promise.all(subjects.map((subject) => this.#failOver(subject)));
    }
  }

  async #start(): Promise<void> {
    const { starts } = this.#scale;
    progress(`${starts} starts of each program`);
    for (const subject of this.#subjects) {
      await this.#fill(subject, ['start', 'start-waiting'], async () => {
        const { elapsed, waiting } = await measureStart(subject, this.#tools, starts);
        return [elapsed, waiting];
      });
      if (subject.name !== 'tscarp') continue;
      await this.#fill(subject, ['node'], async () => [await measureInterpreter(starts)]);
    }
  }

  async #react(subject: Subject): Promise<void> {
    const rounds = subject.noticeMs > 0 ? this.#scale.slow : this.#scale.reactions;
    progress(`${subject.name}: ${rounds} adverts of a worse master`);
    await this.#fill(subject, ['reaction', 'wire', 'decision'], async () => {
      const { answer, wire, decision } = await measureReaction(subject, this.#tools, { rounds });
      return [answer, wire, decision];
    });
    if (subject.name !== 'tscarp' || !this.#scale.otherBackends) return;
    for (const backend of ['cap', 'raw'] as const) {
      await this.#fill(subject, [`decision-${backend}`], async () => {
        const found = await measureReaction(subject, this.#tools, { rounds, backend });
        return [found.decision];
      });
    }
  }

  async #takeOver(subject: Subject): Promise<void> {
    const rounds = subject.noticeMs > 0 ? this.#scale.slow : this.#scale.takeovers;
    progress(`${subject.name}: ${rounds} goodbyes of the master`);
    await this.#fill(subject, ['announced', 'answered'], async () => {
      const { announced, answered } = await measureTakeover(subject, this.#tools, rounds);
      return [announced, answered];
    });
  }

  async #hold(subject: Subject): Promise<void> {
    const { steadyMs: milliseconds, memoryAfterMs } = this.#scale;
    const memory = ['memory', 'memory-helpers', 'memory-shared'];
    await this.#fill(subject, ['spacing', 'spacing99', 'load', ...memory], async () => {
      const found = await measureSteady(subject, this.#tools, { milliseconds, memoryAfterMs });
      const { deviation, deviation99, load, ownMemory, helpersMemory, sharedMemory } = found;
      return [deviation, deviation99, load, ownMemory, helpersMemory, sharedMemory];
    });
  }

  async #failOver(subject: Subject): Promise<void> {
    const ids = ['death', 'death-advert', 'stop', 'stop-lost', 'comeback', 'comeback-lost'];
    await this.#fill(subject, ids, async () => {
      const found = await measureFailover(subject, this.#tools, this.#scale.failovers);
      const { hostDeath, sinceLastAdvert, plannedStop, plannedStopLost, comeback, comebackLost } =
        found;
      return [hostDeath, sinceLastAdvert, plannedStop, plannedStopLost, comeback, comebackLost];
    });
  }

  /** One measurement that cannot be made does not end the others. */
  async #fill(
    { name }: Subject,
    ids: readonly string[],
    measure: () => Promise<readonly Sample[]>,
  ): Promise<void> {
    try {
      const samples = await measure();
      for (const [index, id] of ids.entries()) {
        const sample = samples[index];
        if (sample !== undefined) this.results.set(id, name, { ok: true, sample });
      }
    } catch (error) {
      const problem = (error as Error).message;
      progress(`${name}: ${ids.join(', ')} could not be measured: ${problem}`);
      for (const id of ids) this.results.set(id, name, { ok: false, problem });
    }
  }
}

const began = performance.now();

function progress(text: string): void {
  const seconds = Math.round((performance.now() - began) / 1_000);
  process.stderr.write(`bench ${String(seconds).padStart(4)} s  ${text}\n`);
}

function describeMachine(loadBefore: readonly number[]): Machine {
  const [first, ...rest] = cpus();
  return {
    date: new Date().toISOString(),
    kernel: release(),
    cpus: `${rest.length + 1} x ${first?.model ?? 'unknown processor'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    node: process.version,
    loadBefore,
    loadAfter: loadavg(),
  };
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      program: { type: 'string', default: 'dist/bin/tscarp.js' },
      only: { type: 'string', default: programNames.join() },
      measure: { type: 'string', default: measurements.join() },
    },
  });
  return {
    ...values,
    only: words(values.only, programNames),
    measure: words(values.measure, measurements),
  };
}

function words<T extends string>(list: string, known: readonly T[]): readonly string[] {
  const chosen = list.split(',');
  const wrong = chosen.find((word) => !known.some((one) => one === word));
  if (wrong !== undefined) throw new TypeError(`"${wrong}" is none of ${known.join(', ')}`);
  return chosen;
}

async function main(): Promise<number> {
  const options = readOptions();
  await requireNetworks([]);
  await run(['tcpdump', '--version']);
  const loadBefore = loadavg();
  const subjects = await findSubjects(resolve(options.program));
  const chosen = subjects.filter(({ name }) => options.only.includes(name));
  const tools = {
    player: resolve(import.meta.dirname, 'player.js'),
    client: resolve(import.meta.dirname, 'client.js'),
  };
  const bench = new Bench(chosen, tools, options.quick ? quick : full);
  await bench.run(options.measure);
  const version = (name: ProgramName): string | null =>
    subjects.find((subject) => subject.name === name)?.version ?? null;
  const document: Document = {
    machine: describeMachine(loadBefore),
    quick: options.quick,
    seconds: (performance.now() - began) / 1_000,
    programs: {
      tscarp: version('tscarp'),
      ucarp: version('ucarp'),
      keepalived: version('keepalived'),
    },
    rows: bench.results.rows(),
  };
  progress('done');
  process.stdout.write(
    options.json ? `${JSON.stringify(document, undefined, 2)}\n` : formatDocument(document),
  );
  for (const failure of bench.results.failures) process.stderr.write(`bench: ${failure}\n`);
  return bench.results.failures.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  // A TypeError is what a wrong option gives.
  if (!(error instanceof NetError) && !(error instanceof TypeError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = error instanceof NetError ? 1 : 2;
}
