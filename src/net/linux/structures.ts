// Kernel structures as bytes. Fields are in host order unless their comment says otherwise.

import { endianness } from 'node:os';

const little = endianness() === 'LE';

export class Structure {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(size: number | Uint8Array) {
    this.bytes = typeof size === 'number' ? new Uint8Array(size) : size;
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  u8(at: number, value: number): this {
    this.#view.setUint8(at, value);
    return this;
  }

  u16(at: number, value: number): this {
    this.#view.setUint16(at, value, little);
    return this;
  }

  /** In network order. */
  net16(at: number, value: number): this {
    this.#view.setUint16(at, value);
    return this;
  }

  u32(at: number, value: number): this {
    this.#view.setUint32(at, value, little);
    return this;
  }

  /** In network order. */
  net32(at: number, value: number): this {
    this.#view.setUint32(at, value);
    return this;
  }

  text(at: number, value: string): this {
    this.bytes.set(new TextEncoder().encode(value), at);
    return this;
  }

  readU16(at: number): number {
    return this.#view.getUint16(at, little);
  }

  readU32(at: number): number {
    return this.#view.getUint32(at, little);
  }

  readU64(at: number): bigint {
    return this.#view.getBigUint64(at, little);
  }

  /** In network order. */
  readNet32(at: number): number {
    return this.#view.getUint32(at);
  }

  readBytes(at: number, length: number): Uint8Array {
    return this.bytes.subarray(at, at + length);
  }
}
