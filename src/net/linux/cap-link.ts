// A Link through libpcap and the package `cap`: the lowest latency, at a price. ** cap aborts the
// whole process (SIGABRT, by a failed assertion) when the interface goes down or is deleted ** and
// nothing here can prevent it. It is promiscuous always, and says on standard error when the
// interface has no IPv4 address. It also crashes when an object that failed to open is collected,
// is opened twice, or sends after it was closed: so objects are kept for ever and used once.

import type { Cap } from 'cap';
import { NetError } from '../errors.js';
import type { InterfaceFacts, Link, LinkEvents, LinkOptions, OpenLink } from '../ports.js';
import { shielded } from './libc.js';
import { joinGroups, type Membership } from './membership.js';
import { nativeRefusal } from './native-refusal.js';
import { type Session, SessionLink } from './session-link.js';

/** Tags that the network card has taken off are not seen by `ip proto`, so they are asked for. */
const filter = 'ip proto 112 and not vlan';
const ringSize = 1024 * 1024;
const frameLimit = 2048;

const everyCap: Cap[] = [];

type CapModule = Pick<typeof import('cap'), 'Cap'>;

export function capLinkOpener(module: CapModule): OpenLink {
  return (options, events): Link =>
    new SessionLink({
      backend: 'cap',
      device: options.device,
      open: (facts) => new CapSession(module, facts, options, events),
    });
}

class CapSession implements Session {
  readonly #device: string;
  readonly #cap: Cap;
  readonly #membership: Membership;
  readonly #events: LinkEvents;
  /** Native code writes into it and does not keep it from being collected. */
  readonly #buffer = Buffer.alloc(frameLimit);
  #open = true;

  constructor(module: CapModule, facts: InterfaceFacts, options: LinkOptions, events: LinkEvents) {
    this.#device = options.device;
    this.#events = events;
    this.#membership = joinGroups(facts.index, options.groups, this.#device);
    this.#cap = new module.Cap();
    everyCap.push(this.#cap);
    this.#cap.on(
      'packet',
      shielded((length: number) => this.#receive(length)),
    );
    try {
      this.#start();
    } catch (error) {
      this.#membership.leave();
      throw error;
    }
  }

  /** A handle on an interface that went down is deaf for ever, should it not have aborted. */
  intact(facts: InterfaceFacts): boolean {
    return facts.up && this.#membership.held();
  }

  send(frame: Uint8Array): void {
    const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
    try {
      this.#cap.send(bytes, bytes.length);
    } catch (error) {
      throw nativeRefusal(`Cannot send on ${this.#device}`, this.#device, error);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#cap.close();
    this.#membership.leave();
  }

  #start(): void {
    let linkType: string;
    try {
      linkType = this.#cap.open(this.#device, filter, ringSize, this.#buffer);
    } catch (error) {
      throw nativeRefusal(`Cannot capture on ${this.#device}`, this.#device, error);
    }
    if (linkType === 'ETHERNET') return;
    this.#cap.close();
    throw new NetError('unsupported', `libpcap calls ${this.#device} ${linkType}, not Ethernet`);
  }

  #receive(length: number): void {
    // The next packet overwrites the buffer.
    if (this.#open) this.#events.frame(Uint8Array.from(this.#buffer.subarray(0, length)));
  }
}
