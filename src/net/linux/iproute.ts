// One long-lived `ip -batch -`: each request is one or more commands of which the last answers with one
// line of JSON, which is also the acknowledgement. About 0.3 ms, where a spawn would block for 3 ms.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { NetError } from '../errors.js';
import { onLines } from '../lines.js';

interface Request {
  readonly commands: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: NetError) => void;
  /** A request is sent again once when the co-process dies under it: all commands are idempotent. */
  attempts: number;
}

export interface Answer {
  /** The last command's output. */
  readonly json: unknown;
  /** What `ip` complained about meanwhile, on one line; empty for nothing. */
  readonly complaints: string;
}

const attemptLimit = 2;

export class Iproute {
  #child: ChildProcessWithoutNullStreams | undefined;
  #requests: Request[] = [];
  #complaints: string[] = [];
  #closed = false;

  /** `commands` are lines of ip(8) without the word `ip`; the last must print JSON. */
  request(...commands: readonly string[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#send({ commands: `${commands.join('\n')}\n`, resolve, reject, attempts: 0 });
    });
  }

  /** Forgets what the co-process knows: it remembers interface indices that may be outdated. */
  restart(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin.end();
  }

  close(): void {
    this.#closed = true;
    this.restart();
  }

  #send(request: Request): void {
    if (this.#closed) {
      request.reject(new NetError('closed', 'The address manager is closed'));
      return;
    }
    request.attempts += 1;
    this.#requests.push(request);
    this.#running().stdin.write(request.commands);
  }

  #running(): ChildProcessWithoutNullStreams {
    if (this.#child !== undefined) return this.#child;
    // A session of its own, so that a signal to our process group (Ctrl-C) does not end it before us.
    const child = spawn('ip', ['-4', '-j', '-force', '-batch', '-'], { detached: true });
    this.#child = child;
    onLines(child.stdout, (line) => this.#answered(line));
    onLines(child.stderr, (line) => this.#complained(line));
    child.stdin.on('error', () => undefined); // its death is reported by `exit`
    child.on('error', (error) => this.#lost(child, missingProgram(error)));
    child.on('exit', () => this.#lost(child, undefined));
    return child;
  }

  #complained(line: string): void {
    if (!line.startsWith('Command failed')) this.#complaints.push(line);
  }

  #answered(line: string): void {
    // Complaints come through another pipe: let what is already in it arrive first.
    setImmediate(() => {
      const complaints = this.#complaints.join('; ');
      this.#complaints = [];
      this.#requests.shift()?.resolve({ json: parseJson(line), complaints });
    });
  }

  #lost(child: ChildProcessWithoutNullStreams, reason: NetError | undefined): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const unanswered = this.#requests;
    this.#requests = [];
    for (const request of unanswered) {
      if (reason === undefined && request.attempts < attemptLimit) this.#send(request);
      else request.reject(reason ?? new NetError('failed', 'ip(8) ended without an answer'));
    }
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function missingProgram(error: Error): NetError {
  const install = 'install the package iproute2';
  return new NetError('missing-program', `Cannot run ip(8): ${error.message}; ${install}`, error);
}
