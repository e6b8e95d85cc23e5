// Log lines for people and programs. pino makes the records (JSON); for people each record is
// printed the way ucarp prints, since other people's programs look for its lines:
// `2026-11-22T09:35:45.688442: [WARNING] Switching to state: MASTER`. Everything is written at
// once, nothing is buffered.

import { writeSync } from 'node:fs';
import { type Logger as Pino, pino } from 'pino';
import type { Personality } from './config.js';

export type Level = 'debug' | 'info' | 'warning' | 'error';

export interface Logger {
  log(level: Level, text: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Where finished lines go besides the console. */
export interface LineSink {
  write(level: Level, text: string): void;
}

export interface LogOptions {
  readonly format: 'text' | 'json';
  readonly personality: Personality;
  readonly debug: boolean;
  /** Undefined for a daemon, whose console is gone. */
  readonly console: Console | undefined;
  readonly sinks: readonly LineSink[];
}

/** Writes to standard output or standard error, and answers whether that was possible. */
export type Console = Readonly<Record<'stdout' | 'stderr', (text: string) => boolean>>;

interface LogRecord {
  readonly level: Level;
  readonly msg: string;
}

const customLevels = { debug: 20, info: 30, warning: 40, error: 50 };

export function createLogger(options: LogOptions): Logger {
  const records = pino(
    {
      level: options.debug ? 'debug' : 'info',
      customLevels,
      useOnlyCustomLevels: true,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => print(line) },
  ) as unknown as Pino<Level>;
  let lost = 0;
  const print = (line: string): void => {
    const { level, msg } = JSON.parse(line) as LogRecord;
    for (const sink of options.sinks) sink.write(level, `[${level.toUpperCase()}] ${msg}`);
    if (options.console === undefined) return;
    const text = options.format === 'json' ? line : `${consoleLine(level, msg)}\n`;
    if (!options.console[streamFor(level, options.personality)](text)) lost += 1;
    else if (lost > 0) {
      const count = lost;
      lost = 0;
      records.warning({}, `${count} lines before this could not be written here`);
    }
  };
  return { log: (level, text, facts) => records[level](facts ?? {}, text) };
}

/**
 * ucarp prints what is worth a warning to stderr and the rest to stdout; tscarp everything to
 * stderr.
 */
function streamFor(level: Level, personality: Personality): keyof Console {
  const isQuiet = level === 'info' || level === 'debug';
  return personality === 'ucarp' && isQuiet ? 'stdout' : 'stderr';
}

/** `at` is in milliseconds since 1970. */
export function consoleLine(level: Level, text: string, at: number = timeOfDay()): string {
  return `${localTimestamp(at)}: [${level.toUpperCase()}] ${text}`;
}

let origin = performance.timeOrigin;
const tolerance = 2; // milliseconds; Date.now() counts whole ones

/**
 * The time of day in milliseconds, with microseconds; follows the wall clock when it is stepped.
 * That the process was held up between two looks at clocks is no step.
 */
function timeOfDay(): number {
  const before = performance.now();
  const coarse = Date.now();
  const after = performance.now();
  const isStepped = origin + before > coarse + tolerance || origin + after < coarse - tolerance;
  if (isStepped) origin = coarse - after;
  return origin + after;
}

/** ucarp's: local time with microseconds and no zone. */
function localTimestamp(milliseconds: number): string {
  const microseconds = Math.round(milliseconds * 1000);
  const fraction = microseconds % 1_000_000;
  const at = new Date((microseconds - fraction) / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  return `${date}T${time}.${String(fraction).padStart(6, '0')}`;
}

/**
 * A console that is full, closed or gone (a terminal that was hung up, a disk without space) must
 * neither stop nor end the daemon: the line is lost.
 */
export function writeLine(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // There is nowhere left to say so.
  }
}
