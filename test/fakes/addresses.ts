// The addresses of a kernel in memory. Keeps the contract that iproute2's keep.

import { NetError } from '../../src/net/errors.js';
import type { Addresses, AssignedAddress, ManagedAddress } from '../../src/net/ports.js';
import { formatCidr, type Ipv4 } from '../../src/protocol/address.js';
import { Journal } from './journal.js';

const labelLimit = 15; // bytes

export class FakeAddresses implements Addresses {
  readonly #journal: Journal;
  readonly #devices = new Set<string>();
  #assigned: AssignedAddress[] = [];
  route: { readonly device: string; readonly source: Ipv4 } | undefined;
  /** What everything rejects with. */
  error: NetError | undefined;
  #gate: Promise<void> = Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();
  closed = false;

  constructor(journal = new Journal()) {
    this.#journal = journal;
  }

  createDevice(device: string): void {
    this.#devices.add(device);
  }

  /** Takes its addresses with it. */
  removeDevice(device: string): void {
    this.#devices.delete(device);
    this.#assigned = this.#assigned.filter((one) => one.device !== device);
  }

  assign(address: AssignedAddress): void {
    this.#devices.add(address.device);
    this.#assigned.push(address);
  }

  /** What is on a device: `10.0.0.10/24 LABEL`, in the order in which it came. */
  on(device: string): readonly string[] {
    return this.#assigned
      .filter((one) => one.device === device)
      .map(({ cidr, label }) => `${formatCidr(cidr)} ${label}`);
  }

  /**
   * Whatever is asked for from now on is answered when the function that this returns is called.
   */
  hold(): () => void {
    let open: () => void = () => undefined;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  add(address: ManagedAddress): Promise<void> {
    return this.#inOrder(() => {
      const { device, cidr, label } = address;
      const text = `Cannot add ${formatCidr(cidr)} to ${device}`;
      if (!this.#devices.has(device))
        throw new NetError('no-such-device', `${text}: no such device`);
      if (label !== undefined && Buffer.byteLength(label) > labelLimit) {
        throw new NetError('address-refused', `${text}: the label ${label} is too long`);
      }
      const there = this.#of(address).some((one) => one.cidr.prefixLength === cidr.prefixLength);
      if (!there) this.assign({ device, cidr, label: label ?? device });
      this.#journal.note(`add ${formatCidr(cidr)} to ${label ?? device}`);
    });
  }

  remove(address: ManagedAddress): Promise<readonly AssignedAddress[]> {
    return this.#inOrder(() => {
      const gone = this.#of(address);
      this.#assigned = this.#assigned.filter((one) => !gone.includes(one));
      this.#journal.note(`remove ${formatCidr(address.cidr)} from ${address.device}`);
      return gone;
    });
  }

  /** What `mayChange` rejects with. */
  forbidden: NetError | undefined;

  mayChange(): Promise<void> {
    return this.#inOrder(() => {
      if (this.forbidden !== undefined) throw this.forbidden;
    });
  }

  /** In the order in which the devices were made. */
  list(): Promise<readonly AssignedAddress[]> {
    return this.#inOrder(() =>
      [...this.#devices].flatMap((device) => this.#assigned.filter((one) => one.device === device)),
    );
  }

  /** What is local besides what is assigned. */
  readonly local = new Set<Ipv4>();

  isLocal(address: Ipv4): Promise<boolean> {
    return this.#inOrder(
      () => this.local.has(address) || this.#assigned.some(({ cidr }) => cidr.address === address),
    );
  }

  defaultRoute(): Promise<{ readonly device: string; readonly source: Ipv4 } | undefined> {
    return this.#inOrder(() => this.route);
  }

  close(): void {
    this.closed = true;
  }

  #of({ device, cidr }: ManagedAddress): readonly AssignedAddress[] {
    return this.#assigned.filter(
      (one) => one.device === device && one.cidr.address === cidr.address,
    );
  }

  #inOrder<T>(work: () => T): Promise<T> {
    const gate = this.#gate;
    const done = this.#last.then(async () => {
      if (this.closed) throw new NetError('closed', 'The address manager is closed');
      await gate;
      if (this.error !== undefined) throw this.error;
      return work();
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
