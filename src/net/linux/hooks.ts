// Up and down scripts as child processes, run as execv(2) runs them: no shell, no PATH.

import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import type { HookCommand, Hooks } from '../ports.js';

type Finish = (status: number | undefined, problem: string | undefined) => void;

export const hooks: Hooks = {
  problem: (path) => {
    const file = fileOf(path);
    try {
      accessSync(file, constants.X_OK);
      return isFormless(file) ? formless : undefined;
    } catch (error) {
      return reasonOf(error as NodeJS.ErrnoException);
    }
  },
  run: (command) =>
    new Promise((resolve) => {
      const started = performance.now();
      const finish: Finish = (status, problem) =>
        resolve({ status, problem, milliseconds: performance.now() - started });
      try {
        start(command, finish);
      } catch (error) {
        finish(undefined, reasonOf(error as NodeJS.ErrnoException));
      }
    }),
};

/**
 * A path without slash is looked for in the current directory and never along PATH, as execv(2)
 * does. `exit` and not `close` is waited for: scripts leave children behind that hold their output
 * open.
 */
function start({ path, args, env }: HookCommand, finish: Finish): void {
  const file = fileOf(path);
  if (isFormless(file)) {
    finish(undefined, formless);
    return;
  }
  const child = spawn(file, [...args], {
    argv0: path,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  child.once('error', (error: NodeJS.ErrnoException) => finish(undefined, reasonOf(error)));
  child.once('exit', (status, signal) => {
    // As shells count: a script that a signal ended could be run, unlike one without status.
    if (signal !== null) finish(128 + osConstants.signals[signal], `ended by ${signal}`);
    else finish(status ?? undefined, status === 0 ? undefined : `exit status ${status}`);
  });
}

function fileOf(path: string): string {
  return path.includes('/') ? path : `./${path}`;
}

const formless = 'Exec format error (does it begin with #! ?)';
const headSize = 256; // bytes of a file by which the kernel knows its format

/**
 * An executable text that names no interpreter. The kernel refuses it, and with it ucarp; the C
 * library that Node spawns with would hand it to a shell.
 */
function isFormless(file: string): boolean {
  let head: Uint8Array;
  try {
    const status = statSync(file);
    if (!status.isFile() || (status.mode & 0o111) === 0) return false;
    head = readHead(file);
  } catch {
    return false; // the attempt to run it says what is wrong
  }
  return !(head[0] === 0x23 && head[1] === 0x21) && !head.includes(0);
}

function readHead(file: string): Uint8Array {
  const fd = openSync(file, 'r');
  try {
    const head = new Uint8Array(headSize);
    return head.subarray(0, readSync(fd, head));
  } finally {
    closeSync(fd);
  }
}

/** As strerror(3) words what execve(2) and fork(2) refuse. */
const reasons: Readonly<Record<string, string>> = {
  E2BIG: 'Argument list too long',
  EACCES: 'Permission denied',
  EAGAIN: 'Resource temporarily unavailable',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENFILE: 'Too many open files in system',
  ENOENT: 'No such file or directory',
  ENOEXEC: 'Exec format error',
  ENOMEM: 'Cannot allocate memory',
  ENOTDIR: 'Not a directory',
  EPERM: 'Operation not permitted',
  ETXTBSY: 'Text file busy',
};

function reasonOf(error: NodeJS.ErrnoException): string {
  return reasons[error.code ?? ''] ?? error.message;
}
