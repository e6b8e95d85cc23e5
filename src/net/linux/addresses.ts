// IPv4 addresses on interfaces through iproute2. Each change is followed by a look at what the
// kernel has, so that success means that the address is there (or gone), whoever did it.

import { formatCidr, formatIpv4, type Ipv4, parseIpv4 } from '../../protocol/address.js';
import { NetError } from '../errors.js';
import type { Addresses, AssignedAddress, ManagedAddress } from '../ports.js';
import { Iproute } from './iproute.js';
import { keepSecondaries } from './secondaries.js';

const nameLimit = 15; // bytes of the name of an interface or an address (IFNAMSIZ)

/** Where addresses of ours were put: a device may have another name when they are to go. */
type Places = Map<string, number>;

export function openAddresses(): Addresses {
  const ip = new Iproute();
  const places: Places = new Map();
  let last: Promise<unknown> = Promise.resolve();
  // Each takes several requests, and nothing must change between them.
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    add: (address) => inOrder(() => add(ip, places, address)),
    remove: (address) => inOrder(() => remove(ip, places, address)),
    mayChange: (device) => inOrder(() => mayChange(ip, device)),
    list: () => inOrder(() => list(ip)),
    isLocal: (address) => inOrder(() => isLocal(ip, address)),
    defaultRoute: () => inOrder(() => defaultRoute(ip)),
    close: () => ip.close(),
  };
}

async function add(ip: Iproute, places: Places, address: ManagedAddress): Promise<void> {
  const { device, cidr, label } = address;
  checkWord(device, `Cannot add ${formatCidr(cidr)} to ${device}`, 'name');
  if (label !== undefined) {
    checkWord(label, `Cannot add ${formatCidr(cidr)} as ${label}`, 'label');
  }
  const name = label === undefined ? '' : ` label ${label}`;
  const command = `addr add ${formatCidr(cidr)} dev ${device}${name}`;
  const isThere = (found: readonly Found[]): boolean => {
    const one = found.find(
      ({ device: on, cidr: { prefixLength } }) =>
        on === device && prefixLength === cidr.prefixLength,
    );
    if (one !== undefined) places.set(placeOf(address), one.index);
    return one !== undefined;
  };
  const first = await change(ip, address, [command]);
  if (isThere(first.found)) return;
  // The co-process may have known a device of this name that is gone by now.
  ip.restart();
  const second = await change(ip, address, [command]);
  if (isThere(second.found)) return;
  throw refused(`Cannot add ${formatCidr(cidr)} to ${device}`, second.complaints);
}

/**
 * Removes the address with every prefix length it has there, or it would go on being answered for.
 * `There` is the device, and the one that it was added to, whatever that is called by now.
 */
async function remove(
  ip: Iproute,
  places: Places,
  address: ManagedAddress,
): Promise<readonly AssignedAddress[]> {
  const { device, cidr } = address;
  checkWord(device, `Cannot remove ${formatCidr(cidr)} from ${device}`, 'name');
  const place = places.get(placeOf(address));
  const ours = ({ found }: Change): readonly Found[] =>
    found.filter((one) => one.device === device || one.index === place);
  let state = await change(ip, address, []);
  const first = ours(state);
  for (let tries = 0; tries < 2 && ours(state).length > 0; tries += 1) {
    // The co-process may have known a device of this name that is gone by now.
    if (tries > 0) ip.restart();
    const going = ours(state);
    const commands = going.map((one) => `addr del ${formatCidr(one.cidr)} dev ${one.device}`);
    const restore = keepSecondaries(devicesOfPrimaries(going));
    state = await change(ip, address, commands).finally(restore);
  }
  const [left] = ours(state);
  if (left !== undefined) {
    throw refused(`Cannot remove ${formatCidr(cidr)} from ${left.device}`, state.complaints);
  }
  places.delete(placeOf(address));
  return first.map(plain);
}

function plain({ device, cidr, label }: Found): AssignedAddress {
  return { device, cidr, label };
}

function devicesOfPrimaries(going: readonly Found[]): readonly string[] {
  return going.filter(({ secondary }) => !secondary).map(({ device }) => device);
}

function placeOf({ device, cidr }: ManagedAddress): string {
  return `${formatIpv4(cidr.address)} ${device}`;
}

interface Found extends AssignedAddress {
  /** Of the device. */
  readonly index: number;
  /** Another address of the same subnet came first. */
  readonly secondary: boolean;
}

interface Change {
  readonly found: readonly Found[];
  readonly complaints: string;
}

/** Runs the commands and answers where the host has that address afterwards. */
async function change(
  ip: Iproute,
  { cidr }: ManagedAddress,
  commands: readonly string[],
): Promise<Change> {
  const look = `addr show to ${formatIpv4(cidr.address)}/32`;
  const { json, complaints } = await ip.request(...commands, look);
  return { found: assigned(json), complaints };
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
  readonly ifindex?: number;
  readonly ifname?: string;
  readonly addr_info?: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
    readonly label?: string;
    readonly secondary?: boolean;
  }[];
}

function assigned(json: unknown): readonly Found[] {
  const entries = Array.isArray(json) ? (json as readonly IpAddrEntry[]) : [];
  return entries.flatMap(({ ifindex: index, ifname: device, addr_info }) =>
    (addr_info ?? []).flatMap(({ local, prefixlen: prefixLength, label, secondary = false }) => {
      const address = parseIpv4(local ?? '');
      if (address === undefined || prefixLength === undefined) return [];
      if (device === undefined || index === undefined) return [];
      return [{ device, index, cidr: { address, prefixLength }, label, secondary }];
    }),
  );
}

/** The kernel asks for the right before it sees that no interface has this address. */
async function mayChange(ip: Iproute, device: string): Promise<void> {
  const doing = `Cannot change addresses on ${device}`;
  checkWord(device, doing, 'name');
  const attempt = `addr del 0.0.0.0/32 dev ${device}`;
  const { complaints } = await ip.request(attempt, 'addr show to 0.0.0.0/32');
  const error = refused(doing, complaints);
  if (error.code === 'not-permitted') throw error;
}

async function list(ip: Iproute): Promise<readonly AssignedAddress[]> {
  const { json } = await ip.request('addr show');
  return assigned(json).map(plain);
}

/** Also what is in the routing table of local addresses alone (ip route add local ...). */
async function isLocal(ip: Iproute, address: Ipv4): Promise<boolean> {
  const { json } = await ip.request(`route show table local match ${formatIpv4(address)}`);
  const routes = Array.isArray(json) ? (json as readonly { type?: string }[]) : [];
  return routes.some(({ type }) => type === 'local');
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
