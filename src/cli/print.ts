// What a command prints: all of it, before it ends. A reader that has gone away (`| head`) is no
// fault; a disk that is full is one.

import { writeSync } from 'node:fs';

const standardOutput = 1;
const patience = new Int32Array(new SharedArrayBuffer(4));
const waitMs = 10;

/** Throws with a sentence when it cannot be written. */
export function print(text: string): void {
  let rest: Uint8Array = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(standardOutput, rest));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw new Error(`cannot write: ${message}`, { cause: error });
      Atomics.wait(patience, 0, 0, waitMs);
    }
  }
}
