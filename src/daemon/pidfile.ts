// The file that tells init scripts our process id.

import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';

export interface Pidfile {
  /** Removes the file if it is still ours and can be removed. */
  remove(): void;
}

/** Throws when it cannot be written. `warn` is told when another living process is named in it. */
export function writePidfile(path: string, warn: (text: string) => void): Pidfile {
  const other = readPid(path);
  if (other !== undefined && other !== process.pid && isAlive(other)) {
    warn(`The pid file ${path} named the living process ${other}; it names this one now`);
  }
  writeFileSync(path, `${process.pid}\n`);
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
