// The default Link: AF_PACKET. It survives everything that happens to an interface.

import type { InterfaceFacts, Link, LinkEvents, LinkOptions } from '../ports.js';
import { advertisementsIpv4, assemble } from './filter.js';
import { joinGroups, type Membership } from './membership.js';
import { PacketSocket } from './packet-socket.js';
import { type Session, SessionLink } from './session-link.js';

const filter = assemble(advertisementsIpv4);

export function openPacketLink(options: LinkOptions, events: LinkEvents): Link {
  return new SessionLink({
    backend: 'packet',
    device: options.device,
    open: (facts) => new PacketSession(facts, options, events),
  });
}

class PacketSession implements Session {
  readonly #membership: Membership;
  readonly #socket: PacketSocket;

  constructor(facts: InterfaceFacts, { groups, device }: LinkOptions, events: LinkEvents) {
    this.#membership = joinGroups(facts.index, groups, device);
    try {
      this.#socket = new PacketSocket({
        facts,
        filter,
        groups,
        frame: (bytes) => events.frame(bytes),
        trouble: (error) => events.trouble(error),
      });
    } catch (error) {
      this.#membership.leave();
      throw error;
    }
  }

  intact(): boolean {
    return this.#socket.bound() && this.#membership.held();
  }

  send(frame: Uint8Array): void {
    this.#socket.send(frame);
  }

  close(): void {
    this.#socket.close();
    this.#membership.leave();
  }
}
