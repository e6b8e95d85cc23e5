// Checks each step of each host against rules.ts: who takes over, who yields, when, and what it
// does then. Needs no quiet network: whatever was lost or delayed, a host must decide right on what
// it did hear.

import type { State } from '../../src/protocol/carp/state.js';
import type { Parsed } from '../../src/protocol/parsed.js';
import type { Host } from './host.js';
import type { Frame, Lan, Observer, Report } from './lan.js';
import { isGoodbye, ownInterval, patienceOf, takesOver, truce, yields } from './rules.js';

const alarmMargin = 60_000; // longer than any alarm in the simulation is late
const reassertionWindow = 500_000; // microseconds
const reassertionsAtOnce = 5;

interface Memory {
  /** From when on silence counts. */
  silentSince: number;
  /** When a master must have advertised again. */
  advertiseBy: number;
  /** Until then a demoted host does not preempt. */
  yieldUntil: number;
  /** The last one heard or sent; undefined until somebody was heard, and then each is random. */
  counter: bigint | undefined;
  /** Failed and successful advertisements in a row; the latter while `suppressed`. */
  failures: number;
  successes: number;
  suppressed: boolean;
  /** When a worse master was answered, of late. */
  reassertedAt: readonly number[];
}

export class Violation extends Error {}

export class Twin implements Observer {
  readonly #lan: Lan;
  readonly #memory = new Map<string, Memory>();

  constructor(lan: Lan) {
    this.#lan = lan;
  }

  received(host: Host, frame: Frame, verdict: Parsed<unknown>): void {
    if (verdict.ok && frame.claim === undefined) {
      throw new Violation(`${host.name} believed a frame of ${frame.from}`);
    }
    if (!verdict.ok && frame.claim !== undefined && frame.from !== host.name) {
      throw new Violation(`${host.name} dropped ${frame.from}'s: ${verdict.drop.reason}`);
    }
  }

  stepped(report: Report): void {
    const { host, before, event, after } = report;
    this.#checkRole(report);
    this.#checkActions(report);
    this.#checkCounters(report);
    this.#checkSuppression(report);
    const memory = this.#of(host);
    const { now } = this.#lan;
    if (report.actions.some(({ type }) => type === 'advertise')) {
      memory.advertiseBy = now + ownInterval(host.router.settings, after);
    }
    if (before.type !== 'backup' && after.type === 'backup') {
      memory.yieldUntil = event.type === 'demote' ? now + truce : now;
      memory.silentSince = memory.yieldUntil;
    } else if (event.type === 'advertisement') {
      memory.silentSince = now;
    }
  }

  looked(): void {
    for (const host of this.#lan.hosts) {
      if (host.paused || host.state === undefined) continue;
      const { silentSince, advertiseBy } = this.#of(host);
      const { settings } = host.router;
      const late = this.#lan.now - alarmMargin;
      if (host.state.type === 'backup' && late > silentSince + patienceOf(settings)) {
        throw new Violation(`${host.name} is still backup after its dead time`);
      }
      if (host.state.type === 'master' && late > advertiseBy) {
        throw new Violation(`${host.name} is master and does not advertise`);
      }
    }
  }

