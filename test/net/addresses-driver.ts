// Runs in a process of its own, in a network namespace: the addresses under test, and the children
// that they work through. Commands come as lines of JSON, { id, name, ... }; answers go the same
// way.

import { readdirSync, readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { NetError } from '../../src/net/errors.js';
import { openAddresses } from '../../src/net/linux/addresses.js';
import type { ManagedAddress } from '../../src/net/ports.js';

interface Command {
  readonly id: number;
  readonly name: string;
  readonly address: ManagedAddress;
  readonly signal: NodeJS.Signals;
}

let addresses = openAddresses();

const commands: Readonly<Record<string, (command: Command) => unknown>> = {
  add: ({ address }) => addresses.add(address),
  remove: ({ address }) => addresses.remove(address),
  isLocal: ({ address: { cidr } }) => addresses.isLocal(cidr.address),
  mayChange: ({ address: { device } }) => addresses.mayChange(device),
  list: () => addresses.list(),
  defaultRoute: async () => (await addresses.defaultRoute()) ?? null,
  close: () => addresses.close(),
  reopen: () => {
    addresses.close();
    addresses = openAddresses();
  },
  children,
  signal: ({ signal }) => {
    for (const child of children()) process.kill(child, signal);
  },
  /** Gives every right up, for good. */
  drop: () => {
    process.setgroups?.([]);
    process.setgid?.(65534);
    process.setuid?.(65534);
  },
};

/** The process ids of our children that live. */
function children(): readonly number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      const [state, parent] = statusOf(pid);
      return Number(parent) === process.pid && state !== 'Z';
    } catch {
      return false; // It has ended meanwhile.
    }
  });
}

/** What follows the name in brackets, which may contain anything. */
function statusOf(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

async function obey(line: string): Promise<void> {
  const command = JSON.parse(line) as Command;
  let answer: object;
  try {
    answer = { id: command.id, value: await commands[command.name]?.(command) };
  } catch (error) {
    const code = error instanceof NetError ? error.code : 'unexpected';
    answer = { id: command.id, error: { code, message: String((error as Error).message) } };
  }
  writeSync(1, `${JSON.stringify(answer)}\n`);
}

// Its end is the sign to go, whoever was at the other end.
createInterface({ input: process.stdin })
  .on('line', (line) => void obey(line))
  .on('close', () => process.exit(0));
