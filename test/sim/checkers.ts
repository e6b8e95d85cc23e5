// What must hold for the segment as a whole, looked at from outside: one holder, soon, the right
// one, and then no more unrest. Judged in each part of the segment whose healthy hosts all hear one
// another and nobody else, and counted from the last disturbance.
//
// How long unrest may last. Silence ends after the slowest dead time. Takeovers that cross on the
// wire leave several masters until the best one's next advertisement; and since a master that
// yields says a last word (as ucarp does), another preempting host may take that for a living,
// worse master and be master itself until the best advertises once more.
//
// Not yet guaranteed, and therefore excused here: a host that is paused (or whose daemon is) holds
// the addresses as long as the pause lasts and, if it was master, advertises once more after it
// before it hears that it was replaced. It counts as unhealthy while paused, and its return as a
// disturbance. Recorded advertisements that are played back are believed, so nobody plays any back.
// A demoted host whose nominal dead time is shorter than its successor's interval takes the role
// back at once, truce or not.

import type { Host } from './host.js';
import type { Lan, Observer, Report } from './lan.js';
import {
  claimRetry,
  intervalOf,
  nominalPatience,
  ownInterval,
  patienceOf,
  truce,
} from './rules.js';
import { Violation } from './twin.js';

const margin = 100_000; // microseconds; a calm network's delays and late alarms stay below it
const handoverMargin = 5_000; // a goodbye's way; no alarm is needed
const settlingRounds = 1; // of the longest interval
const dualRounds = 2;
const recoveryRounds = 4; // three advertisements that could be sent, and the one that says so
const announcementRounds = 3; // after a lost race it is repeated with a later advertisement
const changesPerHost = 12;

type Part = readonly Host[];

/** For each host, when something was so for the last time. */
type Times = Map<string, number>;

export class Checkers implements Observer {
  roleChanges = 0;
  /** Set while frames are lost, delayed or doubled: nothing is quiet then. */
  noisy = false;
  readonly #lan: Lan;
  #quietSince = 0;
  #changes = 0;
  #disturbances = 0;
  /** Since when a part of the segment has had no master, or several. */
  #vacantSince: Times = new Map();
  #dualSince: Times = new Map();
  /** Became master, or stopped being it. */
  readonly #changedAt: Times = new Map();
  /** Called itself the worst of masters, since it could not send. */
  readonly #suppressedAt: Times = new Map();
  readonly #demotedAt: Times = new Map();
  /** Holds the addresses without being master, though it could give them up. */
  readonly #holdsSince: Times = new Map();

  constructor(lan: Lan) {
    this.#lan = lan;
  }

  disturbed(): void {
    this.#disturbances += 1;
    this.#quietSince = this.#lan.now;
    this.#changes = 0;
    this.#vacantSince = new Map();
    this.#dualSince = new Map();
  }

  /** How long it takes at most until nothing changes any more, in microseconds. */
  settleTime(part: Part = this.#lan.hosts): number {
    const unrest = settlingRounds * longestInterval(part) + this.#recoveryTime(part);
    return slowestPatience(part) + this.#truceTime(part) + unrest + margin;
  }

