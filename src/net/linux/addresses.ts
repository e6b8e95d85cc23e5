// IPv4 addresses on interfaces through iproute2. Each change is followed by a look at what the
// kernel has, so that success means that the address is there (or gone), whoever did it.

import { formatCidr, formatIpv4, type Ipv4, parseIpv4 } from '../../protocol/address.js';
import { NetError } from '../errors.js';
import type { Addresses, AssignedAddress, ManagedAddress } from '../ports.js';
import { Iproute } from './iproute.js';

const nameLimit = 15; // bytes of the name of an interface or an address (IFNAMSIZ)

export function openAddresses(): Addresses {
  const ip = new Iproute();
  let last: Promise<unknown> = Promise.resolve();
  // Each takes several requests, and nothing must change between them.
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    add: (address) => inOrder(() => add(ip, address)),
    remove: (address) => inOrder(() => remove(ip, address)),
    list: () => inOrder(async () => assigned((await ip.request('addr show')).json)),
    defaultRoute: () => inOrder(() => defaultRoute(ip)),
    close: () => ip.close(),
  };
}

async function add(ip: Iproute, address: ManagedAddress): Promise<void> {
  const { device, cidr, label } = address;
  checkWord(device, `Cannot add ${formatCidr(cidr)} to ${device}`, 'name');
  if (label !== undefined) {
    checkWord(label, `Cannot add ${formatCidr(cidr)} as ${label}`, 'label');
  }
  const name = label === undefined ? '' : ` label ${label}`;
  const command = `addr add ${formatCidr(cidr)} dev ${device}${name}`;
  const there = (found: readonly AssignedAddress[]): boolean =>
    found.some((one) => one.cidr.prefixLength === cidr.prefixLength);
  const first = await change(ip, address, [command]);
  if (there(first.found)) return;
  // The co-process may have known a device of this name that is gone by now.
  ip.restart();
  const second = await change(ip, address, [command]);
  if (there(second.found)) return;
  throw refused(`Cannot add ${formatCidr(cidr)} to ${device}`, second.complaints);
}

/**
 * Removes the address with every prefix length it has there, or it would go on being answered for.
 */
async function remove(ip: Iproute, address: ManagedAddress): Promise<void> {
  const { device, cidr } = address;
  checkWord(device, `Cannot remove ${formatCidr(cidr)} from ${device}`, 'name');
  const delete_ = (one: { cidr: typeof cidr }): string =>
    `addr del ${formatCidr(one.cidr)} dev ${device}`;
  const first = await change(ip, address, []);
  if (first.found.length === 0) return;
  const second = await change(ip, address, first.found.map(delete_));
  if (second.found.length === 0) return;
  ip.restart();
  const third = await change(ip, address, second.found.map(delete_));
  if (third.found.length === 0) return;
  throw refused(`Cannot remove ${formatCidr(cidr)} from ${device}`, third.complaints);
}

/** Runs the commands and answers with what the device has of that address afterwards. */
async function change(
  ip: Iproute,
  { device, cidr }: ManagedAddress,
  commands: readonly string[],
): Promise<{ found: readonly AssignedAddress[]; complaints: string }> {
  const look = `addr show to ${formatIpv4(cidr.address)}/32`;
  const { json, complaints } = await ip.request(...commands, look);
  return { found: assigned(json).filter((one) => one.device === device), complaints };
}

/** What the kernel or ip(8), which splits lines into words, would take for something else. */
function checkWord(word: string, doing: string, what: 'name' | 'label'): void {
  const length = Buffer.byteLength(word);
  if (length > nameLimit) {
    const text = `${doing}: the ${what} has ${length} bytes; the kernel takes ${nameLimit}`;
    throw new NetError('address-refused', text);
  }
  if (word === '' || /[\s"'#\\]/.test(word)) {
    const text = `${doing}: ip(8) cannot be given this ${what}`;
    throw new NetError('address-refused', text);
  }
}

function refused(doing: string, complaints: string): NetError {
  const code = /not permitted/i.test(complaints)
    ? 'not-permitted'
    : /cannot find device|no such device/i.test(complaints)
      ? 'no-such-device'
      : 'address-refused';
  const hint = code === 'not-permitted' ? ' (needs root or the capability CAP_NET_ADMIN)' : '';
  const why = complaints === '' ? 'ip(8) gave no reason' : complaints;
  return new NetError(code, `${doing}: ${why}${hint}`);
}

interface IpAddrEntry {
  readonly ifname?: string;
  readonly addr_info?: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
    readonly label?: string;
  }[];
}

function assigned(json: unknown): readonly AssignedAddress[] {
  const entries = Array.isArray(json) ? (json as readonly IpAddrEntry[]) : [];
  return entries.flatMap(({ ifname, addr_info }) =>
    (addr_info ?? []).flatMap(({ local, prefixlen, label }) => {
      const address = parseIpv4(local ?? '');
      if (address === undefined || prefixlen === undefined || ifname === undefined) return [];
      return [{ device: ifname, cidr: { address, prefixLength: prefixlen }, label }];
    }),
  );
}

async function defaultRoute(ip: Iproute): Promise<{ device: string; source: Ipv4 } | undefined> {
  const { json } = await ip.request('route show default');
  const routes = Array.isArray(json) ? (json as readonly { dev?: string; prefsrc?: string }[]) : [];
  const { dev, prefsrc } = routes[0] ?? {};
  if (dev === undefined) return undefined;
  const preferred = prefsrc === undefined ? undefined : parseIpv4(prefsrc);
  const source = preferred ?? firstAddress(assigned((await ip.request('addr show')).json), dev);
  return source === undefined ? undefined : { device: dev, source };
}

function firstAddress(all: readonly AssignedAddress[], device: string): Ipv4 | undefined {
  return all.find((one) => one.device === device)?.cidr.address;
}
