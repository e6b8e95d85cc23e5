// Runs in a process of its own, in the network namespace of one host: a link under test, or a tap
// that sees and sends every frame. Commands come as lines of JSON, { id, name, ... }; answers go
// the same way.

import { readdirSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { NetError } from '../../src/net/errors.js';
import { openCapture } from '../../src/net/linux/capture.js';
import { assemble } from '../../src/net/linux/filter.js';
import { interfaces, readInterface } from '../../src/net/linux/interfaces.js';
import { loadBackend } from '../../src/net/linux/open-link.js';
import { PacketSocket } from '../../src/net/linux/packet-socket.js';
import type { Backend, Link, LinkEvents, LinkOptions, Subscription } from '../../src/net/ports.js';
import type { Ipv4 } from '../../src/protocol/address.js';

interface Command {
  readonly id: number;
  readonly name: string;
  readonly device: string;
  readonly backend: Backend;
  readonly groups: readonly Ipv4[];
  readonly frame: string;
  readonly count: number;
  readonly milliseconds: number;
}

const kept = 1000;
/** All but IGMP, which the kernel sends on its own. */
const tapped = assemble([
  [0x28, 0, 0, 12],
  [0x15, 0, 2, 0x0800],
  [0x30, 0, 0, 23],
  [0x15, 1, 0, 2],
  [0x06, 0, 0, 0x40000],
  [0x06, 0, 0, 0],
]);

/** Converted only when asked for: the bytes must stay what they are. */
let frames: Uint8Array[] = [];
let heard = 0;
let failing = false;
/** How long each frame takes to deal with. */
let workMs = 0;
let onHeard = (): void => undefined;
const reports: unknown[] = [];
let link: Link | undefined;
let tap: PacketSocket | undefined;
const subscriptions: Subscription[] = [];
/** Nothing can bring this process back to where it began. */
let spent = false;

const events: LinkEvents = {
  frame: (bytes) => {
    heard += 1;
    for (const start = performance.now(); performance.now() - start < workMs; );
    if (heard <= kept) frames.push(bytes);
    onHeard();
    if (!failing) return;
    failing = false;
    throw new Error('the next frame was to fail');
  },
  // An interface that goes down is trouble as well, and no surprise here.
  trouble: (error) => reports.push({ trouble: error.message }),
};

const commands: Readonly<Record<string, (command: Command) => unknown>> = {
  open: async ({ backend, device, groups }) => {
    link = (await loadBackend(backend))({ device, groups }, events);
  },
  send: ({ frame }) => (tap ?? link)?.send(Buffer.from(frame, 'hex')),
  refresh: () => link?.refresh(),
  close: () => link?.close(),
  /** The callback of the next frame throws; what comes of it is reported. */
  fail: () => {
    failing = true;
    process.once('uncaughtException', (error) => reports.push({ uncaught: error.message }));
  },
  slow: ({ milliseconds }) => {
    workMs = milliseconds;
    spent = true;
  },
  /** The link goes on although nothing of this program refers to it. */
  abandon: () => {
    link = undefined;
    spent = true;
  },
  /** Refreshes after every change, as the daemon does. */
  follow: ({ device }) => {
    const subscription = interfaces.watch(device, () => {
      try {
        link?.refresh();
      } catch (error) {
        reports.push({ trouble: (error as Error).message });
      }
    });
    subscriptions.push(subscription);
  },
  tap: ({ device }) => {
    const facts = readInterface(device);
    if (facts === undefined) throw new Error(`no ${device}`);
    tap = new PacketSocket({ facts, filter: tapped, groups: 'all', ...events });
  },
  capture: ({ device }) => {
    const subscription = openCapture(
      device === '' ? undefined : device,
      (bytes, time) => {
        const now = BigInt(Date.now()) * 1_000_000n;
        reports.push({ frame: Buffer.from(bytes).toString('hex'), lateNs: Number(now - time) });
      },
      (error) => reports.push({ trouble: error.message }),
    );
    subscriptions.push(subscription);
  },
  watch: ({ device }) => {
    subscriptions.push(interfaces.watch(device, (facts) => reports.push(facts ?? null)));
  },
  facts: ({ device }) => interfaces.read(device) ?? null,
  reports: () => reports,
  clear,
  /** Closes everything; false when a new process must be started for the next test. */
  reset: () => {
    link?.close();
    for (const subscription of subscriptions.splice(0)) subscription.close();
    reports.length = 0;
    clear();
    return !spent;
  },
  frames: ({ count, milliseconds }) => waitForFrames(count, milliseconds),
  heard: () => heard,
  flood: ({ frame, count, milliseconds }) => flood(Buffer.from(frame, 'hex'), count, milliseconds),
  gap: ({ milliseconds }) => worstGap(milliseconds),
  /** Answers at once, then blocks the event loop, as a program does that is busy elsewhere. */
  stall: ({ milliseconds }) => {
    setImmediate(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
    });
  },
  collect: () => globalThis.gc?.(),
  descriptors: () => readdirSync('/proc/self/fd').length,
  cycle: ({ backend, device, groups, count }) => cycle(backend, { device, groups }, count),
  drop: () => {
    spent = true;
    process.setgroups?.([]);
    process.setgid?.(65534);
    process.setuid?.(65534);
  },
};

function clear(): void {
  frames = [];
  heard = 0;
}

function waitForFrames(count: number, milliseconds: number): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      onHeard = () => undefined;
      resolve(frames.map((bytes) => Buffer.from(bytes).toString('hex')));
    };
    const timer = setTimeout(finish, milliseconds);
    onHeard = () => {
      if (heard >= count) finish();
    };
    onHeard();
  });
}

/** Sends so many frames a second, in portions; answers how many went out. */
async function flood(frame: Uint8Array, perSecond: number, milliseconds: number): Promise<number> {
  const start = performance.now();
  let sent = 0;
  for (;;) {
    const passed = performance.now() - start;
    if (passed >= milliseconds) return sent;
    for (; sent < (passed * perSecond) / 1000; sent += 1) tap?.send(frame);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The longest time between two rings of a 50 ms timer, in milliseconds. */
function worstGap(milliseconds: number): Promise<number> {
  return new Promise((resolve) => {
    const start = performance.now();
    let last = start;
    let worst = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      worst = Math.max(worst, now - last);
      last = now;
      if (now - start < milliseconds) return;
      clearInterval(timer);
      resolve(worst);
    }, 50);
  });
}

/**
 * Opens and closes so many times, with time enough between for what has arrived to be delivered.
 */
async function cycle(backend: Backend, options: LinkOptions, count: number): Promise<void> {
  const open = await loadBackend(backend);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (let round = 0; round < count; round += 1) {
    const opened = open(options, events);
    await turn();
    await turn();
    opened.close();
    opened.close();
    if (round % 10 === 0) globalThis.gc?.();
    // Handles are released in the next turns of the event loop.
    await turn();
  }
}

async function obey(line: string): Promise<void> {
  const command = JSON.parse(line) as Command;
  let answer: object;
  try {
    const value = await commands[command.name]?.(command);
    answer = { id: command.id, value };
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
