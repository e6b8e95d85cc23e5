// HMAC-SHA1 under a password, from OpenSSL.

import { createHmac, createSecretKey } from 'node:crypto';
import type { Hmac } from './ports.js';

/** The key is a KeyObject because Node 24 needs seven times as long for a Buffer. */
export function hmacSha1(password: Uint8Array): Hmac {
  const key = createSecretKey(password);
  return (message) => createHmac('sha1', key).update(message).digest();
}
