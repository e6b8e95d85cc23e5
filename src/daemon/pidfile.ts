// The file that tells init scripts our process id.

import { readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';

export interface Pidfile {
  /** Removes the file if it is still ours and can be removed. */
  remove(): void;
}

const longest = 32; // bytes of a process id with whatever blanks stand around it

/**
 * Throws when it cannot be written, or when what is there already is something else than a pid
 * file. `warn` is told when another living process is named in it.
 */
export function writePidfile(path: string, warn: (text: string) => void): Pidfile {
  refuseForeign(path);
  const other = readPid(path);
  if (other !== undefined && other !== process.pid && isAlive(other)) {
    warn(`The pid file ${path} named the living process ${other}; it names this one now`);
  }
  replace(path, `${process.pid}\n`);
  return {
    remove: () => {
      if (readPid(path) !== process.pid) return;
      try {
        unlinkSync(path);
      } catch (error) {
        warn(`The pid file stays: ${(error as Error).message}`);
      }
    },
  };
}

/** A mistyped path must not cost anybody a file, nor a device block us. */
function refuseForeign(path: string): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isFile()) throw new Error(`${path} is not a regular file`);
  const content = status.size > longest ? '?' : readFileSync(path, 'utf8').trim();
  if (!/^-?\d*$/.test(content)) throw new Error(`${path} is there and is no pid file; it stays`);
}

/** Whole or not at all: a full disk leaves no empty file, and no reader sees half of a number. */
function replace(path: string, content: string): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined; // no file yet, or not readable: then writing it will say so
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
