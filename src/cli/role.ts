// `tscarp demote` and `tscarp promote`: an operator moves the role.

import type { Reply } from '../daemon/control.js';
import {
  type Found,
  findInstances,
  nothingRuns,
  order,
  readSelection,
  showLine,
} from './instances.js';
import { print } from './print.js';

export function demoteCommand(argv: readonly string[]): Promise<number> {
  const describe =
    'Makes a master give the role up, as SIGUSR2 does: it says goodbye, so that a backup takes ' +
    'over at once, and leaves the role to others for three seconds.';
  return roleCommand('demote', describe, argv);
}

export function promoteCommand(argv: readonly string[]): Promise<number> {
  const describe =
    'Makes a backup take the role now. Refused while a better master lives, which would take it ' +
    'back at once: demote that one instead.';
  return roleCommand('promote', describe, argv);
}

async function roleCommand(
  command: 'demote' | 'promote',
  describe: string,
  argv: readonly string[],
): Promise<number> {
  const line = await readSelection(command, describe, argv);
  if (line.type === 'exit') {
    showLine(line);
    return line.status;
  }
  const { selection } = line;
  const { found, problems } = await findInstances(selection);
  const outcomes = await Promise.all(found.map((one) => carryOut(one, command)));
  if (selection.json) print(`${JSON.stringify(outcomes, undefined, 2)}\n`);
  else outcomes.forEach(report);
  for (const problem of problems) process.stderr.write(`tscarp ${command}: ${problem}\n`);
  if (problems.length > 0) return 2;
  if (outcomes.length === 0) {
    process.stderr.write(`tscarp ${command}: ${nothingRuns(selection)}\n`);
    return 3;
  }
  return outcomes.every(({ ok }) => ok) ? 0 : 1;
}

interface Outcome {
  readonly vhid: number;
  readonly interface: string;
  readonly ok: boolean;
  readonly text: string;
}

/** One that ends before it has answered has not done it. */
async function carryOut(found: Found, command: 'demote' | 'promote'): Promise<Outcome> {
  const { vhid, interface: name } = found.status;
  const reply = await order(found, command).catch(
    ({ message }: Error): Reply => ({ ok: false, error: message }),
  );
  return { vhid, interface: name, ok: reply.ok, text: reply.ok ? (reply.text ?? '') : reply.error };
}

function report({ vhid, interface: name, ok, text }: Outcome): void {
  if (ok) print(`vhid ${vhid} on ${name}: ${text}\n`);
  else process.stderr.write(`vhid ${vhid} on ${name}: not done: ${text}\n`);
}
