// The capture files of test/vectors, a writer for others, and tshark as the independent judge of
// both.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DecodedPacket, decode, type Secrets } from '../../src/protocol/decode.js';
import { isLinkType, type LinkType } from '../../src/protocol/link-layer.js';
import { PcapReader, type PcapRecord } from '../../src/protocol/pcap.js';

const folder = fileURLToPath(new URL('../vectors/', import.meta.url));

export const captureNames = readdirSync(folder).filter((name) => name.endsWith('.pcap'));

export function capturePath(name: string): string {
  return `${folder}${name}`;
}

export function captureBytes(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(capturePath(name)));
}

export function recordsOf(bytes: Uint8Array): readonly PcapRecord[] {
  const reader = new PcapReader();
  const records = reader.push(bytes);
  const problem = reader.end();
  if (problem !== undefined) throw new Error(problem);
  return records;
}

export const noSecrets: Secrets = { carp: undefined, vrrpPassword: undefined };

export function decodeCapture(
  name: string,
  secrets: Secrets = noSecrets,
): readonly DecodedPacket[] {
  const reader = new PcapReader();
  const records = reader.push(captureBytes(name));
  const linkType = reader.header?.linkType ?? 0;
  if (!isLinkType(linkType)) throw new Error(`link type ${linkType}`);
  return records
    .map(({ bytes, originalLength }) => decode({ linkType, bytes, originalLength }, secrets))
    .filter((packet) => packet !== undefined);
}

export function decodeFrame(
  bytes: Uint8Array,
  secrets: Secrets = noSecrets,
  linkType: LinkType = 1,
): DecodedPacket | undefined {
  return decode({ linkType, bytes, originalLength: bytes.length }, secrets);
}

export interface PcapOptions {
  readonly littleEndian?: boolean;
  readonly nanoseconds?: boolean;
  readonly linkType?: number;
}

/** A capture file of these records, whose times are in nanoseconds. */
export function writePcap(
  records: readonly PcapRecord[],
  { littleEndian = true, nanoseconds = false, linkType = 1 }: PcapOptions = {},
): Uint8Array {
  const words = (...values: readonly number[]): Buffer => {
    const buffer = Buffer.alloc(values.length * 4);
    for (const [index, value] of values.entries()) {
      if (littleEndian) buffer.writeUInt32LE(value, index * 4);
      else buffer.writeUInt32BE(value, index * 4);
    }
    return buffer;
  };
  const version = littleEndian ? 0x0004_0002 : 0x0002_0004;
  const magic = nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const parts = [words(magic, version, 0, 0, 65_535, linkType)];
  for (const { time, bytes, originalLength } of records) {
    const fraction = Number(time % 1_000_000_000n) / (nanoseconds ? 1 : 1000);
    parts.push(
      words(Number(time / 1_000_000_000n), fraction, bytes.length, originalLength),
      Buffer.from(bytes),
    );
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** False also fails a test where tshark must be: in CI nothing is skipped for want of a program. */
export const hasTshark =
  process.env['CI'] !== undefined || spawnSync('tshark', ['--version']).status === 0;

/**
 * The fields of every frame that the display filter selects, in all the files one after the other;
 * several values of one field are joined by commas.
 */
export function tshark(
  names: readonly string[],
  filter: string,
  fields: readonly string[],
  ...options: readonly string[]
): readonly (readonly string[])[] {
  const folder = mkdtempSync(join(tmpdir(), 'tscarp-captures-'));
  try {
    const joined = join(folder, 'joined.pcap');
    execFileSync('mergecap', ['-a', '-F', 'pcap', '-w', joined, ...names.map(capturePath)]);
    const wanted = fields.flatMap((field) => ['-e', field]);
    const args = ['-n', '-r', joined, '-Y', filter, '-T', 'fields', ...wanted, ...options];
    const output = execFileSync('tshark', args, { encoding: 'utf8', stdio: 'pipe' });
    return output
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
