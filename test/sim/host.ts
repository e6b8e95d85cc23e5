// A host with one CARP router: the product's own VirtualRouter between a virtual network card and a
// virtual kernel that holds addresses. It does what the daemon does, on the simulator's clock:
// actions in order and all of them before the next event, what came of them as events, one alarm at
// the deadline.

import { type LastHeard, narrate } from '../../src/daemon/narrate.js';
import type { Ipv4, Mac } from '../../src/protocol/address.js';
import type { Action, Event, State } from '../../src/protocol/carp/state.js';
import { type Instant, instantFromMicroseconds } from '../../src/protocol/units.js';
import type { VirtualRouter } from '../../src/protocol/virtual-router.js';
import type { Frame, Lan } from './lan.js';

const claimTime = 300; // what iproute2 needs for an address
const inboxSize = 256; // a socket's buffer ends somewhere; what comes then is lost
const earlyBy = 1_000;

export class Host {
  readonly name: string;
  readonly router: VirtualRouter;
  readonly mac: Mac;
  /** Undefined while no daemon runs. */
  state: State | undefined;
  linkUp = true;
  paused = false;
  /** The network card takes no frames, though the link is up. */
  sendFails = false;
  claimFails = false;
  /** The kernel keeps addresses that are to go. */
  releaseFails = false;
  /** The kernel has the addresses. */
  holds = false;
  claiming = false;
  /** Which hardware address the kernel believes to answer for the virtual address. */
  neighbour: Mac | undefined;
  readonly drops = new Map<string, number>();
  readonly #lan: Lan;
  readonly #inbox: (() => void)[] = [];
  #lastHeard: LastHeard | undefined;
  #alarm = 0;
  #life = 0;

  constructor(lan: Lan, name: string, router: VirtualRouter, mac: Mac) {
    this.#lan = lan;
    this.name = name;
    this.router = router;
    this.mac = mac;
  }

  /** Runs, has link, and nothing keeps it from hearing, speaking and deciding. */
  get healthy(): boolean {
    return this.state !== undefined && this.linkUp && !this.paused && !this.sendFails;
  }

  get isMaster(): boolean {
    return this.state?.type === 'master';
  }

