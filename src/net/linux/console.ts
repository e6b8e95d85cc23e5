// Standard output and standard error as a daemon must treat them: a reader that has stopped (a
// terminal after Ctrl-S, a log collector that hangs) must not stop the daemon with it. The
// descriptors are shared with other programs, so they are not switched to non-blocking themselves.

import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { sendBytes } from './libc.js';

/** Writes all of the text at once; false when it was lost, or a part of it. */
export type Console = (text: string) => boolean;

export function openConsole(descriptor: number): Console {
  const write = writer(descriptor);
  return (text) => {
    const bytes = new TextEncoder().encode(text);
    try {
      return write(bytes) === bytes.length;
    } catch {
      return false; // full, closed or gone: there is nowhere left to say so
    }
  };
}

function writer(descriptor: number): (bytes: Uint8Array) => number {
  const kind = kindOf(descriptor);
  if (kind === 'socket') {
    return (bytes) => {
      sendBytes(descriptor, bytes, 'console');
      return bytes.length;
    };
  }
  const own = kind === 'waits' ? reopen(descriptor) : undefined;
  return (bytes) => writeSync(own ?? descriptor, bytes);
}

/** What may make its writer wait, and what never does. */
function kindOf(descriptor: number): 'socket' | 'waits' | 'file' {
  try {
    const status = fstatSync(descriptor);
    if (status.isSocket()) return 'socket';
    return status.isFIFO() || status.isCharacterDevice() ? 'waits' : 'file';
  } catch {
    return 'file'; // closed; writing will fail and not wait
  }
}

/** The same pipe or terminal through a description of our own; undefined where that is refused. */
function reopen(descriptor: number): number | undefined {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return undefined; // another user's terminal, or no /proc
  }
}
