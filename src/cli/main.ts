// Finds the subcommand that the first word names; everything else is the daemon's own command line.

import { writeLine } from '../daemon/log.js';
import type { Ending } from '../daemon/run.js';
import type { Identity } from './identity.js';
import { runDaemon } from './run.js';
import { similar } from './similar.js';

type Subcommand = (argv: readonly string[], script: string) => Promise<number>;

/** Loaded when called: the daemon must start fast and needs none of them. */
const subcommands: ReadonlyMap<string, () => Promise<Subcommand>> = new Map([
  ['status', async () => (await import('./status.js')).statusCommand],
  ['demote', async () => (await import('./role.js')).demoteCommand],
  ['promote', async () => (await import('./role.js')).promoteCommand],
  ['sniff', async () => sniffLive],
  ['lab', loadLab],
]);

export async function main(
  argv: readonly string[],
  script: string,
  identity: Identity,
): Promise<Ending> {
  const [first] = argv;
  const isWord = first !== undefined && !first.startsWith('-');
  if (identity.personality === 'ucarp' || !isWord) return runDaemon(argv, script, identity);
  const load = subcommands.get(first);
  if (load === undefined) return { status: unknownCommand(first, identity.programName) };
  try {
    leaveGoneFolder();
    const command = await load();
    return { status: await command(argv.slice(1), script) };
  } catch (error) {
    // Not 1, which means something else: not master.
    writeLine(2, `${identity.programName} ${first}: ${(error as Error).message}\n`);
    return { status: 2 };
  }
}

/** yargs looks at the current directory, and where that was removed it would throw. */
function leaveGoneFolder(): void {
  try {
    process.cwd();
  } catch {
    process.chdir('/');
  }
}

async function loadLab(): Promise<Subcommand> {
  const { lab } = await import('./lab.js');
  const { stdout, stderr, env } = process;
  return (argv, script) => lab(argv, { program: [process.execPath, script], stdout, stderr, env });
}

async function sniffLive(argv: readonly string[]): Promise<number> {
  const { sniff } = await import('./sniff.js');
  const ending = new AbortController();
  let problem: Error | undefined;
  // Who reads along a pipe may stop reading (`| head`): that is an end and not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') problem = error;
    ending.abort();
  });
  const status = await sniff(argv, {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    isTty: process.stdout.isTTY === true,
    openLive: async (device, onFrame) => {
      const { openCapture } = await import('../net/linux/capture.js');
      // A file is left to the signals' default: whoever waits for it to be opened hears no handler.
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.on(signal, () => ending.abort());
      }
      return openCapture(device, onFrame, (error) => {
        process.stderr.write(`tscarp sniff: ${error.message}\n`);
      });
    },
    signal: ending.signal,
  });
  if (problem === undefined) return status;
  writeLine(2, `tscarp sniff: cannot write: ${problem.message}\n`);
  return 1;
}

function unknownCommand(word: string, programName: string): number {
  const known = [...subcommands.keys()];
  const guess = similar(word, known);
  const hint =
    guess === undefined
      ? `expected one of ${known.join(', ')}, or options`
      : `did you mean ${guess}?`;
  writeLine(2, `${programName}: there is no command "${word}": ${hint}\n`);
  return 2;
}