  start(): void {
    this.#forget();
    this.state = this.router.initialState(this.#lan.now);
    this.handle({ type: 'start' });
    if (!this.linkUp) this.handle({ type: 'link-down' });
  }

  /** Power off: host and kernel are gone, addresses with them. */
  crash(): void {
    this.#forget();
    this.state = undefined;
    this.holds = false;
    this.neighbour = undefined;
  }

  /** A planned stop. A down script may flap the interface before the daemon is gone. */
  leave(): void {
    this.handle({ type: 'shutdown' });
    if (this.linkUp) this.handle({ type: 'link-up' });
    this.#forget();
    this.state = undefined;
  }

  setLink(up: boolean): void {
    if (this.linkUp === up) return;
    this.linkUp = up;
    this.handle({ type: up ? 'link-up' : 'link-down' });
  }

  pause(): void {
    this.paused = true;
  }

  /**
   * What waited comes first, as a process finds its sockets before its overdue timer, then the
   * alarm.
   */
  resume(): void {
    this.paused = false;
    for (const work of this.#inbox.splice(0)) work();
    if (this.state !== undefined) this.handle({ type: 'elapsed' });
  }

  /** A frame arrives at the network card. */
  hear(frame: Frame): void {
    if (!this.linkUp || this.#isArp(frame.bytes)) return;
    this.#whenAwake(() => this.#receive(frame));
  }

  handle(event: Event): void {
    this.#whenAwake(() => this.#step(event, undefined));
  }

  #forget(): void {
    this.#life += 1;
    this.#alarm += 1;
    this.paused = false;
    this.claiming = false;
    this.#inbox.length = 0;
    this.#lastHeard = undefined;
  }

  #whenAwake(work: () => void): void {
    if (!this.paused) work();
    else if (this.#inbox.length < inboxSize) this.#inbox.push(work);
  }

  /** ARP is the kernel's, which learns the sender's addresses (at their offsets in RFC 826). */
  #isArp(bytes: Uint8Array): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 42 || view.getUint16(12) !== 0x0806) return false;
    if (this.router.addresses.includes(view.getUint32(28) as Ipv4)) {
      this.neighbour = (view.getUint16(22) * 2 ** 32 + view.getUint32(24)) as Mac;
    }
    return true;
  }

  #receive(frame: Frame): void {
    if (this.state === undefined) return;
    const verdict = this.router.receive(frame.bytes);
    for (const observer of this.#lan.observers) observer.received?.(this, frame, verdict);
    if (verdict.ok) {
      this.#step({ type: 'advertisement', heard: verdict.value }, frame);
      const { source, advbase, advskew } = verdict.value;
      this.#lastHeard = { source, advbase, advskew, at: this.#lan.now };
    } else {
      const { reason } = verdict.drop;
      this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
    }
  }

  #step(event: Event, frame: Frame | undefined): void {
    const before = this.state;
    if (before === undefined) return;
    const { now } = this.#lan;
    const { state: after, actions } = this.router.step(before, event, now);
    this.state = after;
    this.#narrate(before, event, after);
    const outcomes = actions.flatMap((action) => this.#perform(action));
    for (const observer of this.#lan.observers) {
      observer.stepped?.({ host: this, before, event, after, actions, frame });
    }
    for (const outcome of outcomes) this.#step(outcome, undefined);
    this.#arm();
  }

  #narrate(before: State, event: Event, after: State): void {
    const { settings, id: vhid } = this.router;
    const { now } = this.#lan;
    const context = { settings, vhid, interface: 'eth1', now, lastHeard: this.#lastHeard };
    for (const line of narrate(before, event, after, context)) this.#lan.log(this.name, line);
  }

  #perform(action: Action): Event[] {
    switch (action.type) {
      case 'advertise': {
        const { random } = this.#lan;
        const numbers = { packetId: random.between(0, 0xffff), counter: random.counter() };
        const { advbase, advskew } = action;
        const { source } = this.router.settings;
        const bytes = this.router.advertisement(action, numbers);
        const sent = this.#send({ bytes, from: this.name, claim: { advbase, advskew, source } });
        return [{ type: sent ? 'sent' : 'send-failed' }];
      }
      case 'announce':
        for (const bytes of this.router.announcements(this.mac)) {
          this.#send({ bytes, from: this.name, claim: undefined });
        }
        return [];
      case 'claim':
        this.#claim();
        return [];
      case 'release':
        this.claiming = false;
        this.holds &&= this.releaseFails;
        return this.holds ? [{ type: 'release-failed' }] : [];
    }
  }

  #send(frame: Frame): boolean {
    if (this.sendFails || !this.linkUp) return false;
    this.#lan.transmit(frame);
    return true;
  }

  /** Ends after a while; what was released meanwhile is not got. */
  #claim(): void {
    const life = this.#life;
    this.claiming = true;
    this.#lan.after(claimTime, () => {
      if (life !== this.#life || !this.claiming) return;
      this.claiming = false;
      this.holds ||= !this.claimFails;
      this.handle({ type: this.claimFails ? 'claim-failed' : 'claimed' });
    });
  }

  #arm(): void {
    this.#alarm += 1;
    const deadline = this.state === undefined ? undefined : this.router.deadline(this.state);
    if (deadline === undefined) return;
    const { random, conditions, now } = this.#lan;
    const due = Math.max(deadline, now);
    const early = random.chance(conditions.early) && due - earlyBy > now;
    this.#ring(early ? due - earlyBy : due + random.between(0, conditions.maxLateness));
  }

  #ring(at: number): void {
    const alarm = this.#alarm;
    // A paused host's alarm is lost: `resume` rings a late one.
    this.#lan.at(instantFromMicroseconds(at) as Instant, () => {
      if (alarm === this.#alarm && !this.paused) this.handle({ type: 'elapsed' });
    });
  }
}
