// Addresses as plain values: parse, format, compare. A version 4 address is a number and a version
// 6 address is a bigint, so `typeof` tells the families apart and `<` orders them as the wire does.

declare const ipv4: unique symbol;
declare const ipv6: unique symbol;
declare const mac: unique symbol;

/** An IPv4 address as an unsigned 32-bit number in network order: 10.0.0.1 is 0x0a000001. */
export type Ipv4 = number & { readonly [ipv4]: true };

/** An IPv6 address as an unsigned 128-bit number in network order, without zone. */
export type Ipv6 = bigint & { readonly [ipv6]: true };

export type IpAddress = Ipv4 | Ipv6;

/** An Ethernet address as an unsigned 48-bit number. */
export type Mac = number & { readonly [mac]: true };

/** An address with the length of its network's prefix in bits. */
export interface Cidr<A extends IpAddress = IpAddress> {
  readonly address: A;
  readonly prefixLength: number;
}

export function isIpv6(address: IpAddress): address is Ipv6 {
  return typeof address === 'bigint';
}

/**
 * Strict dotted quad: four decimal numbers of 0 to 255 without leading zeros, as inet_pton(3) and
 * ucarp read it. Nothing else (`10.1`, `010.0.0.1`, `10.0.0.1/24`) is an address.
 */
export function parseIpv4(text: string): Ipv4 | undefined {
  const octets = text.split('.');
  if (octets.length !== 4 || !octets.every(isOctet)) return undefined;
  return octets.reduce((value, octet) => value * 256 + Number(octet), 0) as Ipv4;
}

function isOctet(text: string): boolean {
  return /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) <= 255;
}

export function formatIpv4(address: Ipv4): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** RFC 4291 §2.2: eight groups, `::` once, an IPv4 tail or not. A zone (`%eth0`) is refused. */
export function parseIpv6(text: string): Ipv6 | undefined {
  const gap = text.indexOf('::');
  const head = parseGroups(gap < 0 ? text : text.slice(0, gap), gap < 0);
  const tail = parseGroups(gap < 0 ? '' : text.slice(gap + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n) as Ipv6;
}

function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const words = text.split(':');
  for (const [index, word] of words.entries()) {
    const embedded = last && index === words.length - 1 ? parseIpv4(word) : undefined;
    if (embedded !== undefined) groups.push(embedded >>> 16, embedded & 0xffff);
    else if (/^[0-9a-f]{1,4}$/i.test(word)) groups.push(Number.parseInt(word, 16));
    else return undefined;
  }
  return groups;
}

/**
 * RFC 5952 §4: lower case, no leading zeros, the first longest run of two or more zeros is `::`.
 */
export function formatIpv6(address: Ipv6): string {
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n)
    groups.push(Number((address >> shift) & 0xffffn));
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]): string =>
    part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  return best;
}

export function parseIp(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

export function formatIp(address: IpAddress): string {
  return isIpv6(address) ? formatIpv6(address) : formatIpv4(address);
}

/** `address/length`; undefined when either part cannot be. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? undefined : parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefixLength = Number(length);
  return prefixLength <= (isIpv6(address) ? 128 : 32) ? { address, prefixLength } : undefined;
}

export function formatCidr({ address, prefixLength }: Cidr): string {
  return `${formatIp(address)}/${prefixLength}`;
}

/** True when the address lies in the network that the Cidr's address and prefix length span. */
export function containsIpv4(network: Cidr<Ipv4>, address: Ipv4): boolean {
  const size = 2 ** (32 - network.prefixLength);
  return Math.floor(network.address / size) === Math.floor(address / size);
}

/** 224.0.0.0/4 (RFC 1112 §4). */
export function isMulticastIpv4(address: Ipv4): boolean {
  return address >>> 28 === 0xe;
}

/** The Ethernet address of an IPv4 group: 01:00:5e and its low 23 bits (RFC 1112 §6.4). */
export function multicastMac(group: Ipv4): Mac {
  return (0x01005e000000 + (group & 0x7fffff)) as Mac;
}

export const broadcastMac: Mac = 0xffffffffffff as Mac;

/** Six pairs of hexadecimal digits joined by colons. */
export function parseMac(text: string): Mac | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Number.parseInt(text.replaceAll(':', ''), 16) as Mac;
}

export function formatMac(address: Mac): string {
  return address
    .toString(16)
    .padStart(12, '0')
    .replaceAll(/..(?=.)/g, '$&:');
}
