// Gives a socket the name under which it is looked for, unless a living process has that name. One
// process at a time looks whether the name is free and takes it, or several that start at once
// would each remove what the one before has put there. The lock is a second name of the socket
// itself, so that one that was left behind by a crash is known by nobody answering on it.

import { linkSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const patience = 3_000; // milliseconds; a living process that does not answer costs two of them
const lookEvery = 50; // milliseconds

export interface Name {
  /** Gives it up, unless somebody else has taken it meanwhile. */
  withdraw(): void;
}

/** Whether a process answers on the socket of that name, for as long as it takes to know. */
export type IsAlive = (path: string) => Promise<boolean>;

/** The socket is bound to `temporary`, a name that ends here. Undefined if a living one has it. */
export async function publish(
  temporary: string,
  path: string,
  isAlive: IsAlive,
): Promise<Name | undefined> {
  // No longer than the name itself, whose length is limited.
  const lock = join(dirname(path), `.${basename(path, extname(path))}`);
  try {
    await acquire(temporary, lock, isAlive);
    try {
      if (await isAlive(path)) return undefined;
      unlinkIfThere(path);
      linkSync(temporary, path);
      return nameOf(path);
    } finally {
      unlinkIfThere(lock);
    }
  } finally {
    unlinkIfThere(temporary);
  }
}

async function acquire(temporary: string, lock: string, isAlive: IsAlive): Promise<void> {
  for (let waited = 0; waited < patience; waited += lookEvery) {
    if (linkIfFree(temporary, lock)) return;
    if (await isAlive(lock)) await delay(lookEvery);
    else unlinkIfThere(lock);
  }
  throw new Error(`${lock} is held by another process that does not let it go`);
}

function nameOf(path: string): Name {
  const inode = inodeOf(path);
  return {
    withdraw: () => {
      if (inodeOf(path) === inode) unlinkIfThere(path);
    },
  };
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
