// Reads capture files of the classic pcap format, as tcpdump -w writes them: any byte order,
// microseconds or nanoseconds (draft-ietf-opsawg-pcap). Takes the file in pieces of any size, so
// that a pipe and a file larger than the memory can be read. Never throws: a damaged file gives
// every whole record before the damage, and then a sentence.
//
//   file:   magic u32 | major u16 | minor u16 | 8 unused | snaplen u32 | link type u32 | record...
//   record: seconds u32 | fraction u32 | captured length u32 | original length u32 | bytes

import { Reader, Writer } from './bytes.js';

const fileHeaderLength = 24;
const recordHeaderLength = 16;
const longestRecord = 262_144; // libpcap's MAXIMUM_SNAPLEN
const nanosecondsPerSecond = 1_000_000_000n;

export interface PcapRecord {
  /** Nanoseconds since 1970, UTC. */
  readonly time: bigint;
  /** The captured part of the frame. */
  readonly bytes: Uint8Array;
  /** The length of the frame on the wire; more than there are bytes when a snaplen cut it. */
  readonly originalLength: number;
}

export interface PcapHeader {
  /** What the frames begin with (tcpdump.org/linktypes.html). */
  readonly linkType: number;
  /** The times have nine digits; otherwise six. */
  readonly nanoseconds: boolean;
}

interface Variant {
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
}

type Format = PcapHeader & Variant;

const variants: ReadonlyMap<number, Variant> = new Map([
  [0xa1b2c3d4, { littleEndian: false, nanoseconds: false }],
  [0xd4c3b2a1, { littleEndian: true, nanoseconds: false }],
  [0xa1b23c4d, { littleEndian: false, nanoseconds: true }],
  [0x4d3cb2a1, { littleEndian: true, nanoseconds: true }],
]);
const pcapngMagic = 0x0a0d0d0a;
const gzipMagic = 0x1f8b;

export class PcapReader {
  #format: Format | undefined;
  #problem: string | undefined;
  #pending: Uint8Array = new Uint8Array(0);
  #count = 0;

  /** Why nothing more can be read, as soon as that is known. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** What the file's header says; undefined until it has been read. */
  get header(): PcapHeader | undefined {
    return this.#format;
  }

  /** The records that are complete now; none after the first damage. */
  push(piece: Uint8Array): readonly PcapRecord[] {
    if (this.#problem !== undefined) return [];
    this.#pending = join(this.#pending, piece);
    this.#format ??= this.#readHeader();
    const records: PcapRecord[] = [];
    if (this.#format === undefined) return records;
    let record = this.#readRecord(this.#format);
    while (record !== undefined) {
      records.push(record);
      record = this.#readRecord(this.#format);
    }
    return records;
  }

  /**
   * Says that there is no more; answers what is wrong with the file in words, undefined for
   * nothing.
   */
  end(): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    const left = this.#pending.length;
    if (this.#format !== undefined) {
      return left === 0 ? undefined : `it is cut off inside packet ${this.#count + 1}`;
    }
    if (left === 0) return 'it is empty';
    return left < 4 ? 'this is not a pcap file' : 'it is cut off inside the header of the file';
  }

  #readHeader(): Format | undefined {
    if (this.#pending.length < 4) return undefined;
    const reader = new Reader(this.#pending);
    const magic = reader.u32();
    const variant = variants.get(magic);
    if (variant === undefined) {
      this.#problem = describeForeign(magic);
      return undefined;
    }
    if (this.#pending.length < fileHeaderLength) return undefined;
    // Two halves, in an order that depends on the byte order.
    const version = read32(reader, variant);
    if (version !== (variant.littleEndian ? 0x0004_0002 : 0x0002_0004)) {
      this.#problem = 'this is a pcap file of a version other than 2.4';
      return undefined;
    }
    reader.skip(12);
    // The upper half tells whether a checksum ends the frames, which no IP packet reaches.
    const linkType = read32(reader, variant) & 0xffff;
    this.#pending = this.#pending.subarray(fileHeaderLength);
    return { ...variant, linkType };
  }

  #readRecord(format: Format): PcapRecord | undefined {
    if (this.#pending.length < recordHeaderLength) return undefined;
    const reader = new Reader(this.#pending);
    const seconds = read32(reader, format);
    const fraction = read32(reader, format);
    const length = read32(reader, format);
    const originalLength = read32(reader, format);
    if (length > longestRecord) {
      this.#problem = `it is damaged: packet ${this.#count + 1} claims to have ${length} bytes`;
      return undefined;
    }
    if (reader.left < length) return undefined;
    const bytes = reader.bytes(length);
    this.#pending = this.#pending.subarray(recordHeaderLength + length);
    this.#count += 1;
    const nanoseconds = BigInt(fraction) * (format.nanoseconds ? 1n : 1000n);
    return { time: BigInt(seconds) * nanosecondsPerSecond + nanoseconds, bytes, originalLength };
  }
}

function describeForeign(magic: number): string {
  if (magic === pcapngMagic) return 'this is pcapng; convert with editcap -F pcap';
  if (magic >>> 16 === gzipMagic) return 'this is compressed with gzip; unpack it first';
  return 'this is not a pcap file';
}

function read32(reader: Reader, { littleEndian }: Variant): number {
  const value = reader.u32();
  if (!littleEndian) return value;
  const high = ((value & 0xff) << 24) | ((value & 0xff00) << 8);
  return (high | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

function join(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right;
  return new Writer(left.length + right.length).raw(left).raw(right).bytes;
}
