// The first bytes of a file: enough for a password, and no more even of a device that never ends.

import { closeSync, openSync, readSync } from 'node:fs';

const limit = 4_096; // bytes; of a password file 511 count

/** Throws as node:fs does. */
export function readStart(path: string): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(limit);
    let length = 0;
    // A pipe gives what it has at the moment.
    for (let more = -1; more !== 0 && length < limit; length += more) {
      more = readSync(fd, bytes, length, limit - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}
