// `tscarp lab`: a failover to watch, on this machine, in a quarter of a minute.

import yargs from 'yargs';
import { type Fault, type Findings, faults, type LabEvent, runFailover } from '../lab/failover.js';
import { requireNetworks } from '../lab/network.js';
import { Story } from '../lab/story.js';
import { NetError } from '../net/errors.js';

export interface LabIo {
  /** The daemon: interpreter and script, without arguments. */
  readonly program: readonly string[];
  readonly stdout: {
    readonly isTTY?: boolean;
    write(text: string): unknown;
    on(event: 'error', listener: () => void): unknown;
  };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface LabLine {
  readonly fault: Fault;
  readonly json: boolean;
}

const failed = 1;
const badOption = 2;

/** `argv` is what follows the word `lab`; resolves with the exit status. */
export async function lab(argv: readonly string[], io: LabIo): Promise<number> {
  const line = await readLine(argv, io);
  if (typeof line === 'number') return line;
  const unread = new AbortController();
  const { signal } = unread;
  // Who reads along a pipe may stop reading (`| head`).
  io.stdout.on('error', () => unread.abort());
  try {
    await requireNetworks(line.fault === 'split' ? ['ping', 'nft'] : ['ping']);
    const findings = await (line.json ? tellJson(line, io, signal) : tellStory(line, io, signal));
    return findings.ok ? 0 : failed;
  } catch (error) {
    if (signal.aborted) return failed;
    if (!(error instanceof NetError)) throw error;
    io.stderr.write(`tscarp lab: ${error.message}\n`);
    return failed;
  }
}

async function readLine(argv: readonly string[], io: LabIo): Promise<LabLine | number> {
  let help = '';
  let problem: string | undefined;
  const parser = yargs()
    .scriptName('tscarp lab')
    .usage(
      'Usage: $0 [--break FAULT] [--json]\n\n' +
        'Builds a switch, two hosts and a client in network namespaces of this machine, lets\n' +
        'two real tscarp daemons share an address, breaks one of them, and shows what the\n' +
        'client notices.\n' +
        'Needs root; takes about 15 seconds and leaves nothing behind.',
    )
    .option('break', {
      describe:
        'what happens to host a: it dies (host), its cable is pulled (cable), the switch cuts\n' +
        'it off while its link stays up (split), tscarp is stopped (term) or killed (kill)',
      type: 'string',
      default: 'host',
      requiresArg: true,
      coerce: readFault,
    })
    .option('json', {
      describe: 'one JSON object a line: every event, then a summary',
      type: 'boolean',
      default: false,
    })
    .alias('help', 'h')
    .version(false)
    .locale('en')
    .wrap(100)
    .strict()
    .exitProcess(false);
  const given = await parser.parseAsync([...argv], {}, (error, _given, output) => {
    if (error) problem = error.message;
    else help = output;
  });
  if (problem !== undefined) {
    io.stderr.write(`tscarp lab: ${problem}\nTry "tscarp lab --help".\n`);
    return badOption;
  }
  if (help !== '') {
    io.stdout.write(`${help}\n`);
    return 0;
  }
  return { fault: given.break, json: given.json };
}

function readFault(text: unknown): Fault {
  const fault = faults.find((known) => known === text);
  if (fault !== undefined) return fault;
  const known = faults.join(', ');
  throw new Error(`--break takes one of ${known}, and not "${String(text)}".`);
}

async function tellJson({ fault }: LabLine, io: LabIo, signal: AbortSignal): Promise<Findings> {
  const write = (value: object): unknown => io.stdout.write(`${JSON.stringify(value)}\n`);
  const findings = await runFailover({ fault, program: io.program, tell: write, signal });
  write({ event: 'summary', ...findings });
  return findings;
}

async function tellStory({ fault }: LabLine, io: LabIo, signal: AbortSignal): Promise<Findings> {
  const live = io.stdout.isTTY === true && io.env['TERM'] !== 'dumb';
  const colour = live && (io.env['NO_COLOR'] ?? '') === '';
  const story = new Story({ write: (text) => io.stdout.write(text), live, colour });
  story.opening();
  let silentMs: () => number | undefined = () => undefined;
  const ticking = setInterval(() => story.tick(silentMs()), 100);
  try {
    const findings = await runFailover({
      fault,
      program: io.program,
      signal,
      tell: (event: LabEvent) => story.tell(event),
      watch: (ask) => {
        silentMs = ask;
      },
    });
    story.closing(findings);
    return findings;
  } finally {
    clearInterval(ticking);
  }
}
