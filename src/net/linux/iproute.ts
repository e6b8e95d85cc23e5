// One long-lived `ip -batch -`: each request is one or more commands of which the last answers with
// one line of JSON, which is also the acknowledgement. About 0.3 ms, where a spawn would block for
// 3 ms. One request at a time, so that every complaint and every answer belongs to the request
// under way.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { NetError } from '../errors.js';
import { onLines } from '../lines.js';

interface Request {
  readonly commands: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: NetError) => void;
  /**
   * A request is sent again once when the co-process dies under it: all commands are idempotent.
   */
  attempts: number;
}

export interface Answer {
  /** The last command's output. */
  readonly json: unknown;
  /** What `ip` complained about meanwhile, on one line; empty for nothing. */
  readonly complaints: string;
}

const attemptLimit = 2;
const answerTime = 2_000; // milliseconds; a kernel under load needs some ten

export class Iproute {
  readonly #waiting: Request[] = [];
  #current: Request | undefined;
  #child: ChildProcessWithoutNullStreams | undefined;
  #timer: NodeJS.Timeout | undefined;
  #complaints: string[] = [];
  #outdated = false;
  #closed = false;

  /**
   * `commands` are lines of ip(8) without the word `ip`; only the last may print, one line of JSON.
   */
  request(...commands: readonly string[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closed());
        return;
      }
      this.#waiting.push({ commands: `${commands.join('\n')}\n`, resolve, reject, attempts: 0 });
      this.#next();
    });
  }

  /** Forgets what the co-process knows: it remembers interface indices that may be outdated. */
  restart(): void {
    this.#outdated = true;
  }

  /** Ends the co-process; what was asked for and not answered yet is rejected. */
  close(): void {
    this.#closed = true;
    this.#dismiss();
    const open = this.#current === undefined ? [] : [this.#current];
    this.#settle();
    for (const request of [...open, ...this.#waiting.splice(0)]) request.reject(closed());
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const request = this.#waiting.shift();
    if (request === undefined) return;
    this.#current = request;
    request.attempts += 1;
    if (this.#outdated) this.#dismiss();
    try {
      this.#child ??= this.#spawn();
    } catch (error) {
      this.#fail(cannotRun(error as NodeJS.ErrnoException));
      return;
    }
    const child = this.#child;
    this.#timer = setTimeout(() => this.#stuck(child), answerTime);
    child.stdin.write(request.commands);
  }

  #spawn(): ChildProcessWithoutNullStreams {
    // A session of its own, so that a signal to our process group (Ctrl-C) does not end it before
    // us.
    const child = spawn('ip', ['-4', '-j', '-force', '-batch', '-'], { detached: true });
    child.on('error', (error) => this.#lost(child, cannotRun(error)));
    // Not `exit`: what it wrote before its end must have been read.
    child.on('close', () => this.#lost(child, undefined));
    // Where no pipe could be made there are no streams either, whatever their type says.
    const { stdin, stdout, stderr } = child as Partial<ChildProcessWithoutNullStreams>;
    stdin?.on('error', () => undefined); // its death is reported by `close`
    if (stdout) onLines(stdout, (line) => this.#answered(child, line));
    if (stderr) onLines(stderr, (line) => this.#complained(child, line));
    if (stdin === undefined || stdin === null) throw new Error('no pipe to it could be made');
    return child;
  }

  #complained(child: ChildProcessWithoutNullStreams, line: string): void {
    if (child === this.#child && !line.startsWith('Command failed')) this.#complaints.push(line);
  }

  #answered(child: ChildProcessWithoutNullStreams, line: string): void {
    const request = this.#current;
    if (child !== this.#child || request === undefined) return;
    // Complaints come through another pipe: let what is already in it arrive first.
    setImmediate(() => {
      if (this.#current !== request) return;
      const complaints = this.#complaints.join('; ');
      this.#settle();
      const json = parseJson(line);
      if (json !== undefined) request.resolve({ json, complaints });
      else request.reject(new NetError('failed', `ip(8) answered what is no JSON: ${line}`));
      this.#next();
    });
  }

  #stuck(child: ChildProcessWithoutNullStreams): void {
    this.#dismiss();
    child.kill('SIGKILL');
    this.#again(new NetError('failed', `ip(8) has not answered for ${answerTime / 1000} s`));
  }

  #lost(child: ChildProcessWithoutNullStreams, reason: NetError | undefined): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    if (reason !== undefined) this.#fail(reason);
    else this.#again(new NetError('failed', 'ip(8) ended without an answer'));
  }

  /** Asks the next co-process, or gives up. */
  #again(error: NetError): void {
    const request = this.#current;
    if (request === undefined || request.attempts >= attemptLimit) {
      this.#fail(error);
      return;
    }
    this.#settle();
    this.#waiting.unshift(request);
    this.#next();
  }

  #fail(error: NetError): void {
    const request = this.#current;
    this.#settle();
    request?.reject(error);
    this.#next();
  }

  /** The current request is over. */
  #settle(): void {
    clearTimeout(this.#timer);
    this.#current = undefined;
    this.#complaints = [];
  }

  #dismiss(): void {
    this.#outdated = false;
    this.#child?.stdin.end();
    this.#child = undefined;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function closed(): NetError {
  return new NetError('closed', 'The address manager is closed');
}

function cannotRun(error: NodeJS.ErrnoException): NetError {
  const missing = error.code === 'ENOENT' || error.code === 'EACCES';
  const hint = missing ? '; install the package iproute2' : '';
  const text = `Cannot run ip(8): ${error.message}${hint}`;
  return new NetError(missing ? 'missing-program' : 'failed', text, error);
}
