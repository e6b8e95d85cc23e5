// Runs one virtual router: feeds events to its step, does the actions in order, sets the alarm, and
// feeds what came of the actions back as events.

import { randomBytes } from 'node:crypto';
import type { Clock, Link } from '../net/ports.js';
import { formatIpv4, type Mac } from '../protocol/address.js';
import type { Action, Event, Heard, State } from '../protocol/carp/state.js';
import type { Drop, DropReason } from '../protocol/parsed.js';
import type { Instant } from '../protocol/units.js';
import type { Advertise, VirtualRouter } from '../protocol/virtual-router.js';
import { Alarm } from './alarm.js';
import { type Counters, createCounters } from './counters.js';
import type { Holding } from './holding.js';
import type { Level, Logger } from './log.js';
import { type LastHeard, narrate } from './narrate.js';
import { RateLimit } from './rate-limit.js';

export interface EngineOptions {
  readonly router: VirtualRouter;
  /** As given on the command line, for log lines. */
  readonly interfaceName: string;
  readonly clock: Clock;
  readonly link: Link;
  readonly holding: Holding;
  readonly logger: Logger;
  /** The interface's own hardware address, for gratuitous ARP. */
  mac(): Mac;
}

const triesAtStop = 2; // further ones; each may take iproute2 some seconds

