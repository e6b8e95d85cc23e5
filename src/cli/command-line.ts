// The daemon's command line: words in; a complete configuration, or what to print and how to exit,
// out. Reads no file, clock or environment but what it is handed.

import { type CommandLine, type LineContext, readLine } from './line.js';
import { readTscarpLine } from './tscarp-line.js';
import { readUcarpLine } from './ucarp-line.js';

export type { CommandLine, LineContext, Message } from './line.js';

/** `argv` is without interpreter and script. */
export function parseCommandLine(argv: readonly string[], context: LineContext): CommandLine {
  const given = readLine(argv, context);
  return context.personality === 'ucarp'
    ? readUcarpLine(given, context)
    : readTscarpLine(given, context);
}
