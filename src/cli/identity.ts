// How this process is found and seen by others: its name, and its argument vector without the
// password.

import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Personality } from '../daemon/config.js';
import { maskedArgv } from './secrets.js';

export interface Identity {
  /** argv[0] as messages begin with it: the name of the link or file that was called. */
  readonly programName: string;
  readonly personality: Personality;
  /** The words after the script as the kernel has them: a password need not be UTF-8. */
  readonly rawArgv: readonly Uint8Array[];
}

/** `script` is the path that node runs, links not resolved. Must be called before `disguise`. */
export function identify(script: string, argv: readonly string[]): Identity {
  const programName = basename(script).replace(/\.js$/, '');
  return {
    programName,
    personality: programName === 'ucarp' ? 'ucarp' : 'tscarp',
    rawArgv: argv.length === 0 ? [] : rawArguments().slice(-argv.length),
  };
}

/**
 * Overwrites the argument vector that ps shows with the path that was called and its arguments,
 * then sets the bare name: so `pgrep -f 'ucarp.*vhid=1'`, with or without the path, and `pidof
 * ucarp` go on working, and the password is gone. It is shorter than the original vector, which
 * began with the interpreter, and so it fits.
 */
export function disguise({ programName }: Identity, script: string, argv: readonly string[]): void {
  process.title = [script, ...maskedArgv(argv)].join(' ');
  try {
    writeFileSync('/proc/self/comm', programName);
  } catch {
    // Without /proc nobody can look us up by name either.
  }
}

/** Of this process, from the interpreter on. */
function rawArguments(): readonly Uint8Array[] {
  try {
    const bytes = readFileSync('/proc/self/cmdline');
    const words: Uint8Array[] = [];
    for (let from = 0; from < bytes.length; ) {
      const end = bytes.indexOf(0, from);
      const to = end < 0 ? bytes.length : end;
      words.push(bytes.subarray(from, to));
      from = to + 1;
    }
    return words;
  } catch {
    return [];
  }
}
