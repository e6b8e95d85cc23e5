// Up and down scripts as child processes.

import { spawn } from 'node:child_process';
import type { HookCommand, Hooks } from '../ports.js';

export const hooks: Hooks = {
  run: (command) =>
    new Promise((resolve) => {
      const started = performance.now();
      const finish = (status: number | undefined, problem: string | undefined): void =>
        resolve({ status, problem, milliseconds: performance.now() - started });
      start(command, finish);
    }),
};

/**
 * A path without slash is looked for in the current directory and never along PATH, as execv(2) does.
 * `exit` and not `close` is waited for: scripts leave children behind that hold their output open.
 */
function start(
  { path, args, env }: HookCommand,
  finish: (status: number | undefined, problem: string | undefined) => void,
): void {
  const file = path.includes('/') ? path : `./${path}`;
  const child = spawn(file, [...args], {
    argv0: path,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  child.once('error', (error: NodeJS.ErrnoException) => finish(undefined, reasonOf(error)));
  child.once('exit', (status, signal) => {
    if (signal !== null) finish(undefined, `ended by ${signal}`);
    else finish(status ?? undefined, status === 0 ? undefined : `exit status ${status}`);
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return 'No such file or directory';
    case 'EACCES':
      return 'Permission denied';
    case 'ENOEXEC':
      return 'Exec format error (does it begin with #! ?)';
    default:
      return error.message;
  }
}
