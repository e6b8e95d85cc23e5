// One run from one seed: trouble, then quiet in which everything must come to rest, then single
// blows on a working network with rest after each, and so on. The same seed gives the same run.

import { formatIpv4, type Ipv4 } from '../../src/protocol/address.js';
import { microseconds } from '../../src/protocol/units.js';
import { createCarpRouter } from '../../src/protocol/virtual-router.js';
import { Checkers } from './checkers.js';
import { type Build, carpOptions, type Member, randomCluster, vhid } from './cluster.js';
import {
  breakDigest,
  every,
  inflict,
  planned,
  randomCalm,
  randomNoise,
  repair,
  split,
} from './faults.js';
import { Host } from './host.js';
import { Lan } from './lan.js';
import { Random } from './random.js';
import { Twin } from './twin.js';

const shownLines = 80;
const glance = 250_000; // microseconds between two looks when nothing happens

export interface Outcome {
  readonly virtualSeconds: number;
  readonly roleChanges: number;
  readonly transcript: readonly string[];
}

export interface Options {
  /** Virtual seconds after which no new round begins. */
  readonly length: number;
  readonly build?: Build;
}

/** Throws an Error that reads as a transcript when something does not hold. */
export function simulate(seed: number, { length, build = createCarpRouter }: Options): Outcome {
  const random = new Random(seed);
  const members = randomCluster(random);
  const lan = new Lan(random, breakDigest);
  const checkers = new Checkers(lan);
  lan.observers.push(new Twin(lan), checkers);
  for (const { name, mac, settings } of members) {
    lan.hosts.push(new Host(lan, name, build(carpOptions(settings)), mac));
  }
  try {
    new Run(lan, checkers).rounds(length * 1_000_000);
  } catch (error) {
    throw new Error(explain(seed, members, lan, error), { cause: error });
  }
  const virtualSeconds = lan.now / 1_000_000;
  return { virtualSeconds, roleChanges: checkers.roleChanges, transcript: lan.transcript };
}

class Run {
  readonly #lan: Lan;
  readonly #checkers: Checkers;
  readonly #random: Random;

  constructor(lan: Lan, checkers: Checkers) {
    this.#lan = lan;
    this.#checkers = checkers;
    this.#random = lan.random;
  }

  rounds(end: number): void {
    for (const host of this.#lan.hosts) {
      this.#lan.after(this.#random.between(0, 2_000_000), () => inflict(this.#lan, host, 'start'));
    }
    this.#pass(2_000_000);
    while (this.#lan.now < end) {
      this.#trouble();
      this.#rest();
      const blows = this.#random.between(1, 6);
      for (let blow = 0; blow < blows; blow += 1) this.#blow();
    }
  }

  #trouble(): void {
    this.#checkers.noisy = true;
    this.#lan.conditions = randomNoise(this.#random);
    this.#lan.note(`trouble: ${JSON.stringify(this.#lan.conditions)}`);
    const faults = this.#random.between(1, 12);
    for (let fault = 0; fault < faults; fault += 1) {
      inflict(this.#lan, this.#random.pick(this.#lan.hosts), this.#random.pick(every));
      if (this.#random.chance(0.1)) split(this.#lan);
      if (this.#random.chance(0.3)) this.#intrude();
      this.#pass(this.#random.between(0, this.#random.pick([50_000, 1_000_000, 8_000_000])));
    }
    repair(this.#lan);
    if (this.#random.chance(0.25)) split(this.#lan);
    this.#lan.conditions = randomCalm(this.#random);
    // Delayed frames still come in; unrest counts from when the last one has.
    this.#pass(Math.max(0, this.#lan.lastArrival - this.#lan.now));
    this.#checkers.noisy = false;
    this.#lan.disturb();
  }

  /** One thing happens on a working network. */
  #blow(): void {
    const { hosts } = this.#lan;
    const choices: readonly (() => unknown)[] = [
      () => split(this.#lan),
      () => {
        this.#lan.mend();
        this.#lan.note('mended');
        this.#lan.disturb();
      },
    ];
    if (this.#random.chance(0.2)) this.#random.pick(choices)();
    else {
      // The master's fate is what matters most.
      const master = hosts.find((host) => host.isMaster && host.healthy);
      const host =
        master !== undefined && this.#random.chance(0.4) ? master : this.#random.pick(hosts);
      inflict(this.#lan, host, this.#random.pick(planned));
    }
    this.#rest();
  }

  /** Long enough to settle, and then some, to see that it stays so. */
  #rest(): void {
    const wait = this.#checkers.settleTime() + this.#random.between(2_000_000, 14_000_000);
    const hostile = this.#random.chance(0.3);
    for (let passed = 0; passed < wait; passed += 1_000_000) {
      if (hostile) this.#intrude();
      this.#pass(1_000_000);
    }
  }

  #pass(length: number): void {
    for (let left = length; left > 0; left -= glance) {
      this.#lan.run(microseconds(Math.min(glance, left)));
    }
  }

  /** Somebody without the password advertises the best, the worst or a real priority. */
  #intrude(): void {
    const victim = this.#random.pick(this.#lan.hosts).router.settings;
    const [advbase = 0, advskew = 0] = this.#random.pick([
      [0, 1],
      [255, 255],
      [victim.advbase, victim.advskew],
    ]);
    const source = this.#random.chance(0.5) ? victim.source : (0x0a0000fa as Ipv4);
    const settings = { ...victim, source };
    const intruder = createCarpRouter(carpOptions(settings, 'wrong'));
    const counter = this.#random.counter();
    const action = { type: 'advertise', advbase, advskew, counter } as const;
    const bytes = intruder.advertisement(action, { packetId: 1, counter });
    this.#lan.transmit({ bytes, from: 'an intruder', claim: undefined });
  }
}

function explain(seed: number, members: readonly Member[], lan: Lan, error: unknown): string {
  const what = error instanceof Error ? error.message : String(error);
  const group = members.map(({ name, settings }) => {
    const { source, advbase, advskew, deadRatio, preempt } = settings;
    const habit = preempt ? ', preempts' : '';
    return `  ${name} ${formatIpv4(source)} ${advbase}/${advskew} ratio ${deadRatio}${habit}`;
  });
  const at = (lan.now / 1_000_000).toFixed(6);
  const head = `seed ${seed}: at ${at} s ${what} (SEED=${seed} replays it)`;
  return [head, `vhid ${vhid}`, ...group, ...lan.transcript.slice(-shownLines)].join('\n');
}

/** How much to simulate: SEED=n one seed, SIM_SEEDS=n that many, SIM_HOURS=n that long each. */
export function workload(env: Readonly<Record<string, string | undefined>>): {
  readonly seeds: readonly number[];
  readonly length: number;
} {
  const length = env['SIM_HOURS'] === undefined ? 120 : Number(env['SIM_HOURS']) * 3_600;
  if (env['SEED'] !== undefined) return { seeds: [Number(env['SEED'])], length };
  const count = Number(env['SIM_SEEDS'] ?? 100);
  return { seeds: Array.from({ length: count }, (_, index) => index + 1), length };
}
