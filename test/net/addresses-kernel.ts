// Addresses of a kernel: a network namespace with bridges for devices, and addresses-driver.ts in
// it.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Addresses, AssignedAddress, ManagedAddress } from '../../src/net/ports.js';
import { formatIpv4, type Ipv4 } from '../../src/protocol/address.js';
import { buildProgram, type Program } from '../fakes/bundle.js';
import type { AddressesLab } from './addresses-lab.js';
import { Driver } from './driver.js';

const execute = promisify(execFile);
let labs = 0;

export function buildAddressesDriver(): Promise<Program> {
  return buildProgram(new URL('addresses-driver.ts', import.meta.url), 'addresses-driver');
}

export class KernelAddressesLab implements AddressesLab {
  readonly #namespace: string;
  readonly #file: string;
  #driver: Driver;
  readonly addresses: Addresses;

  private constructor(namespace: string, file: string) {
    this.#namespace = namespace;
    this.#file = file;
    this.#driver = new Driver(namespace, file);
    this.addresses = remoteAddresses((name, args) => this.#driver.call(name, args));
  }

  static async create({ file }: Program): Promise<KernelAddressesLab> {
    labs += 1;
    const namespace = `tscarp-addr-${process.pid}-${labs}`;
    await execute('ip', ['netns', 'add', namespace]);
    return new KernelAddressesLab(namespace, file);
  }

  async on(device: string): Promise<readonly string[]> {
    const output = await this.#ip('-4', '-json', 'address', 'show', 'dev', device);
    type Entry = { addr_info?: { local: string; prefixlen: number; label: string }[] };
    return (JSON.parse(output) as Entry[])
      .flatMap(({ addr_info = [] }) => addr_info)
      .map(({ local, prefixlen, label }) => `${local}/${prefixlen} ${label}`);
  }

  async assign(device: string, cidr: string): Promise<void> {
    await this.#ip('address', 'add', cidr, 'dev', device);
  }

  async createDevice(device: string): Promise<void> {
    await this.#ip('link', 'add', device, 'type', 'bridge');
  }

  async removeDevice(device: string): Promise<void> {
    await this.#ip('link', 'del', device);
  }

  async rename(device: string, name: string): Promise<void> {
    await this.#ip('link', 'set', device, 'name', name);
  }

  async addLocalRoute(subnet: string): Promise<void> {
    await this.#ip('link', 'set', 'lo', 'up');
    await this.#ip('route', 'add', 'local', subnet, 'dev', 'lo');
  }

  /** A sysctl of car0. */
  async set(name: string, value: string): Promise<void> {
    await this.#sysctl('-w', `net.ipv4.conf.car0.${name}=${value}`);
  }

  get(name: string): Promise<string> {
    return this.#sysctl('-n', `net.ipv4.conf.car0.${name}`);
  }

  async #sysctl(...args: readonly string[]): Promise<string> {
    const words = ['netns', 'exec', this.#namespace, 'sysctl', ...args];
    return (await execute('ip', words)).stdout.trim();
  }

  async setDefaultRoute(device: string, source: Ipv4): Promise<void> {
    await this.#ip('link', 'set', device, 'up');
    await this.#ip('route', 'add', 'default', 'dev', device, 'src', formatIpv4(source));
  }

  async restore(): Promise<void> {
    await this.#driver.call('reopen');
    await this.#renewDevices();
  }

  /** In place of a process that cannot go on. */
  async renewDriver(): Promise<void> {
    await this.#driver.end();
    this.#driver = new Driver(this.#namespace, this.#file);
  }

  async #renewDevices(): Promise<void> {
    const devices = ['car0', 'car1'];
    const existing = JSON.parse(await this.#ip('-json', 'link', 'show')) as { ifname: string }[];
    for (const device of devices) {
      if (existing.some(({ ifname }) => ifname === device)) await this.removeDevice(device);
      await this.createDevice(device);
    }
  }

  /** The process ids of the co-processes that live. */
  async children(): Promise<readonly number[]> {
    return (await this.#driver.call('children')) as number[];
  }

  /** To the co-processes. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    await this.#driver.call('signal', { signal });
  }

  /** The process gives every right up. */
  async drop(): Promise<void> {
    await this.#driver.call('drop');
  }

  async end(): Promise<void> {
    await this.#driver.end();
    await execute('ip', ['netns', 'del', this.#namespace]);
  }

  async #ip(...args: readonly string[]): Promise<string> {
    return (await execute('ip', ['-n', this.#namespace, ...args])).stdout;
  }
}

type Call = (name: string, args?: Readonly<Record<string, unknown>>) => Promise<unknown>;

function remoteAddresses(call: Call): Addresses {
  type Route = { readonly device: string; readonly source: Ipv4 } | null;
  return {
    add: async (address: ManagedAddress) => void (await call('add', { address })),
    remove: async (address: ManagedAddress) =>
      (await call('remove', { address })) as readonly AssignedAddress[],
    isLocal: async (address) =>
      (await call('isLocal', { address: { cidr: { address } } })) as boolean,
    mayChange: async (device) => void (await call('mayChange', { address: { device } })),
    list: async () => (await call('list')) as readonly AssignedAddress[],
    defaultRoute: async () => ((await call('defaultRoute')) as Route) ?? undefined,
    close: () => void call('close'),
  };
}
