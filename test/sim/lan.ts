// An Ethernet segment on a virtual clock. Frames travel as bytes and may be delayed, lost, doubled
// and cut off from some hosts; everything that is going to happen waits in one queue. Nothing here
// knows CARP but the provenance that travels beside a frame, which only the checkers look at.

import type { Line } from '../../src/daemon/narrate.js';
import type { Ipv4 } from '../../src/protocol/address.js';
import type { Action, Event, State } from '../../src/protocol/carp/state.js';
import type { Parsed } from '../../src/protocol/parsed.js';
import { type Duration, type Instant, instantFromMicroseconds } from '../../src/protocol/units.js';
import type { Host } from './host.js';
import type { Random } from './random.js';

/** What the sender really said, whatever became of the bytes on their way. */
export interface Claim {
  readonly advbase: number;
  readonly advskew: number;
  readonly source: Ipv4;
}

export interface Frame {
  readonly bytes: Uint8Array;
  /** A host's name, or who else put it on the wire. */
  readonly from: string;
  /** Undefined for what is no advertisement of a member: ARP, a forgery, a broken copy. */
  readonly claim: Claim | undefined;
}

export interface Report {
  readonly host: Host;
  readonly before: State;
  readonly event: Event;
  readonly after: State;
  readonly actions: readonly Action[];
  /** The frame that the event was read from. */
  readonly frame: Frame | undefined;
}

/** Sees everything that happens; throws what it objects to. */
export interface Observer {
  stepped?(report: Report): void;
  received?(host: Host, frame: Frame, verdict: Parsed<unknown>): void;
  /** Something was done to the segment or a host, so that what was quiet is so no longer. */
  disturbed?(): void;
  /** Something may have changed, or time has passed. */
  looked?(): void;
}

/** How the segment and the hosts' clocks behave; times in microseconds. */
export interface Conditions {
  readonly minDelay: number;
  readonly maxDelay: number;
  /** What one host sends to another may overtake itself, as it never does on a working LAN. */
  readonly reordering: boolean;
  readonly loss: number;
  readonly duplication: number;
  /** The probability of a second copy with a broken digest. */
  readonly corruption: number;
  /** How late alarms ring at most. */
  readonly maxLateness: number;
  /** The probability that an alarm rings a millisecond early as well, as Node's do. */
  readonly early: number;
}

export const perfect: Conditions = {
  minDelay: 200,
  maxDelay: 200,
  reordering: false,
  loss: 0,
  duplication: 0,
  corruption: 0,
  maxLateness: 0,
  early: 0,
};

/** A working network and an idle machine. */
export const calm: Conditions = { ...perfect, minDelay: 50, maxDelay: 500, maxLateness: 1_000 };

interface Appointment {
  readonly at: Instant;
  readonly work: () => void;
}

const mostInOneInstant = 2_000; // a loop that does not let time pass is a bug, not a busy moment

export class Lan {
  now: Instant = instantFromMicroseconds(0);
  conditions: Conditions = perfect;
  /** When the last frame of one host arrives at another. */
  readonly #lastOnWay = new Map<string, number>();
  readonly random: Random;
  readonly hosts: Host[] = [];
  readonly transcript: string[] = [];
  readonly observers: Observer[] = [];
  /** When the last frame that is under way arrives. */
  lastArrival: Instant = this.now;
  readonly #corrupt: (bytes: Uint8Array, random: Random) => Uint8Array;
  readonly #cut = new Set<string>();
  #queue: Appointment[] = [];

  constructor(random: Random, corrupt: (bytes: Uint8Array, random: Random) => Uint8Array) {
    this.random = random;
    this.#corrupt = corrupt;
  }

  /** Appointments for the same instant are kept in the order in which they were made. */
  at(when: Instant, work: () => void): void {
    let place = this.#queue.length;
    while (place > 0 && (this.#queue[place - 1]?.at ?? 0) > when) place -= 1;
    this.#queue.splice(place, 0, { at: when, work });
  }

  after(wait: number, work: () => void): void {
    this.at(instantFromMicroseconds(this.now + wait), work);
  }

  run(length: Duration): void {
    const end = instantFromMicroseconds(this.now + length);
    let sameInstant = 0;
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || next.at > end) break;
      this.#queue.shift();
      sameInstant = next.at > this.now ? 0 : sameInstant + 1;
      if (sameInstant > mostInOneInstant) throw new Error('time does not pass any more');
      this.now = next.at;
      next.work();
      this.look();
    }
    this.now = end;
    this.look();
  }

  look(): void {
    for (const observer of this.observers) observer.looked?.();
  }

  disturb(): void {
    for (const observer of this.observers) observer.disturbed?.();
  }

  /** Puts a frame on the wire; it reaches every host that can hear the sender now. */
  transmit(frame: Frame): void {
    for (const host of this.hosts) {
      if (host.name === frame.from || !this.hears(host.name, frame.from)) continue;
      const { loss, duplication, corruption } = this.conditions;
      if (!this.random.chance(loss)) this.#deliver(host, frame);
      if (this.random.chance(duplication)) this.#deliver(host, frame);
      if (this.random.chance(corruption)) {
        const bytes = this.#corrupt(frame.bytes, this.random);
        this.#deliver(host, { bytes, from: `${frame.from}, broken`, claim: undefined });
      }
    }
  }

  #deliver(host: Host, frame: Frame): void {
    const { minDelay, maxDelay, reordering } = this.conditions;
    const drawn = this.now + this.random.between(minDelay, maxDelay);
    const way = `${frame.from} ${host.name}`;
    const earliest = reordering ? drawn : Math.max(drawn, (this.#lastOnWay.get(way) ?? 0) + 1);
    this.#lastOnWay.set(way, earliest);
    const at = instantFromMicroseconds(earliest);
    if (at > this.lastArrival) this.lastArrival = at;
    this.at(at, () => host.hear({ ...frame, bytes: frame.bytes.slice() }));
  }

  /** Frames of `speaker` do not reach `listener` any more; the other way they still do. */
  cut(listener: string, speaker: string): void {
    this.#cut.add(`${listener} ${speaker}`);
  }

  mend(): void {
    this.#cut.clear();
  }

  hears(listener: string, speaker: string): boolean {
    return !this.#cut.has(`${listener} ${speaker}`);
  }

  /** What was done from outside, for the transcript. */
  note(text: string): void {
    this.transcript.push(`${this.#time()} -- ${text}`);
  }

  log(host: string, line: Line): void {
    this.transcript.push(`${this.#time()} ${host}  ${line.level.toUpperCase()} ${line.text}`);
  }

  /** What a host did, for transcripts that show it. */
  show(host: string, text: string): void {
    this.transcript.push(`${this.#time()} ${host}  ${text}`);
  }

  #time(): string {
    return (this.now / 1_000_000).toFixed(3).padStart(9);
  }
}
