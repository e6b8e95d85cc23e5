// The operating system behind small interfaces. Policy and tests see these and nothing else of it.

import type { Cidr, Ipv4, Mac } from '../protocol/address.js';
import type { Instant } from '../protocol/units.js';

export type { Hmac } from '../protocol/carp/digest.js';

export interface Clock {
  /** Monotonic; never goes back and does not follow the wall clock. */
  now(): Instant;
}

/** Ways to send and receive frames; `packet` is the default (see README, "Backends"). */
export const backends = ['packet', 'cap', 'raw'] as const;
export type Backend = (typeof backends)[number];

export interface LinkOptions {
  /** The network interface, without alias suffix. */
  readonly device: string;
  /** IPv4 groups whose packets are wanted; joined for real, so that IGMP-snooping switches know. */
  readonly groups: readonly Ipv4[];
}

/**
 * Frames of IP protocol 112 on one interface. Ethernet frames go in and out, whatever the backend;
 * one that works at the IP level makes up the Ethernet header of what it receives.
 */
export interface Link {
  readonly backend: Backend;
  /** Sends at once and does not wait. Throws NetError. */
  send(frame: Uint8Array): void;
  /**
   * Must be called after every change of the interface: re-opens what a deletion, a re-creation or
   * a new index made useless, and then answers true, for whatever else was on the interface is gone
   * as well. Does nothing when all is well. Throws NetError while it cannot be opened.
   */
  refresh(): boolean;
  /** Releases everything; may be called twice. No callback is called afterwards. */
  close(): void;
}

export interface LinkEvents {
  /** One received frame; the bytes are the callee's to keep. Own frames are not delivered. */
  frame(bytes: Uint8Array): void;
  /** Receiving stopped or failed; the link goes on by itself or after `refresh`. */
  trouble(error: Error): void;
}

/** Opens a link or throws NetError: no such device, device down, missing capability or module. */
export type OpenLink = (options: LinkOptions, events: LinkEvents) => Link;

export interface InterfaceFacts {
  /** The first one, whichever of its names was asked for. */
  readonly name: string;
  readonly index: number;
  readonly mac: Mac;
  /** Bytes. Below 68 the interface has no IPv4, and forgets addresses and groups. */
  readonly mtu: number;
  /** An Ethernet (or compatible) device: it has a hardware address of six bytes. */
  readonly ethernet: boolean;
  /** Administratively up (IFF_UP). */
  readonly up: boolean;
  /** Operational: up and with carrier (IFF_RUNNING). */
  readonly running: boolean;
}

export interface Interfaces {
  /** Undefined when there is no such interface. */
  read(device: string): InterfaceFacts | undefined;
  /**
   * Calls back after every change that the kernel reports, with the facts as they are then; also
   * when another interface with the same facts has taken the place.
   */
  watch(device: string, changed: (facts: InterfaceFacts | undefined) => void): Subscription;
}

export interface Subscription {
  close(): void;
}

/** An address that tscarp puts on an interface and takes away again. */
export interface ManagedAddress {
  readonly device: string;
  readonly cidr: Cidr<Ipv4>;
  /** The alias name (`eth1:0`) as old tools know it; undefined for none. */
  readonly label: string | undefined;
}

export interface AssignedAddress {
  readonly device: string;
  readonly cidr: Cidr<Ipv4>;
  readonly label: string | undefined;
}

/** Addresses on interfaces. Adding what is there and removing what is not are successes. */
export interface Addresses {
  /** Resolves when the kernel has it; rejects with NetError. */
  add(address: ManagedAddress): Promise<void>;
  /** Resolves to what was there: the address may have had several prefix lengths. */
  remove(address: ManagedAddress): Promise<readonly AssignedAddress[]>;
  /** Rejects with NetError `not-permitted` when this process may not change addresses. */
  mayChange(device: string): Promise<void>;
  /** Every IPv4 address of this host. */
  list(): Promise<readonly AssignedAddress[]>;
  /** Whether packets to this address are for this host, assigned to an interface or not. */
  isLocal(address: Ipv4): Promise<boolean>;
  /** The interface and source address of the IPv4 default route; undefined when there is none. */
  defaultRoute(): Promise<{ readonly device: string; readonly source: Ipv4 } | undefined>;
  close(): void;
}

export interface HookCommand {
  /** Run without shell and without looking along PATH, as ucarp does. */
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface HookResult {
  /** The exit status; undefined when it could not be run or a signal ended it. */
  readonly status: number | undefined;
  /** What went wrong in words; undefined for exit status 0. */
  readonly problem: string | undefined;
  readonly milliseconds: number;
}

export interface Hooks {
  /** Never rejects: what went wrong is part of the result. Waits for exit, not for its children. */
  run(command: HookCommand): Promise<HookResult>;
  /** Why this cannot be run as things are now; undefined when nothing is known against it. */
  problem(path: string): string | undefined;
}
