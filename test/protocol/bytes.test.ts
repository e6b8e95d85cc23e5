// Reader and Writer against Node's Buffer, which knows the same numbers by another road.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ipv6, Mac } from '../../src/protocol/address.js';
import { Reader, Writer } from '../../src/protocol/bytes.js';
import { hex, toHex } from './fixtures.js';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const field = fc.oneof(
  fc.record({ size: fc.constant(1), value: fc.integer({ min: 0, max: 0xff }) }),
  fc.record({ size: fc.constant(2), value: fc.integer({ min: 0, max: 0xffff }) }),
  fc.record({ size: fc.constant(4), value: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({ size: fc.constant(6), value: fc.integer({ min: 0, max: 2 ** 48 - 1 }) }),
  fc.record({ size: fc.constant(8), value: u64 }),
  fc.record({ size: fc.constant(16), value: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }) }),
);

function write(writer: Writer, size: number, value: number | bigint): void {
  if (size === 1) writer.u8(Number(value));
  else if (size === 2) writer.u16(Number(value));
  else if (size === 4) writer.u32(Number(value));
  else if (size === 6) writer.mac(Number(value) as Mac);
  else if (size === 8) writer.u64(BigInt(value));
  else writer.ipv6(BigInt(value) as Ipv6);
}

function readBack(reader: Reader, size: number): number | bigint {
  if (size === 1) return reader.u8();
  if (size === 2) return reader.u16();
  if (size === 4) return reader.u32();
  if (size === 6) return reader.mac();
  return size === 8 ? reader.u64() : reader.ipv6();
}

describe('Reader and Writer', () => {
  it('put every field in network byte order and read it back', () => {
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const writer = new Writer(fields.reduce((sum, { size }) => sum + size, 0));
        for (const { size, value } of fields) write(writer, size, value);
        const expected = fields.map(({ size, value }) =>
          value.toString(16).padStart(size * 2, '0'),
        );
        expect(toHex(writer.bytes)).toBe(expected.join(''));
        const reader = new Reader(writer.bytes);
        expect(fields.map(({ size }) => readBack(reader, size))).toEqual(
          fields.map(({ value }) => value),
        );
        expect(reader.left).toBe(0);
      }),
    );
  });

  it('read within a view of a larger buffer and no further', () => {
    const view = hex('00112233445566778899').subarray(2, 8);
    const reader = new Reader(view);
    expect(reader.u16()).toBe(0x2233);
    reader.skip(1);
    expect(reader.left).toBe(3);
    expect(toHex(reader.bytes(3))).toBe('556677');
    expect(() => reader.u8()).toThrow(RangeError);
  });

  it('hand out bytes as a view of the same memory', () => {
    const bytes = hex('010203');
    const part = new Reader(bytes).bytes(2);
    bytes[0] = 9;
    expect(part[0]).toBe(9);
  });

  it('read an IPv4 address as an unsigned number', () => {
    expect(new Reader(hex('ff000001')).ipv4()).toBe(0xff000001);
  });

  it('refuse to write past the end', () => {
    expect(() => new Writer(3).u32(1)).toThrow(RangeError);
    expect(() => new Writer(1).raw(hex('0102'))).toThrow(RangeError);
  });

  it('write raw bytes between numbers', () => {
    expect(toHex(new Writer(4).u8(1).raw(hex('0203')).u8(4).bytes)).toBe('01020304');
  });
});
