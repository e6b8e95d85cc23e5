// HMAC-SHA1 against the vectors of RFC 2202 §3.

import { expect, test } from 'vitest';
import { hmacSha1 } from '../../src/net/hmac.js';
import { hex } from './frames.js';

const bytes = (byte: number, count: number): Uint8Array => new Uint8Array(count).fill(byte);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const vectors: readonly (readonly [
  number: number,
  key: Uint8Array,
  data: Uint8Array,
  digest: string,
])[] = [
  [1, bytes(0x0b, 20), text('Hi There'), 'b617318655057264e28bc0b6fb378c8ef146be00'],
  [
    2,
    text('Jefe'),
    text('what do ya want for nothing?'),
    'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
  ],
  [3, bytes(0xaa, 20), bytes(0xdd, 50), '125d7342b9ac11cd91a39af48aa17b4f63f175d3'],
  [
    6,
    bytes(0xaa, 80),
    text('Test Using Larger Than Block-Size Key - Hash Key First'),
    'aa4ae5e15272d00e95705637ce8a3b55ed402112',
  ],
];

test.each(vectors)('RFC 2202 §3, test case %d', (_, key, data, digest) => {
  expect(hex(hmacSha1(key)(data))).toBe(digest);
});

test('one key serves any number of messages', () => {
  const hmac = hmacSha1(text('Jefe'));
  const message = text('what do ya want for nothing?');
  const digests = new Set([hex(hmac(message)), hex(hmac(text('other'))), hex(hmac(message))]);
  expect(digests.size).toBe(2);
});
