// What status, demote and promote have in common: their options, and finding the daemons they speak
// to.

import { basename } from 'node:path';
import yargs from 'yargs';
import { ask, type Command, isNobody, listSockets, type Reply } from '../daemon/control.js';
import type { Status } from '../daemon/status.js';
import { readCNumber } from './c-number.js';
import { defaultRunDir } from './options.js';
import { print } from './print.js';

export interface Selection {
  readonly vhid: number | undefined;
  readonly interface: string | undefined;
  readonly runDir: string;
  readonly json: boolean;
}

export type SelectionLine =
  | { readonly type: 'selection'; readonly selection: Selection }
  | { readonly type: 'exit'; readonly status: number; readonly text: string };

/** Reads `[--vhid N] [--if IF] [--run-dir DIR] [--json]`. */
export async function readSelection(
  name: string,
  describe: string,
  argv: readonly string[],
): Promise<SelectionLine> {
  const problems: string[] = [];
  let help = '';
  const parser = yargs()
    .scriptName(`tscarp ${name}`)
    .usage(`$0 [--vhid N] [--if IF] [--run-dir DIR] [--json]\n\n${describe}`)
    .option('vhid', {
      alias: 'v',
      type: 'string',
      requiresArg: true,
      describe: 'only this virtual host id',
    })
    .option('if', {
      alias: ['i', 'interface'],
      type: 'string',
      requiresArg: true,
      describe: 'only this interface, named as the daemon was given it',
    })
    .option('run-dir', {
      type: 'string',
      requiresArg: true,
      default: process.env['TSCARP_RUN_DIR'] || defaultRunDir,
      describe: "where the daemons' control sockets are",
    })
    .option('json', { type: 'boolean', describe: 'print JSON' })
    .strict()
    .demandCommand(0, 0, undefined, 'takes no words but options')
    .parserConfiguration({ 'duplicate-arguments-array': false })
    .alias('help', 'h')
    .version(false)
    .exitProcess(false)
    .fail((message, error) => {
      problems.push(message ?? error.message);
    });
  const args = await parser.parseAsync([...argv], {}, (_error, _args, output) => {
    help = output;
  });
  const vhid = args.vhid === undefined ? undefined : readVhid(args.vhid);
  if (vhid !== undefined && !(vhid >= 1 && vhid <= 255)) {
    problems.push(
      `--vhid "${args.vhid}" is not a virtual host id: expected a number from 1 to 255`,
    );
  }
  if (problems.length > 0) {
    const text = problems.map((problem) => `tscarp ${name}: ${problem}\n`).join('');
    return { type: 'exit', status: 2, text };
  }
  if (args['help'] === true) return { type: 'exit', status: 0, text: `${help}\n` };
  const { json = false, runDir } = args;
  return { type: 'selection', selection: { vhid, interface: args.if, runDir, json } };
}

/** Help is what was asked for; a problem is not. */
export function showLine({ status, text }: Extract<SelectionLine, { type: 'exit' }>): void {
  if (status === 0) print(text);
  else process.stderr.write(text);
}

export interface Found {
  readonly path: string;
  readonly status: Status;
}

export interface Search {
  /** In the order of their vhids and interfaces. */
  readonly found: readonly Found[];
  /** Why others could not be asked, a sentence each. */
  readonly problems: readonly string[];
}

/** As the daemon reads it: 010 is 8. NaN for what is no number. */
function readVhid(text: string): number {
  const { value, digits, rest, negative } = readCNumber(text);
  return digits === '' || rest !== '' || negative ? Number.NaN : Number(value);
}

/**
 * The living daemons of the run directory that the selection means. Dead sockets are passed over.
 */
export async function findInstances(selection: Selection): Promise<Search> {
  let paths: readonly string[];
  try {
    paths = listSockets(selection.runDir).filter((path) => isMeant(path, selection));
  } catch (error) {
    return { found: [], problems: [explain(error as Error)] };
  }
  const problems: string[] = [];
  const answers = await Promise.all(
    paths.map(async (path): Promise<Found | undefined> => {
      try {
        const reply = await ask(path, 'status');
        if (reply.ok) return { path, status: reply.status };
        problems.push(`${basename(path)}: ${reply.error}`);
      } catch (error) {
        if (!isNobody(error)) problems.push(`${basename(path)}: ${explain(error as Error)}`);
      }
      return undefined;
    }),
  );
  const found = answers.filter((one) => one !== undefined).sort(byVhid);
  return { found, problems: problems.sort() };
}

/** By the name alone, so that a daemon that nobody asked about cannot be in the way. */
function isMeant(path: string, { vhid, interface: name }: Selection): boolean {
  const [, ofVhid, ofName] = /^(\d+)@(.*)\.sock$/.exec(basename(path)) ?? [];
  return (vhid === undefined || ofVhid === String(vhid)) && (name === undefined || ofName === name);
}

function byVhid({ status: a }: Found, { status: b }: Found): number {
  return a.vhid - b.vhid || (a.interface < b.interface ? -1 : 1);
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code !== 'EACCES') return error.message;
  return 'permission denied; the control socket is open to root and its group only (try sudo)';
}

export function order(found: Found, command: Command): Promise<Reply> {
  return ask(found.path, command);
}

/** In words, for when there is nobody to speak to. */
export function nothingRuns({ vhid, interface: name, runDir }: Selection): string {
  const which = [
    vhid === undefined ? '' : ` with vhid ${vhid}`,
    name === undefined ? '' : ` on ${name}`,
  ].join('');
  return `no tscarp${which} runs here (no control socket answers in ${runDir})`;
}
