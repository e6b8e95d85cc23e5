// The life of a Link, the same for every backend: it opens a session on the interface as it is now,
// and another one when that interface was deleted, created again or changed so that the session is
// deaf.

import { NetError } from '../errors.js';
import type { Backend, InterfaceFacts, Link } from '../ports.js';
import { readInterface } from './interfaces.js';

/** Sockets on one incarnation of the interface. */
export interface Session {
  /** Whether it still sends and receives, or will as soon as the interface is up. */
  intact(facts: InterfaceFacts): boolean;
  send(frame: Uint8Array): void;
  close(): void;
}

export interface SessionLinkOptions {
  readonly backend: Backend;
  readonly device: string;
  open(facts: InterfaceFacts): Session;
}

export class SessionLink implements Link {
  readonly backend: Backend;
  readonly #options: SessionLinkOptions;
  #current: { readonly index: number; readonly session: Session } | undefined;
  #closed = false;

  constructor(options: SessionLinkOptions) {
    this.backend = options.backend;
    this.#options = options;
    this.#start();
  }

  send(frame: Uint8Array): void {
    const { device } = this.#options;
    if (this.#closed) throw new NetError('closed', `The capture on ${device} is closed`);
    const session = this.#current?.session ?? this.#start();
    session.send(frame);
  }

  refresh(): boolean {
    if (this.#closed) return false;
    const facts = readInterface(this.#options.device);
    const current = this.#current;
    if (facts !== undefined && facts.index === current?.index && current.session.intact(facts)) {
      return false;
    }
    this.#stop();
    this.#start();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #start(): Session {
    const facts = usableInterface(this.#options.device);
    const session = this.#options.open(facts);
    this.#current = { index: facts.index, session };
    return session;
  }

  #stop(): void {
    this.#current?.session.close();
    this.#current = undefined;
  }
}

/** The interface, if frames can be captured on it now; otherwise a NetError that says why not. */
export function usableInterface(device: string): InterfaceFacts {
  const facts = readInterface(device);
  if (facts === undefined) {
    throw new NetError('no-such-device', `There is no interface ${device}; see: ip link`);
  }
  if (!facts.ethernet) {
    throw new NetError('unsupported', `The interface ${device} has no Ethernet addresses`);
  }
  if (!facts.up) {
    throw new NetError(
      'link-down',
      `The interface ${device} is down; try: ip link set ${device} up`,
    );
  }
  return facts;
}
