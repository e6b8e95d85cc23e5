// Where a router lives: which interface, which source address, and which address with which prefix
// it manages. Settles what the command line left open (`auto`) and refuses what this host does not
// have.

import { NetError } from '../net/errors.js';
import type {
  Addresses,
  AssignedAddress,
  InterfaceFacts,
  Interfaces,
  ManagedAddress,
} from '../net/ports.js';
import { containsIpv4, formatIpv4, type Ipv4 } from '../protocol/address.js';
import type { Config } from './config.js';

export interface Placement {
  /** As given, or as chosen; for people and scripts. */
  readonly interfaceName: string;
  readonly facts: InterfaceFacts;
  readonly source: Ipv4;
  /** Undefined when the address is not ours to manage. */
  readonly managed: ManagedAddress | undefined;
}

export interface PlacementPorts {
  readonly interfaces: Interfaces;
  readonly addresses: Addresses;
}

/** `eth1` of `eth1:0`: what follows the colon is a label of an address, not a device. */
export function deviceOf(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(0, colon);
}

/** Throws a NetError that says what does not fit. */
export async function place(config: Config, ports: PlacementPorts): Promise<Placement> {
  const assigned = await assignedAddresses(config, ports.addresses);
  const interfaceName =
    config.interface === 'auto' ? await chooseInterface(assigned, ports) : config.interface;
  const device = deviceOf(interfaceName);
  const facts = ports.interfaces.read(device);
  if (facts === undefined) {
    throw new NetError('no-such-device', `There is no interface ${device}; see: ip link`);
  }
  if (!facts.up) {
    throw new NetError(
      'link-down',
      `The interface ${device} is down; try: ip link set ${device} up`,
    );
  }
  const { name } = facts; // it may have been called by an alternative one
  const source = await chooseSource(config, name, assigned, ports);
  if (config.manageAddress) await ports.addresses.mayChange(name);
  return {
    interfaceName,
    facts,
    source,
    managed: managedAddress(config, interfaceName, name, assigned),
  };
}

/** Undefined when iproute2 is missing and nothing that was asked for needs it. */
async function assignedAddresses(
  config: Config,
  addresses: Addresses,
): Promise<readonly AssignedAddress[] | undefined> {
  try {
    return await addresses.list();
  } catch (error) {
    const needed = config.manageAddress || config.interface === 'auto' || config.source === 'auto';
    if (!needed && error instanceof NetError && error.code === 'missing-program') return undefined;
    throw error;
  }
}

async function chooseInterface(
  assigned: readonly AssignedAddress[] | undefined,
  { addresses, interfaces }: PlacementPorts,
): Promise<string> {
  const route = await addresses.defaultRoute();
  if (route !== undefined) return route.device;
  const candidates = (assigned ?? []).map(({ device }) => device);
  const first = candidates.find((device) => device !== 'lo' && interfaces.read(device)?.running);
  if (first !== undefined) return first;
  throw new NetError(
    'no-such-device',
    'No interface was given, and there is neither a default route nor an interface with an ' +
      'address to choose; give --if',
  );
}

async function chooseSource(
  config: Config,
  device: string,
  assigned: readonly AssignedAddress[] | undefined,
  { addresses }: PlacementPorts,
): Promise<Ipv4> {
  if (config.source !== 'auto') {
    await checkSource(config.source, config, assigned, addresses);
    return config.source;
  }
  const own = (assigned ?? []).find(
    ({ device: on, cidr }) => on === device && cidr.address !== config.address,
  );
  const source = own?.cidr.address ?? (await addresses.defaultRoute())?.source;
  // Left behind by an earlier life, the virtual address is nobody's own.
  if (source !== undefined && source !== config.address) return source;
  const isThere = (assigned ?? []).some(
    ({ device: on, cidr }) => on === device && cidr.address === config.address,
  );
  const has = isThere ? 'has no address but that of --addr' : 'has no address';
  throw new NetError(
    'address-refused',
    `Interface ${device} ${has}, and no default route gives one; give --src`,
  );
}

/**
 * ucarp needs a local source because it joins the group by address; without a group anything goes.
 */
async function checkSource(
  source: Ipv4,
  config: Config,
  assigned: readonly AssignedAddress[] | undefined,
  addresses: Addresses,
): Promise<void> {
  if (assigned === undefined || config.broadcast) return;
  if (assigned.some(({ cidr }) => cidr.address === source)) return;
  if (await addresses.isLocal(source)) return;
  const known = assigned
    .filter(({ device }) => device !== 'lo')
    .map(({ cidr, device }) => `${formatIpv4(cidr.address)} on ${device}`);
  const has = known.length === 0 ? 'has none' : `has ${known.join(', ')}`;
  throw new NetError(
    'address-refused',
    `${formatIpv4(source)} (--src) is not an address of this host, which ${has}`,
  );
}

function managedAddress(
  config: Config,
  interfaceName: string,
  device: string,
  assigned: readonly AssignedAddress[] | undefined,
): ManagedAddress | undefined {
  if (!config.manageAddress) return undefined;
  const prefixLength =
    config.prefixLength ?? connectedPrefix(assigned ?? [], device, config.address);
  const suffix = interfaceName.slice(deviceOf(interfaceName).length);
  // The kernel wants labels to begin with the device's first name.
  const label = suffix.length > 1 ? `${device}${suffix}` : undefined;
  return { device, cidr: { address: config.address, prefixLength }, label };
}

/** The prefix length of the narrowest subnet on the device that contains the address, or 32. */
export function connectedPrefix(
  assigned: readonly AssignedAddress[],
  device: string,
  address: Ipv4,
): number {
  const subnets = assigned.filter(
    (one) =>
      one.device === device && one.cidr.address !== address && containsIpv4(one.cidr, address),
  );
  if (subnets.length === 0) return 32;
  return Math.max(...subnets.map(({ cidr }) => cidr.prefixLength));
}
