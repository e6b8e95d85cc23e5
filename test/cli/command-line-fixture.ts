// A context for parseCommandLine with files in memory, and shorthands for what comes out of it.

import {
  type CommandLine,
  type LineContext,
  parseCommandLine,
} from '../../src/cli/command-line.js';
import type { Config } from '../../src/daemon/config.js';

/** Contents by path; a string that begins with E is the error code of reading it. */
type FakeFiles = Readonly<Record<string, string>>;

export interface Surroundings {
  readonly personality?: 'ucarp' | 'tscarp';
  readonly programName?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: FakeFiles;
  readonly modes?: Readonly<Record<string, number>>;
  readonly rawArgv?: readonly Uint8Array[];
}

function contextOf(surroundings: Surroundings): LineContext {
  const { personality = 'tscarp', env = {}, files = {}, modes = {}, rawArgv } = surroundings;
  return {
    personality,
    programName: surroundings.programName ?? personality,
    version: '1.2.3',
    env,
    readFile: (path) => {
      const content = files[path] ?? 'ENOENT';
      if (/^E[A-Z]+$/.test(content)) throw Object.assign(new Error(content), { code: content });
      return Buffer.from(content);
    },
    statMode: (path) => modes[path] ?? 0o100600,
    now: () => new Date(2026, 10, 22, 9, 5, 7).getTime() + 89.012,
    ...(rawArgv === undefined ? {} : { rawArgv }),
  };
}

export function parse(argv: readonly string[], surroundings: Surroundings = {}): CommandLine {
  return parseCommandLine(argv, contextOf(surroundings));
}

/** The configuration of a line that must be accepted. */
export function config(argv: readonly string[], surroundings: Surroundings = {}): Config {
  const line = parse(argv, surroundings);
  if (line.type !== 'run') throw new Error(line.output.map(({ text }) => text).join(''));
  return line.config;
}

export interface Refusal {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a line prints and returns that must not lead to a running daemon. */
export function refusal(argv: readonly string[], surroundings: Surroundings = {}): Refusal {
  const line = parse(argv, surroundings);
  if (line.type !== 'exit') throw new Error('the line was accepted');
  const on = (wanted: string): string => {
    return line.output.flatMap(({ stream, text }) => (stream === wanted ? [text] : [])).join('');
  };
  return { status: line.status, stdout: on('stdout'), stderr: on('stderr') };
}

/** Levels and texts of the messages. */
export function messages(argv: readonly string[], surroundings: Surroundings = {}): string[] {
  return parse(argv, surroundings).messages.map(({ level, text }) => `${level}: ${text}`);
}
