// Programs: short ones that are run to their end, and long ones whose lines are read as they come.

import { type ChildProcess, spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { NetError } from '../net/errors.js';

export interface Outcome {
  /** Undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Written to its standard input, which is closed then. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Killed after this time. */
  readonly timeoutMs?: number;
}

const lastWordsMs = 200;

/** Runs a program to its end, whatever its exit status is; rejects when it cannot be started. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = start(argv, options, ['pipe', 'pipe', 'pipe']);
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  // A program that ends without reading its input breaks the pipe; its exit status says more.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 20_000);
  try {
    return { ...(await ended(child, argv, lastWordsMs)), ...output };
  } finally {
    clearTimeout(timer);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

/** Runs a program that must succeed and returns its output; rejects with what it said otherwise. */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await run(argv, options);
  if (outcome.status === 0) return outcome.stdout;
  const said = outcome.stderr.trim() || outcome.stdout.trim() || 'nothing';
  const how = outcome.signal ?? `status ${outcome.status}`;
  throw new NetError('failed', `"${argv.join(' ')}" ended with ${how} and said: ${said}`);
}

export interface Line {
  /** Milliseconds of `performance.now()` when it was read. */
  readonly at: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** How a program ended; one of the two is undefined. */
export type Exit = Pick<Outcome, 'status' | 'signal'>;

export interface StartOptions extends RunOptions {
  readonly onLine?: (line: Line) => void;
  /** False for a program that writes without end. */
  readonly keepLines?: boolean;
}

/** A program that runs on; what it wrote so far is kept. */
export interface Program {
  readonly pid: number;
  readonly lines: readonly Line[];
  /** Undefined while it runs. */
  readonly exit: Exit | undefined;
  readonly exited: Promise<Exit>;
  signal(name: NodeJS.Signals): void;
  /** Everything it wrote, a line each. */
  text(): string;
}

/** Starts a program in a session of its own, so that a Ctrl-C at the terminal does not reach it. */
export function launch(argv: readonly string[], options: StartOptions = {}): Program {
  const child = start(argv, options, ['ignore', 'pipe', 'pipe']);
  const lines: Line[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    readLines(child[stream], (text) => {
      const line = { at: performance.now(), stream, text };
      if (options.keepLines ?? true) lines.push(line);
      options.onLine?.(line);
    });
  }
  let exit: Exit | undefined;
  const exited = ended(child, argv).then((how) => {
    exit = how;
    return how;
  });
  exited.catch(() => undefined); // Whoever waits for the end sees it; not everybody does.
  return {
    pid: child.pid ?? 0,
    lines,
    get exit() {
      return exit;
    },
    exited,
    signal: (name) => {
      child.kill(name);
    },
    text: () => lines.map((line) => line.text).join('\n'),
  };
}

function start(
  argv: readonly string[],
  options: RunOptions,
  stdio: ('ignore' | 'pipe')[],
): ChildProcess {
  const [file, ...args] = argv;
  if (file === undefined) throw new RangeError('An empty command line cannot be run.');
  try {
    return spawn(file, args, {
      stdio,
      detached: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    });
  } catch (error) {
    // Some refusals are thrown at once: a file whose capabilities this process may not have.
    throw notStarted(file, error as Error);
  }
}

function notStarted(file: string, error: NodeJS.ErrnoException): NetError {
  if (error.code === 'ENOENT') {
    return new NetError('missing-program', `The program "${file}" is not installed.`, error);
  }
  return new NetError('failed', `"${file}" cannot be run: ${error.message}`, error);
}

/**
 * Resolves when the program has ended and its output was read. A daemon that it left behind may
 * hold its pipes open for ever, so the output has `lastWordsMs` from the end of the program.
 */
function ended(child: ChildProcess, argv: readonly string[], lastWordsMs = 0): Promise<Exit> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      resolve({ status: child.exitCode ?? undefined, signal: child.signalCode ?? undefined });
    };
    child.once('exit', () => {
      if (lastWordsMs === 0) finish();
      else timer = setTimeout(finish, lastWordsMs);
    });
    child.once('close', finish);
    child.once('error', (error) => reject(notStarted(argv[0] ?? '', error)));
  });
}

function readLines(stream: Readable | null, each: (text: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', each);
}
