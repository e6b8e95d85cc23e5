// The VRRP advertisement, IP protocol 112: version 2 over IPv4 (RFC 3768 §5.1, with the
// authentication of RFC 2338 that keepalived still speaks) and version 3 over IPv4 and IPv6 (RFC
// 9568 §5.1).
//
//   v2 | 2,1 | vrid | priority | count | auth type | seconds | checksum | count x 4 | auth data 8
//   v3 | 3,1 | vrid | priority | count | 4 zero bits, 12 bits cs | checksum | count x 4 or 16
//
// keepalived may append 28 bytes with an HMAC (draft-cassen-vrrp-auth-hmac), the trailer. Version
// 2's checksum is over the message. Version 3's has a pseudo-header before it over IPv6 always;
// over IPv4 implementations disagree whether it does, so every form in use is accepted (see
// ChecksumForm).

import { type IpAddress, type Ipv4, isIpv6 } from '../address.js';
import { Reader, Writer } from '../bytes.js';
import { internetChecksum, pseudoHeader } from '../checksum.js';
import { type Drop, dropped, type Parsed, parsed } from '../parsed.js';
import { type Duration, milliseconds, seconds, toMilliseconds } from '../units.js';

const ipProtocol = 112;
export const headerLength = 8;
export const trailerLength = 28;

const advertisementType = 1;
const authDataLength = 8; // version 2 only, zeros unless there is a password
const authTypes = { none: 0, pass: 1, ah: 2 } as const;
const group = 0xe0000012 as Ipv4; // 224.0.0.18

