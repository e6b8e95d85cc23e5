// The CARP version 2 advertisement: IP protocol 112, 36 bytes, the same on ucarp and the BSDs.
//
//    0               1               2               3
//   +-------+-------+---------------+---------------+---------------+
//   | vers=2| type=1|     vhid      |    advskew    |   authlen=7   |
//   +-------+-------+---------------+---------------+---------------+
//   |    demote     |    advbase    |           checksum            |
//   +---------------+---------------+-------------------------------+
//   |                       counter (64 bits)                       |
//   |                                                               |
//   +---------------------------------------------------------------+
//   |                HMAC-SHA1 (160 bits, see digest.ts)            |
//   +---------------------------------------------------------------+
//
// The checksum is RFC 1071's over these 36 bytes, filled in last. Nobody checks type or authlen.

import { Reader, Writer } from '../bytes.js';
import { internetChecksum } from '../checksum.js';
import { dropped, type Parsed, parsed } from '../parsed.js';

export const ipProtocol = 112;
export const advertisementLength = 36;
export const digestLength = 20;

const version = 2;
const advertisementType = 1;
const authLength = 7; // 32-bit words of counter and digest

export interface Advertisement {
  /** Virtual host id, 1 to 255. */
  readonly vhid: number;
  /** Seconds between advertisements, 0 to 255. */
  readonly advbase: number;
  /** 1/256 s that are added to advbase, 0 to 255. */
  readonly advskew: number;
  /** OpenBSD's demotion counter, 0 to 255; ucarp, FreeBSD and NetBSD send 0 and ignore it. */
  readonly demote: number;
  readonly counter: bigint;
  /** 20 bytes. */
  readonly digest: Uint8Array;
}

/**
 * Reads the fields of at least 36 bytes; bytes after them are ignored. Only the version is checked
 * here: checksum and digest depend on what surrounds the advertisement.
 */
export function parseAdvertisement(bytes: Uint8Array): Parsed<Advertisement> {
  if (bytes.length < advertisementLength) {
    return dropped('too-short', `${bytes.length} bytes where CARP has ${advertisementLength}`);
  }
  const reader = new Reader(bytes);
  const found = reader.u8() >> 4;
  if (found !== version) return dropped('version', String(found));
  const vhid = reader.u8();
  const advskew = reader.u8();
  reader.skip(1);
  const demote = reader.u8();
  const advbase = reader.u8();
  reader.skip(2);
  const counter = reader.u64();
  const digest = reader.bytes(digestLength);
  return parsed({ vhid, advbase, advskew, demote, counter, digest });
}

export function serializeAdvertisement(advertisement: Advertisement): Uint8Array {
  const unsummed = writeAdvertisement(advertisement, 0);
  return writeAdvertisement(advertisement, internetChecksum(unsummed));
}

function writeAdvertisement(advertisement: Advertisement, checksum: number): Uint8Array {
  return new Writer(advertisementLength)
    .u8((version << 4) | advertisementType)
    .u8(advertisement.vhid)
    .u8(advertisement.advskew)
    .u8(authLength)
    .u8(advertisement.demote)
    .u8(advertisement.advbase)
    .u16(checksum)
    .u64(advertisement.counter)
    .raw(advertisement.digest).bytes;
}
