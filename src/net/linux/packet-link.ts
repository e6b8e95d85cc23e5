// The default Link: AF_PACKET. It survives everything that happens to an interface.

import { NetError } from '../errors.js';
import type { InterfaceFacts, Link, LinkEvents, LinkOptions } from '../ports.js';
import { advertisementsIpv4, assemble } from './filter.js';
import { readInterface } from './interfaces.js';
import { joinGroups, type Membership } from './membership.js';
import { PacketSocket } from './packet-socket.js';

export function openPacketLink(options: LinkOptions, events: LinkEvents): Link {
  return new PacketLink(options, events);
}

class PacketLink implements Link {
  readonly backend = 'packet' as const;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  #open: { index: number; socket: PacketSocket; membership: Membership } | undefined;
  #closed = false;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#start(usableInterface(options.device));
  }

  send(frame: Uint8Array): void {
    if (this.#open === undefined) {
      throw new NetError('no-such-device', `The interface ${this.#options.device} is gone`);
    }
    this.#open.socket.send(frame);
  }

  refresh(): void {
    if (this.#closed) return;
    const facts = readInterface(this.#options.device);
    if (facts !== undefined && facts.index === this.#open?.index) return;
    this.#stop();
    if (facts?.up) this.#start(facts);
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #start(facts: InterfaceFacts): void {
    const { groups, device } = this.#options;
    const membership = joinGroups(facts.index, groups, device);
    try {
      const socket = new PacketSocket({
        facts,
        filter: assemble(advertisementsIpv4),
        groups,
        frame: (bytes) => this.#events.frame(bytes),
        trouble: (error) => this.#events.trouble(error),
      });
      this.#open = { index: facts.index, socket, membership };
    } catch (error) {
      membership.leave();
      throw error;
    }
  }

  #stop(): void {
    this.#open?.socket.close();
    this.#open?.membership.leave();
    this.#open = undefined;
  }
}

/** The interface, if frames can be captured on it now; otherwise a NetError that says why not. */
export function usableInterface(device: string): InterfaceFacts {
  const facts = readInterface(device);
  if (facts === undefined) {
    throw new NetError('no-such-device', `There is no interface ${device}; see: ip link`);
  }
  if (!facts.up) {
    throw new NetError(
      'link-down',
      `The interface ${device} is down; try: ip link set ${device} up`,
    );
  }
  return facts;
}