  #of({ name }: Host): Memory {
    let memory = this.#memory.get(name);
    if (memory === undefined) {
      memory = {
        silentSince: 0,
        advertiseBy: 0,
        yieldUntil: 0,
        counter: undefined,
        failures: 0,
        successes: 0,
        suppressed: false,
        reassertedAt: [],
      };
      this.#memory.set(name, memory);
    }
    return memory;
  }

  #checkRole(report: Report): void {
    const expected = this.#expectedRole(report);
    const { host, before, event, after } = report;
    if (after.type === expected) return;
    throw new Violation(
      `${host.name} went from ${before.type} to ${after.type} on ${event.type} ` +
        `where the rules say ${expected}`,
    );
  }

  #expectedRole({ host, before, event, frame }: Report): State['type'] {
    const claim = frame?.claim;
    switch (event.type) {
      case 'start':
      case 'link-up':
        if (before.type !== 'initialize' || before.reason === 'shutdown') return before.type;
        return 'backup';
      case 'link-down':
      case 'shutdown':
        return 'initialize';
      case 'promote':
        return before.type === 'backup' ? 'master' : before.type;
      case 'demote':
        return before.type === 'master' ? 'backup' : before.type;
      case 'elapsed':
        return before.type === 'backup' && this.#isSilent(host) ? 'master' : before.type;
      case 'advertisement':
        if (claim === undefined || before.type === 'initialize') return before.type;
        return this.#expectedOnClaim(host, before, claim);
      case 'sent':
      case 'send-failed':
      case 'claimed':
      case 'claim-failed':
      case 'release-failed':
        return before.type;
    }
  }

  #expectedOnClaim(
    host: Host,
    before: State,
    claim: NonNullable<Frame['claim']>,
  ): 'master' | 'backup' {
    const { settings } = host.router;
    if (before.type === 'master') return yields(settings, before, claim) ? 'backup' : 'master';
    const yielding = this.#lan.now < this.#of(host).yieldUntil;
    return takesOver(settings, before, claim, yielding) ? 'master' : 'backup';
  }

  #isSilent(host: Host): boolean {
    return this.#lan.now >= this.#of(host).silentSince + patienceOf(host.router.settings);
  }

  /** Three failures in a row make a bad master, three successes or a new link make a good one. */
  #checkSuppression({ host, before, event, after }: Report): void {
    const memory = this.#of(host);
    if (event.type === 'sent') {
      memory.failures = 0;
      memory.successes += memory.suppressed ? 1 : 0;
    } else if (event.type === 'send-failed') {
      memory.failures += 1;
      memory.successes = 0;
      memory.suppressed ||= memory.failures >= 3 && before.type === 'master';
    }
    const renewed = before.type === 'initialize' && after.type === 'backup';
    if (memory.successes >= 3 || renewed) {
      Object.assign(memory, { failures: 0, successes: 0, suppressed: false });
    }
    if (after.memory.suppressed === memory.suppressed) return;
    throw new Violation(`${host.name} on ${event.type}: suppressed ${after.memory.suppressed}`);
  }

  /** ucarp and the BSDs go on from the last counter that they heard or sent. */
  #checkCounters({ host, event, actions }: Report): void {
    const memory = this.#of(host);
    if (event.type === 'start') memory.counter = undefined;
    if (event.type === 'advertisement') memory.counter = event.heard.counter;
    for (const action of actions) {
      if (action.type !== 'advertise') continue;
      if (memory.counter !== undefined) memory.counter = (memory.counter + 1n) % 2n ** 64n;
      if (action.counter === memory.counter) continue;
      throw new Violation(`${host.name} sent counter ${action.counter}, not ${memory.counter}`);
    }
  }

  /**
   * What the rest of the segment is told and what becomes of the addresses, whatever the reason.
   */
  #checkActions({ host, before, event, after, actions }: Report): void {
    const types: string[] = actions.map((action) =>
      action.type === 'advertise' && isGoodbye(action) ? 'goodbye' : action.type,
    );
    const done = types.join(' ');
    const demand = (expected: string): void => {
      if (done !== expected) {
        throw new Violation(`${host.name} on ${event.type} did [${done}], not [${expected}]`);
      }
    };
    if (before.type !== 'master' && after.type === 'master') demand('claim announce advertise');
    if (before.type === 'master' && after.type !== 'master') {
      const last = { advertisement: 'advertise ', shutdown: 'goodbye ', demote: 'goodbye ' };
      demand(`${event.type in last ? last[event.type as keyof typeof last] : ''}release`);
    }
    if (before.type === 'master' && after.type === 'master' && event.type === 'advertisement') {
      this.#checkReassertion(host, done, demand);
    }
    if (after.type === 'master' && event.type === 'claimed') demand('announce');
    if (event.type === 'start') demand('release');
  }

  /** Each time, but for a flood. */
  #checkReassertion(host: Host, done: string, demand: (expected: string) => void): void {
    const memory = this.#of(host);
    const { now } = this.#lan;
    const recent = memory.reassertedAt.filter((at) => at > now - reassertionWindow);
    if (recent.length < reassertionsAtOnce || done !== '') demand('announce');
    memory.reassertedAt = done === '' ? recent : [...recent, now];
  }
}
