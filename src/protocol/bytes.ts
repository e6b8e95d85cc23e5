// Reading and writing numbers in network byte order: the only code that knows offsets and order.

import type { Ipv4, Ipv6, Mac } from './address.js';

/** Reads big-endian fields one after the other. Reading past the end throws: check `left` first. */
export class Reader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes have not been read yet. */
  get left(): number {
    return this.#view.byteLength - this.#at;
  }

  skip(count: number): void {
    this.#at += count;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8));
  }

  mac(): Mac {
    return (this.u16() * 2 ** 32 + this.u32()) as Mac;
  }

  ipv4(): Ipv4 {
    return this.u32() as Ipv4;
  }

  ipv6(): Ipv6 {
    return ((this.u64() << 64n) | this.u64()) as Ipv6;
  }

  /** The next `count` bytes, as a view of the same memory. */
  bytes(count: number): Uint8Array {
    const view = this.#view;
    return new Uint8Array(view.buffer, view.byteOffset + this.#advance(count), count);
  }

  #advance(count: number): number {
    const at = this.#at;
    this.#at += count;
    return at;
  }
}

/** Writes big-endian fields one after the other into a buffer of a fixed size. */
export class Writer {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u8(value: number): this {
    this.#view.setUint8(this.#advance(1), value);
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#advance(2), value);
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#advance(4), value);
    return this;
  }

  u64(value: bigint): this {
    this.#view.setBigUint64(this.#advance(8), value);
    return this;
  }

  mac(value: Mac): this {
    return this.u16(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
  }

  ipv6(value: Ipv6): this {
    return this.u64(value >> 64n).u64(value & 0xffff_ffff_ffff_ffffn);
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#advance(bytes.length));
    return this;
  }

  #advance(count: number): number {
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
