// What must hold for the segment as a whole, looked at from outside: one holder, soon, the right one, and
// then no more unrest. Judged in each part of the segment whose healthy hosts all hear one another and
// nobody else, and counted from the last disturbance.
//
// How long unrest may last. Silence ends after the slowest dead time. Takeovers that cross on the wire
// leave several masters until the best one's next advertisement; and since a master that yields says a
// last word (as ucarp does), another preempting host may take that for a living, worse master and be
// master itself until the best advertises again: at most one such round for each host.
//
// Not yet guaranteed, and therefore excused here: a host that is paused (or whose daemon is) holds the
// addresses as long as the pause lasts and, if it was master, advertises once more after it before it
// hears that it was replaced. It counts as unhealthy while paused, and its return as a disturbance.
// Recorded advertisements that are played back are believed, so nobody plays any back.

import type { Host } from './host.js';
import type { Lan, Observer, Report } from './lan.js';
import { claimRetry, ownInterval, patienceOf, truce } from './rules.js';
import { Violation } from './twin.js';

const margin = 100_000; // microseconds; delays, late alarms and claims of a calm network stay below it
const handoverMargin = 5_000; // a goodbye's way, an alarm is not needed
const changesPerHost = 12;

type Part = readonly Host[];

export class Checkers implements Observer {
  roleChanges = 0;
  /** Set while frames are lost, delayed or doubled: nothing is quiet then. */
  noisy = false;
  readonly #lan: Lan;
  #quietSince = 0;
  #changes = 0;
  /** When somebody became master, or stopped being it, for the last time. */
  #changedAt = 0;
  #disturbances = 0;
  #vacantSince = new Map<string, number>();
  /** Until when a demoted host leaves the role to others. */
  readonly #truceUntil = new Map<string, number>();

  constructor(lan: Lan) {
    this.#lan = lan;
  }

  disturbed(): void {
    this.#disturbances += 1;
    this.#quietSince = this.#lan.now;
    this.#changes = 0;
    this.#vacantSince = new Map();
  }

  /** How long it takes at most until nothing changes any more, in microseconds. */
  settleTime(part: Part = this.#lan.hosts): number {
    const slowest = Math.max(0, ...part.map(({ router }) => patienceOf(router.settings)));
    const intervals = part.map(({ router, state }) => ownInterval(router.settings, state));
    const rounds = part.length * Math.max(0, ...intervals);
    return slowest + this.#truceOf(part) + rounds + margin;
  }

  looked(): void {
    const { now, lastArrival } = this.#lan;
    if (this.noisy) this.#quietSince = now;
    // What was sent before the disturbance ended may still arrive.
    const since = Math.max(this.#quietSince, Math.min(lastArrival, this.#quietSince + margin));
    for (const part of this.parts()) this.#checkPart(part, now - since);
  }

  stepped(report: Report): void {
    const { host, before, event, after } = report;
    if (after.type !== 'master' && (host.holds || host.claiming)) {
      throw new Violation(`${host.name} keeps the addresses in ${after.type}`);
    }
    if (event.type === 'demote') this.#truceUntil.set(host.name, this.#lan.now + truce);
    if ((event.type === 'shutdown' || event.type === 'demote') && before.type === 'master') {
      this.#expectSuccessor(host);
    }
    if (before.type === after.type) return;
    this.roleChanges += 1;
    this.#changes += 1;
    if (before.type === 'master' || after.type === 'master') this.#changedAt = this.#lan.now;
    if (this.#changes > changesPerHost * this.#lan.hosts.length && !this.noisy) {
      throw new Violation(`${this.#changes} changes of role since the last disturbance`);
    }
    const part = this.parts().find((hosts) => hosts.includes(host));
    if (part !== undefined && this.#lan.now - this.#quietSince > this.settleTime(part)) {
      throw new Violation(`${host.name} became ${after.type} though nothing had happened`);
    }
  }

  /** Healthy hosts that hear each other, with no one-way hearing within or to the outside. */
  parts(): Part[] {
    const healthy = this.#lan.hosts.filter((host) => host.healthy);
    const hears = ({ name }: Host, { name: speaker }: Host): boolean =>
      name === speaker || this.#lan.hears(name, speaker);
    const parts = new Map<string, Part>();
    for (const host of healthy) {
      const part = healthy.filter((other) => hears(host, other) && hears(other, host));
      const clean = part.every((member) =>
        healthy.every((other) => {
          const expected = part.includes(other);
          return hears(member, other) === expected && hears(other, member) === expected;
        }),
      );
      if (clean) parts.set(part.map(({ name }) => name).join(' '), part);
    }
    return [...parts.values()];
  }

  #checkPart(part: Part, quietFor: number): void {
    const masters = part.filter((host) => host.isMaster);
    this.#checkVacancy(part, masters.length === 0);
    if (quietFor <= this.settleTime(part)) return;
    const [master] = masters;
    const names = masters.map(({ name }) => name).join(' and ');
    if (masters.length > 1) throw new Violation(`${names} are both master`);
    if (master === undefined) return;
    checkBest(part, master);
    if (quietFor <= this.settleTime(part) + claimRetry) return;
    if (!master.holds) throw new Violation(`${names} is master without the addresses`);
    this.#checkNeighbours(part, master);
  }

  #checkVacancy(part: Part, vacant: boolean): void {
    const key = part.map(({ name }) => name).join(' ');
    if (!vacant || this.noisy) {
      this.#vacantSince.delete(key);
      return;
    }
    const since = this.#vacantSince.get(key) ?? this.#lan.now;
    this.#vacantSince.set(key, since);
    const slowest = Math.max(...part.map(({ router }) => patienceOf(router.settings)));
    if (this.#lan.now - since > slowest + this.#truceOf(part) + margin) {
      throw new Violation(`nobody of ${key} is master`);
    }
  }

  /** A demoted host does not claim for a while; if it is alone, nobody does. */
  #truceOf(part: Part): number {
    const lasts = part.some(({ name }) => (this.#truceUntil.get(name) ?? 0) > this.#quietSince);
    return lasts ? truce : 0;
  }

  /** Every other host knows where the addresses live, if that changed while all could be told. */
  #checkNeighbours(part: Part, master: Host): void {
    if (this.#changedAt <= this.#quietSince) return;
    for (const host of part) {
      if (host !== master && host.neighbour !== master.mac) {
        throw new Violation(`${host.name} was not told that ${master.name} has the addresses`);
      }
    }
  }

  /** Who says goodbye on a calm network is followed at once, not after a dead time. */
  #expectSuccessor(leaver: Host): void {
    const part = this.parts().find((hosts) => hosts.includes(leaver)) ?? [];
    const heirs = part.filter((host) => host !== leaver);
    if (this.noisy || heirs.length === 0) return;
    const disturbances = this.#disturbances;
    this.#lan.after(handoverMargin, () => {
      if (this.#disturbances !== disturbances || heirs.some((host) => host.isMaster)) return;
      throw new Violation(`nobody followed ${leaver.name}, which said goodbye`);
    });
  }
}

/** Nobody waits who would take over from this master as soon as it advertises. */
function checkBest(part: Part, master: Host): void {
  const theirs = ownInterval(master.router.settings, master.state);
  for (const { name, state, router } of part) {
    if (name === master.name) continue;
    const better = router.settings.preempt && ownInterval(router.settings, state) < theirs;
    const tooSlow = patienceOf(router.settings) < theirs;
    if (better) throw new Violation(`${name} is better than ${master.name} and preempts`);
    if (tooSlow) throw new Violation(`${master.name} is too slow for ${name}`);
  }
}
