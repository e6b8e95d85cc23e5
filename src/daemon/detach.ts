// -B: leaving the terminal. Node cannot fork, so the caller's process starts a second one in a
// session of its own, hands it the configuration through a socket (the password must not be in its
// argv), and ends when that one is listening or has failed. So init scripts get a true exit status.

import { spawn } from 'node:child_process';
import { fstatSync, readdirSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { onLines } from '../net/lines.js';
import type { Config } from './config.js';
import type { Message, Readiness } from './run.js';
import { startFailureStatus } from './start-failure.js';

/** Set in the second process only: the descriptor of the socket to the first. */
const descriptorVariable = 'TSCARP_DAEMON_FD';

export interface Errand {
  readonly config: Config;
  readonly messages: readonly Message[];
}

export interface DetachOptions extends Errand {
  /** The script that node runs, and the words after it with the password masked. */
  readonly script: string;
  readonly maskedArgv: readonly string[];
}

/**
 * Open files that the caller has passed on beside the usual three, and that ucarp keeps: with
 * `flock LOCK ucarp -B` the lock is held for as long as the daemon lives.
 */
function inheritedFiles(): readonly number[] {
  try {
    const fds = readdirSync('/proc/self/fd').map(Number);
    return fds.filter((fd) => fd > 2 && isFile(fd));
  } catch {
    return []; // no /proc
  }
}

/** Node's own are pipes and the like, and the one that listed the others is closed by now. */
function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Resolves when the second process is up or has failed. */
export function detach(options: DetachOptions): Promise<Readiness> {
  const { script, maskedArgv, config, messages } = options;
  return new Promise((resolve) => {
    const status = startFailureStatus(config);
    const failed = (text: string): void => resolve({ ok: false, status, lines: [text] });
    const inherited = inheritedFiles();
    const descriptor = Math.max(2, ...inherited) + 1;
    const child = spawn(process.execPath, [...process.execArgv, script, ...maskedArgv], {
      cwd: '/',
      detached: true,
      env: { ...process.env, [descriptorVariable]: String(descriptor) },
      stdio: Array.from({ length: descriptor + 1 }, (_, fd) =>
        fd === descriptor ? 'pipe' : inherited.includes(fd) ? fd : 'ignore',
      ),
    });
    child.once('error', (error) => failed(`Cannot start in the background: ${error.message}`));
    // Its last word may be in the channel and not read yet when it has ended. If that was that it
    // failed, nothing of it is left when the caller is told.
    let lastWord: Readiness | undefined;
    child.once('exit', (code, signal) => {
      const text = `Ended before it was ready (${signal ?? `exit status ${code}`})`;
      setImmediate(() => (lastWord === undefined ? failed(text) : resolve(lastWord)));
    });
    const channel = child.stdio[descriptor] as Duplex;
    channel.on('error', () => undefined); // the exit says more
    onLines(channel, (line) => {
      lastWord = JSON.parse(line) as Readiness;
      if (!lastWord.ok) return;
      child.unref();
      resolve(lastWord);
    });
    // A Buffer would turn itself into something else before the replacer sees it.
    const plain = { ...config, password: Uint8Array.from(config.password) };
    channel.write(`${JSON.stringify({ config: plain, messages }, encodeBytes)}\n`);
  });
}

/** In the second process: the errand and where to report readiness. Undefined in every other. */
export async function receiveErrand(): Promise<
  { readonly errand: Errand; report(outcome: Readiness): void } | undefined
> {
  const fd = process.env[descriptorVariable];
  if (fd === undefined) return undefined;
  delete process.env[descriptorVariable];
  const channel = new Socket({ fd: Number(fd) });
  channel.on('error', () => channel.destroy()); // the caller is gone: nobody to report to
  const line = await new Promise<string>((resolve) => {
    onLines(channel, resolve);
  });
  const errand = JSON.parse(line, decodeBytes) as Errand;
  return { errand, report: (outcome) => channel.end(`${JSON.stringify(outcome)}\n`) };
}

const bytesKey = 'base64';

function encodeBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array
    ? { [bytesKey]: Buffer.from(value).toString('base64') }
    : value;
}

function decodeBytes(_key: string, value: unknown): unknown {
  const text = (value as Record<string, unknown> | null)?.[bytesKey];
  return typeof text === 'string' ? Uint8Array.from(Buffer.from(text, 'base64')) : value;
}