  looked(): void {
    for (const host of this.#lan.hosts) this.#checkRelease(host);
    if (this.noisy) this.disturbed();
    else for (const part of this.parts()) this.#checkPart(part);
  }

  stepped(report: Report): void {
    const { host, before, event, after } = report;
    const { now } = this.#lan;
    const keeps = (host.holds && !host.releaseFails) || host.claiming;
    if (after.type !== 'master' && keeps && !isRetrying(report)) {
      throw new Violation(`${host.name} keeps the addresses in ${after.type}`);
    }
    const suppressed = before.memory.suppressed || after.memory.suppressed;
    if (suppressed) this.#suppressedAt.set(host.name, now);
    if (event.type === 'demote') this.#demotedAt.set(host.name, now);
    const saysGoodbye = event.type === 'demote' || event.type === 'shutdown';
    if (saysGoodbye && before.type === 'master') this.#expectSuccessor(host);
    if (before.type !== after.type) this.#countChange(report);
  }

  /** Who could not give the addresses up does so soon after it can. */
  #checkRelease({ name, state, paused, holds, releaseFails }: Host): void {
    const { now } = this.#lan;
    const mayHold = state === undefined || state.type === 'master' || paused;
    if (!holds || mayHold || releaseFails) this.#holdsSince.delete(name);
    else if (!this.#holdsSince.has(name)) this.#holdsSince.set(name, now);
    else if (now - (this.#holdsSince.get(name) ?? now) > claimRetry + margin) {
      throw new Violation(`${name} holds the addresses in ${state.type}`);
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
      if (clean) parts.set(namesOf(part), part);
    }
    return [...parts.values()];
  }

  #countChange({ host, before, after }: Report): void {
    const { now, hosts } = this.#lan;
    this.roleChanges += 1;
    this.#changes += 1;
    if (before.type === 'master' || after.type === 'master') this.#changedAt.set(host.name, now);
    if (this.noisy) return;
    if (this.#changes > changesPerHost * hosts.length) {
      throw new Violation(`${this.#changes} changes of role since the last disturbance`);
    }
    const part = this.parts().find((members) => members.includes(host));
    if (part !== undefined && now - this.#quietSince > this.settleTime(part)) {
      throw new Violation(`${host.name} became ${after.type} though nothing had happened`);
    }
  }

  #checkPart(part: Part): void {
    const quietFor = this.#lan.now - this.#quietSince;
    const masters = part.filter((host) => host.isMaster);
    const [master] = masters;
    const vacancy = slowestPatience(part) + this.#truceTime(part) + margin;
    if (this.#lasts(this.#vacantSince, part, master === undefined) > vacancy) {
      throw new Violation(`nobody of ${namesOf(part)} is master`);
    }
    const dual = dualRounds * longestInterval(part) + this.#recoveryTime(part) + margin;
    if (this.#lasts(this.#dualSince, part, masters.length > 1) > dual) {
      throw new Violation(`${namesOf(masters)} are master at once`);
    }
    if (master === undefined || quietFor <= this.settleTime(part)) return;
    if (masters.length > 1) throw new Violation(`${namesOf(masters)} are still master at once`);
    checkBest(part, master);
    const repeats = claimRetry + announcementRounds * longestInterval(part);
    if (quietFor <= this.settleTime(part) + repeats) return;
    if (!master.holds) throw new Violation(`${master.name} is master without the addresses`);
    this.#checkNeighbours(part, master);
  }

  /** For how long something has been so in a part; 0 when it is not. */
  #lasts(times: Times, part: Part, isSo: boolean): number {
    const key = namesOf(part);
    const since = times.get(key) ?? this.#lan.now;
    if (isSo) times.set(key, since);
    else times.delete(key);
    return isSo ? this.#lan.now - since : 0;
  }

  /** A demoted host does not claim for a while; if it is alone, nobody does. */
  #truceTime(part: Part): number {
    const since = this.#quietSince - truce;
    return part.some(({ name }) => (this.#demotedAt.get(name) ?? since) > since) ? truce : 0;
  }

  /** A host that could not send takes a few advertisements to be itself again. */
  #recoveryTime(part: Part): number {
    const since = this.#quietSince;
    const recovering = part.some(({ name }) => (this.#suppressedAt.get(name) ?? -1) >= since);
    const slowest = Math.max(0, ...part.map(({ router }) => router.settings.advbase));
    return recovering ? recoveryRounds * intervalOf(slowest, 255) : 0;
  }

  /** Every other host knows where the addresses live, if that changed while all could be told. */
  #checkNeighbours(part: Part, master: Host): void {
    const since = this.#quietSince;
    if (!part.some(({ name }) => (this.#changedAt.get(name) ?? since) > since)) return;
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
    const tooSlow = heirs.some(
      ({ router, state }) =>
        ownInterval(router.settings, state) > nominalPatience(leaver.router.settings),
    );
    if (this.noisy || heirs.length === 0 || tooSlow) return;
    // The fault that made it leave is a disturbance before and after; any other one cancels this.
    const disturbances = this.#disturbances + 1;
    this.#lan.after(handoverMargin, () => {
      if (this.#disturbances !== disturbances || heirs.some((host) => host.isMaster)) return;
      throw new Violation(`nobody followed ${leaver.name}, which said goodbye`);
    });
  }
}

/** The addresses could not be given up, and are to be given up later. */
function isRetrying({ after }: Report): boolean {
  return after.memory.releaseAgainAt !== undefined;
}

function namesOf(hosts: Part): string {
  return hosts.map(({ name }) => name).join(' ');
}

function slowestPatience(part: Part): number {
  return Math.max(0, ...part.map(({ router }) => patienceOf(router.settings)));
}

function longestInterval(part: Part): number {
  return Math.max(0, ...part.map(({ router, state }) => ownInterval(router.settings, state)));
}

/** Nobody waits who would take over from this master as soon as it advertises. */
function checkBest(part: Part, master: Host): void {
  const theirs = ownInterval(master.router.settings, master.state);
  for (const { name, state, router } of part) {
    if (name === master.name) continue;
    const better = router.settings.preempt && ownInterval(router.settings, state) < theirs;
    const tooSlow = nominalPatience(router.settings) < theirs;
    if (better) throw new Violation(`${name} is better than ${master.name} and preempts`);
    if (tooSlow) throw new Violation(`${master.name} is too slow for ${name}`);
  }
}
