// What the contract of addresses is tested on: a host whose devices come and go, and a look at its
// addresses that does not go through what is under test.

import type { Addresses } from '../../src/net/ports.js';
import type { Ipv4 } from '../../src/protocol/address.js';

export interface AddressesLab {
  /** What is under test. */
  readonly addresses: Addresses;
  /** What is on a device: `10.0.0.10/24 LABEL`, in the order in which it came. */
  on(device: string): Promise<readonly string[]>;
  /** Done by somebody else, as `10.0.0.10/24`. */
  assign(device: string, cidr: string): Promise<void>;
  createDevice(device: string): Promise<void>;
  /** Takes its addresses along. */
  removeDevice(device: string): Promise<void>;
  setDefaultRoute(device: string, source: Ipv4): Promise<void>;
  /** Anew: devices car0 and car1 without addresses, and nothing is closed. */
  restore(): Promise<void>;
  end(): Promise<void>;
}
