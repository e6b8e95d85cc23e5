// Starts link-driver.ts in a network namespace and talks with it. The driver is bundled once per
// test file, inside of the project so that it finds the native packages.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { NetError, type NetErrorCode } from '../../src/net/errors.js';

const builds = fileURLToPath(new URL('../../build/', import.meta.url));

export interface Bundle {
  readonly file: string;
  remove(): void;
}

export async function bundleDriver(): Promise<Bundle> {
  mkdirSync(builds, { recursive: true });
  const outdir = mkdtempSync(`${builds}link-driver-`);
  await build({
    entryPoints: [fileURLToPath(new URL('link-driver.ts', import.meta.url))],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['koffi', 'cap', 'raw-socket'],
    logLevel: 'warning',
  });
  return {
    file: `${outdir}/link-driver.mjs`,
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: NetErrorCode | 'unexpected'; readonly message: string };
}

export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

type Arguments = Readonly<Record<string, unknown>>;

export class Driver {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly ended: Promise<Ending>;
  #next = 1;
  #errors = '';
  alive = true;

  constructor(namespace: string, file: string) {
    const argv = ['netns', 'exec', namespace, process.execPath, '--expose-gc', file];
    this.#child = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (status, signal) => {
        this.alive = false;
        for (const settle of this.#waiting.values()) settle({ id: 0, error: this.#death() });
        this.#waiting.clear();
        resolve({ status, signal });
      });
    });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on('error', () => undefined); // It may die at any time; `ended` tells.
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#take(line));
  }

  /** What it wrote to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Resolves with the answer; rejects with the NetError that the driver caught. */
  async call(name: string, args: Arguments = {}): Promise<unknown> {
    const id = this.#next;
    this.#next += 1;
    const answer = await new Promise<Answer>((resolve) => {
      if (!this.alive) resolve({ id, error: this.#death() });
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ ...args, id, name })}\n`);
    });
    const { error } = answer;
    if (error === undefined) return answer.value;
    if (error.code === 'unexpected') throw new Error(error.message);
    throw new NetError(error.code, error.message);
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await this.ended;
    clearTimeout(timer);
  }

  #take(line: string): void {
    const answer = JSON.parse(line) as Answer;
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }

  #death(): { code: 'unexpected'; message: string } {
    return { code: 'unexpected', message: `the driver has ended: ${this.#errors}` };
  }
}
