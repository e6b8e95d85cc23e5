// Numbers as C's strtoul(text, &rest, 0) reads them on a 64-bit machine, because ucarp does: `010`
// is 8, `0x10` is 16, `12abc` is 12, `-1` is the largest, and what is no number at all is 0.

export interface CNumber {
  /** 0 to 2^64 - 1. */
  readonly value: bigint;
  readonly negative: boolean;
  readonly base: 8 | 10 | 16;
  /** Empty when there is no number, and then `rest` is the whole text. */
  readonly digits: string;
  /** What follows the number. */
  readonly rest: string;
}

const largest = 2n ** 64n - 1n;

export function readCNumber(text: string): CNumber {
  const [, sign = '', number = '', rest = ''] =
    /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)(.*)$/s.exec(text) ?? [];
  const negative = sign === '-';
  if (number === '') return { value: 0n, negative: false, base: 10, digits: '', rest: text };
  const base = /^0x/i.test(number) ? 16 : /^0./.test(number) ? 8 : 10;
  const absolute = BigInt(base === 8 ? `0o${number}` : number);
  // An overflow is the largest number, whatever its sign; a negative number is its complement.
  const value = absolute > largest ? largest : negative ? BigInt.asUintN(64, -absolute) : absolute;
  return { value, negative, base, digits: number, rest };
}

/** What is left of it in an unsigned integer of so many bits. */
export function truncate({ value }: CNumber, bits: 8 | 32): number {
  return Number(BigInt.asUintN(bits, value));
}
