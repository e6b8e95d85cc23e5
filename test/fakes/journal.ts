// What happened, in order, whoever did it: a line of text for each.

import type { Level, Logger } from '../../src/daemon/log.js';

export class Journal {
  readonly #lines: string[] = [];

  note(line: string): void {
    this.#lines.push(line);
  }

  /** All lines since the last call, or those that begin so. */
  take(beginning = ''): readonly string[] {
    return this.#lines.splice(0).filter((line) => line.startsWith(beginning));
  }
}

export interface LogLine {
  readonly level: Level;
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>> | undefined;
}

/** Keeps what is logged, and notes it in a journal as `log LEVEL: TEXT`. */
export class MemoryLogger implements Logger {
  readonly lines: LogLine[] = [];
  readonly #journal: Journal | undefined;

  constructor(journal?: Journal) {
    this.#journal = journal;
  }

  log(level: Level, text: string, facts?: Readonly<Record<string, unknown>>): void {
    this.lines.push({ level, text, facts });
    this.#journal?.note(`log ${level}: ${text}`);
  }
}
