// `tscarp status`: what every instance on this host does, since when and why.

import type { HeardMaster, Status } from '../daemon/status.js';
import { findInstances, nothingRuns, readSelection, showLine } from './instances.js';
import { print } from './print.js';
import { formatTable } from './table.js';

const masterOfAll = 0;
const notMasterOfAll = 1;
const cannotAsk = 2;
const nothing = 3;

export async function statusCommand(argv: readonly string[]): Promise<number> {
  const describe =
    'Shows the instances of this host. Exit status: 0 master of all, 1 not master of all, ' +
    '2 cannot ask, 3 none runs.';
  const line = await readSelection('status', describe, argv);
  if (line.type === 'exit') {
    showLine(line);
    return line.status;
  }
  const { selection } = line;
  const { found, problems } = await findInstances(selection);
  const statuses = found.map(({ status }) => status);
  if (selection.json) print(`${JSON.stringify(statuses, undefined, 2)}\n`);
  else if (statuses.length > 0) print(describeAll(statuses));
  for (const problem of problems) process.stderr.write(`tscarp status: ${problem}\n`);
  if (problems.length > 0) return cannotAsk;
  if (statuses.length === 0) {
    process.stderr.write(`tscarp status: ${nothingRuns(selection)}\n`);
    return nothing;
  }
  return statuses.every(({ state }) => state === 'master') ? masterOfAll : notMasterOfAll;
}

function describeAll(statuses: readonly Status[]): string {
  const head = [
    'VHID',
    'INTERFACE',
    'STATE',
    'SINCE',
    'ADDRESSES',
    'OTHER MASTER',
    'WHY',
    'DROPPED',
  ];
  return formatTable([head, ...statuses.map(row)]);
}

function row(status: Status): readonly string[] {
  return [
    String(status.vhid),
    status.interface,
    status.state.toUpperCase(),
    localTime(new Date(status.since)),
    status.addresses.join(', '),
    describeMaster(status.master),
    describeReason(status),
    describeDrops(status),
  ];
}

function localTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function describeMaster(master: HeardMaster | null): string {
  if (master === null) return 'never heard';
  const { address, advbase, advskew, age } = master;
  const said = advbase === 255 && advskew === 255 ? 'said goodbye' : `${advbase}/${advskew}`;
  return `${address} ${said}, ${describeAge(age)} ago`;
}

function describeAge(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  if (seconds < 100 * 60) return `${Math.floor(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

function describeReason({ reason, master }: Status): string {
  if (reason === 'master-down' && master === null) return 'no master was heard';
  return reasons[reason] ?? reason;
}

function describeDrops({ counters }: Status): string {
  const dropped = Object.entries(counters.dropped).filter(([, count]) => count > 0);
  return dropped.map(([reason, count]) => `${reason} ${count}`).join(', ') || 'none';
}

/** The reasons of the state machine in words. */
const reasons: Readonly<Record<string, string>> = {
  start: 'started',
  'link-up': 'the link came up',
  'link-down': 'no link',
  'master-down': 'the master fell silent',
  goodbye: 'the master said goodbye',
  'too-slow': 'the master advertises too slowly',
  preempt: 'better than the master heard',
  promoted: 'promoted by an operator',
  demoted: 'demoted by an operator',
  'preferred-master': 'a better master was heard',
  shutdown: 'it is being stopped',
};