/** The addresses of the IP header around an advertisement, both of one family. */
export interface Carrier {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/**
 * What a checksum is over: `message` alone (version 2, and RFC 9568 §5.2.8 over IPv4), with the
 * `pseudo`-header of the carrier (RFC 5798 as keepalived and FRR read it), or with one that has
 * 224.0.0.18 for destination although the packet is unicast (keepalived up to 1.3.6).
 */
export type ChecksumForm = 'message' | 'pseudo' | 'group-pseudo';

type Authentication =
  | { readonly type: 'none' }
  | { readonly type: 'pass'; readonly data: Uint8Array } // 8 bytes: the password and zeros
  | { readonly type: 'ah' }; // the authentication is in an IP header of its own, before this one

interface Common {
  readonly vrid: number;
  readonly priority: number;
  /** Version 2: whole seconds up to 255; version 3: hundredths up to 40.95 s. Never 0. */
  readonly interval: Duration;
  /** The 28 bytes of keepalived's HMAC, unverified. */
  readonly trailer: Uint8Array | undefined;
}

interface AdvertisementV2 extends Common {
  readonly version: 2;
  readonly addresses: readonly Ipv4[];
  readonly authentication: Authentication;
}

interface AdvertisementV3 extends Common {
  readonly version: 3;
  /** At least one, and of the carrier's family. */
  readonly addresses: readonly IpAddress[];
}

export type Advertisement = AdvertisementV2 | AdvertisementV3;

/** The fields as they stand, whether they make sense or not. */
export interface Fields {
  readonly version: number;
  readonly type: number;
  readonly vrid: number;
  readonly priority: number;
  readonly count: number;
  /** 0 in version 3. */
  readonly authType: number;
  readonly interval: Duration;
  /** As many of the counted ones as there are bytes for. */
  readonly addresses: readonly IpAddress[];
  /** The last 8 bytes of a complete version 2 message; empty otherwise. */
  readonly authData: Uint8Array;
  readonly trailer: Uint8Array | undefined;
  /** How long the count says that the message is, without trailer. */
  readonly messageLength: number;
}

/** Reads at least 8 bytes of an IP payload, as version 3 unless they say version 2. */
export function readFields(payload: Uint8Array, carrier: Carrier): Fields {
  const reader = new Reader(payload);
  const versionAndType = reader.u8();
  const version = versionAndType >> 4;
  const vrid = reader.u8();
  const priority = reader.u8();
  const count = reader.u8();
  const authAndInterval = reader.u16();
  reader.skip(2);
  const v2 = version === 2;
  const wide = !v2 && isIpv6(carrier.source);
  const addressLength = wide ? 16 : 4;
  const present = Math.min(count, Math.floor(reader.left / addressLength));
  const readAddress = (): IpAddress => (wide ? reader.ipv6() : reader.ipv4());
  const addresses = Array.from({ length: present }, readAddress);
  const complete = present === count && reader.left >= (v2 ? authDataLength : 0);
  const authData = reader.bytes(v2 && complete ? authDataLength : 0);
  return {
    version,
    type: versionAndType & 0xf,
    vrid,
    priority,
    count,
    authType: v2 ? authAndInterval >> 8 : 0,
    interval: v2 ? seconds(authAndInterval & 0xff) : milliseconds((authAndInterval & 0xfff) * 10),
    addresses,
    authData,
    trailer: complete ? readTrailer(reader.bytes(reader.left)) : undefined,
    messageLength: headerLength + count * addressLength + (v2 ? authDataLength : 0),
  };
}

/** Scheme 1, a key number from 1, two zero bytes (draft-cassen-vrrp-auth-hmac). */
function readTrailer(bytes: Uint8Array): Uint8Array | undefined {
  const start = bytes.length === trailerLength ? new Reader(bytes).u32() : 0;
  const isTrailer = start >>> 24 === 1 && (start & 0xff0000) !== 0 && (start & 0xffff) === 0;
  return isTrailer ? bytes : undefined;
}

/**
 * Which form the checksum of an IP payload verifies as; undefined when it is wrong in all of them.
 */
export function verifyChecksum(
  payload: Uint8Array,
  fields: Fields,
  carrier: Carrier,
): ChecksumForm | undefined {
  const summed = summedPart(payload, fields, carrier);
  const forms = admissibleForms(fields.version, carrier);
  return forms.find((form) => internetChecksum(before(form, carrier, summed.length), summed) === 0);
}

/** Over IPv4 the trailer is not summed; over IPv6 it is, since there the kernel sums the packet. */
function summedPart(payload: Uint8Array, fields: Fields, carrier: Carrier): Uint8Array {
  const whole = fields.trailer === undefined || isIpv6(carrier.source);
  return whole ? payload : payload.subarray(0, fields.messageLength);
}

function admissibleForms(version: number, carrier: Carrier): readonly ChecksumForm[] {
  if (isIpv6(carrier.source)) return ['pseudo'];
  return version === 2 ? ['message'] : ['pseudo', 'message', 'group-pseudo'];
}

/** What is summed before the message. */
function before(form: ChecksumForm, carrier: Carrier, length: number): Uint8Array {
  if (form === 'message') return new Uint8Array(0);
  const destination = form === 'pseudo' ? carrier.destination : group;
  return pseudoHeader(carrier.source, destination, ipProtocol, length);
}

/**
 * Why a receiver drops an advertisement, whatever its own configuration (RFC 9568 §7.1, RFC 3768
 * §7.1); TTL and authentication data are the caller's to check.
 */
export function findFault(payload: Uint8Array, fields: Fields, carrier: Carrier): Drop | undefined {
  const { version, type, count, authType, interval, messageLength, trailer } = fields;
  const fault = (reason: Drop['reason'], detail: string): Drop => ({ reason, detail });
  if (version !== 3 && (version !== 2 || isIpv6(carrier.source))) {
    return fault('version', String(version));
  }
  if (type !== advertisementType) return fault('type', String(type));
  const expected = messageLength + (trailer === undefined ? 0 : trailerLength);
  if (payload.length !== expected || count === 0) {
    return fault('length', `${count} addresses in ${payload.length} bytes`);
  }
  if (verifyChecksum(payload, fields, carrier) === undefined)
    return fault('checksum', 'wrong in every form');
  if (authType > authTypes.ah) return fault('auth', `authentication type ${authType}`);
  // Erratum 8301 to RFC 9568.
  return interval === 0 ? fault('interval', 'an advertisement interval of 0') : undefined;
}

export function parseAdvertisement(payload: Uint8Array, carrier: Carrier): Parsed<Advertisement> {
  if (payload.length < headerLength) {
    return dropped('too-short', `${payload.length} bytes where VRRP has at least ${headerLength}`);
  }
  const fields = readFields(payload, carrier);
  const fault = findFault(payload, fields, carrier);
  if (fault !== undefined) return { ok: false, drop: fault };
  const { version, vrid, priority, interval, addresses, trailer } = fields;
  if (version === 3) return parsed({ version, vrid, priority, interval, addresses, trailer });
  const authentication = readAuthentication(fields);
  const v4 = addresses.filter((address) => !isIpv6(address));
  return parsed({ version: 2, vrid, priority, interval, addresses: v4, trailer, authentication });
}

function readAuthentication({ authType, authData }: Fields): Authentication {
  if (authType === authTypes.pass) return { type: 'pass', data: authData };
  return { type: authType === authTypes.ah ? 'ah' : 'none' };
}

/** The bytes of an IP payload; `form` matters for version 3 over IPv4 only. */
export function serializeAdvertisement(
  advertisement: Advertisement,
  carrier: Carrier,
  form: ChecksumForm = 'pseudo',
): Uint8Array {
  const { trailer = new Uint8Array(0) } = advertisement;
  const unsummed = writeMessage(advertisement, 0);
  const [only, ...others] = admissibleForms(advertisement.version, carrier);
  const usedForm = only !== undefined && others.length === 0 ? only : form;
  const summed = isIpv6(carrier.source) ? [unsummed, trailer] : [unsummed];
  const length = summed.reduce((total, part) => total + part.length, 0);
  const checksum = internetChecksum(before(usedForm, carrier, length), ...summed);
  const message = writeMessage(advertisement, checksum);
  return new Writer(message.length + trailer.length).raw(message).raw(trailer).bytes;
}

function writeMessage(advertisement: Advertisement, checksum: number): Uint8Array {
  const { version, vrid, priority, interval, addresses } = advertisement;
  const v2 = version === 2;
  const wide = addresses.filter(isIpv6).length;
  const addressesLength = wide * 16 + (addresses.length - wide) * 4;
  const writer = new Writer(headerLength + addressesLength + (v2 ? authDataLength : 0))
    .u8((version << 4) | advertisementType)
    .u8(vrid)
    .u8(priority)
    .u8(addresses.length);
  if (v2) writer.u8(authTypes[advertisement.authentication.type]);
  if (v2) writer.u8(toMilliseconds(interval) / 1000);
  else writer.u16(toMilliseconds(interval) / 10);
  writer.u16(checksum);
  for (const address of addresses) isIpv6(address) ? writer.ipv6(address) : writer.u32(address);
  if (v2 && advertisement.authentication.type === 'pass') {
    writer.raw(advertisement.authentication.data);
  }
  return writer.bytes;
}

/**
 * A password as version 2 carries it: its first 8 bytes, filled up with zeros (RFC 2338 §5.3.6.1).
 */
export function passwordData(password: Uint8Array): Uint8Array {
  return new Writer(authDataLength).raw(password.subarray(0, authDataLength)).bytes;
}