export class Engine {
  readonly counters: Counters = createCounters();
  readonly #options: EngineOptions;
  readonly #alarm: Alarm;
  readonly #warnings: RateLimit;
  readonly #queue: Event[] = [];
  #running = false;
  #state: State;
  #changedAt = new Date();
  #lastHeard: LastHeard | undefined;
  #keepAddresses = false;
  #stopping = false;
  /** Claims and releases so far; what an earlier one came to is of no interest. */
  #wishes = 0;
  /** The last one; resolves when it has come to something. */
  #wish: Promise<void> = Promise.resolve();
  #releaseFailed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#state = options.router.initialState(options.clock.now());
    this.#alarm = new Alarm(options.clock, () => this.handle({ type: 'elapsed' }));
    this.#warnings = new RateLimit(options.clock);
  }

  get state(): State {
    return this.#state;
  }

  /** The wall-clock time of the last change of state. */
  get changedAt(): Date {
    return this.#changedAt;
  }

  /** The last authentic advertisement of somebody else. */
  get lastHeard(): LastHeard | undefined {
    return this.#lastHeard;
  }

  /** Events that come while one is being handled wait for their turn. */
  handle(event: Event): void {
    this.#queue.push(event);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#handleOne(next);
      }
    } finally {
      this.#running = false;
    }
    if (!this.#stopping) this.#alarm.set(this.#options.router.deadline(this.#state));
  }

  /** A frame from the wire: an event, or one more drop of its kind. */
  receive(frame: Uint8Array): void {
    const result = this.#options.router.receive(frame);
    if (result.ok) {
      this.counters.received += 1;
      this.handle({ type: 'advertisement', heard: result.value });
    } else {
      this.#countDrop(result.drop);
    }
  }

  /** Tells the segment anew where the addresses live: our hardware address is another one now. */
  announce(): void {
    if (this.#state.type === 'master') this.#announce();
  }

  /**
   * Says goodbye and gives the addresses up, unless they are to stay as ucarp leaves them without
   * -z. Resolves to false when they were to go and did not.
   */
  async stop({ keepAddresses }: { readonly keepAddresses: boolean }): Promise<boolean> {
    this.#keepAddresses = keepAddresses;
    this.#stopping = true;
    this.#alarm.set(undefined);
    this.handle({ type: 'shutdown' });
    if (keepAddresses) return true;
    const { holding } = this.#options;
    await Promise.all([holding.idle(), this.#wish]);
    for (let tries = 0; this.#releaseFailed && tries < triesAtStop; tries += 1) {
      this.#report(holding.release('again'), 'release');
      await this.#wish;
    }
    return !this.#releaseFailed;
  }

  #handleOne(event: Event): void {
    const { router, clock } = this.#options;
    const now = clock.now();
    const before = this.#state;
    const { state, actions } = router.step(before, event, now);
    this.#state = state;
    if (before.type !== state.type) {
      this.#changedAt = new Date();
      this.counters.stateChanges += 1;
      if (event.type === 'link-down') this.counters.linkLost += 1;
    }
    // A change of role is told before it is acted on, as ucarp does; what is only answered is
    // answered first, since words take as long as the answer.
    if (before.type !== state.type) this.#narrate(before, event, now);
    for (const action of actions) this.#perform(action);
    if (before.type === state.type) this.#narrate(before, event, now);
    if (event.type === 'advertisement') this.#remember(event.heard, now);
  }

  #narrate(before: State, event: Event, now: Instant): void {
    const { router, logger, interfaceName } = this.#options;
    const state = this.#state;
    const context = {
      settings: router.settings,
      interface: interfaceName,
      vhid: router.id,
      now,
      lastHeard: this.#lastHeard,
    };
    for (const [index, { level, text }] of narrate(before, event, state, context).entries()) {
      // Repeated advertisements of a worse master would repeat their line at their own rate, and
      // may differ in what they say of themselves.
      if (before.type === state.type) this.#warn(`${event.type} ${index}`, level, text);
      else logger.log(level, text, this.#facts(before));
    }
  }

  /** For programs that read the log as JSON. */
  #facts(before: State): Readonly<Record<string, unknown>> {
    const { router, interfaceName } = this.#options;
    const { type, reason } = this.#state;
    return { interface: interfaceName, vhid: router.id, from: before.type, to: type, reason };
  }

  #remember(heard: Heard, now: Instant): void {
    const { source, advbase, advskew } = heard;
    this.#lastHeard = { source, advbase, advskew, at: now };
  }

  #perform(action: Action): void {
    const { holding } = this.#options;
    switch (action.type) {
      case 'advertise':
        this.#advertise(action);
        return;
      case 'announce':
        this.#announce();
        return;
      case 'claim':
        this.#report(holding.claim(), 'claim');
        return;
      case 'release':
        if (!this.#keepAddresses) this.#report(holding.release(action.occasion), 'release');
    }
  }

  /** What it comes to is an event, unless something else was asked for meanwhile. */
  #report(work: Promise<void>, what: 'claim' | 'release'): void {
    this.#wishes += 1;
    this.#releaseFailed = false;
    const wish = this.#wishes;
    this.#wish = work.then(
      () => {
        if (wish === this.#wishes && what === 'claim') this.handle({ type: 'claimed' });
      },
      ({ message }: Error) => {
        this.#warn(`holding: ${what}`, 'error', message);
        if (wish !== this.#wishes) return;
        this.#releaseFailed = what === 'release';
        this.handle({ type: `${what}-failed` });
      },
    );
  }

  #advertise(action: Advertise): void {
    const { router, link } = this.#options;
    const random = randomBytes(10);
    const numbers = { packetId: random.readUInt16BE(0), counter: random.readBigUInt64BE(2) };
    try {
      link.send(router.advertisement(action, numbers));
      this.counters.sent += 1;
      this.#queue.push({ type: 'sent' });
    } catch (error) {
      this.counters.sendFailed += 1;
      this.#warn('send', 'warning', `write() has failed: ${(error as Error).message}`);
      this.#queue.push({ type: 'send-failed' });
    }
  }

  #announce(): void {
    const { router, link, mac } = this.#options;
    try {
      for (const frame of router.announcements(mac())) link.send(frame);
      this.counters.announced += 1;
    } catch (error) {
      this.counters.announceFailed += 1;
      this.#warn('announce', 'error', `write() in garp: ${(error as Error).message}`);
    }
  }

  #countDrop({ reason, detail, from }: Drop): void {
    this.counters.dropped[reason] += 1;
    const level = dropLevels[reason];
    if (level === undefined || !this.#warn(reason, level, dropText(reason, detail))) return;
    if (level !== 'warning' || from === undefined) return;
    // ucarp does not say who.
    const { interfaceName, router, logger } = this.#options;
    logger.log('info', `${interfaceName} vhid ${router.id}: that was sent by ${formatIpv4(from)}`);
  }

  /** About one line of a kind per second; a second one says how many were held back before it. */
  #warn(kind: string, level: Level, text: string): boolean {
    const allowed = this.#warnings.allow(kind);
    if (!allowed.ok) {
      this.counters.logSuppressed += 1;
      return false;
    }
    const { logger } = this.#options;
    logger.log(level, text);
    const { suppressed } = allowed;
    if (suppressed > 0) logger.log('info', `${suppressed} more like it before were not logged`);
    return true;
  }
}

/** How loud each kind of drop is: what an operator must act on is a warning, as with ucarp. */
const dropLevels: Partial<Record<DropReason, Level>> = {
  ttl: 'warning',
  version: 'warning',
  checksum: 'warning',
  digest: 'warning',
  vhid: 'debug',
  group: 'debug',
  'too-short': 'debug',
  'own-source': 'debug',
};

/** ucarp's wording, where it has one. */
function dropText(reason: DropReason, detail: string): string {
  switch (reason) {
    case 'ttl':
      return `Bad TTL: [${detail}]`;
    case 'version':
      return `Bad version: [${detail}]`;
    case 'checksum':
      return 'Bad IP checksum';
    case 'digest':
      return `Bad digest - ${detail} - Check vhid, password and virtual IP address`;
    case 'vhid':
      return `Ignoring vhid: [${detail}]`;
    case 'group':
      return `Ignoring different multicast ip: [${detail}]`;
    default:
      return `Dropped (${reason}): ${detail}`;
  }
}
