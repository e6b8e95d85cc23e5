// tcpdump in a host of the network: every time that the bench reports of the wire is the kernel's,
// noted when the frame passed that host's interface, going in or out.

import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../../src/lab/host.js';
import { until } from '../../src/lab/until.js';
import { PcapReader } from '../../src/protocol/pcap.js';
import { type FrameFacts, inspect } from './frames.js';

export interface Seen extends FrameFacts {
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
}

export interface Capture {
  /** Ends it and answers with all that was seen, in order. */
  stop(): Promise<readonly Seen[]>;
}

// libpcap hands over a block of frames when it is full or after this time; what is not handed over
// when tcpdump is stopped is lost.
const flushMs = 1_200;

/** Captures into a file what the filter, in tcpdump's language, lets through. */
export async function startCapture(host: Host, file: string, filter: string): Promise<Capture> {
  const options = ['-i', 'eth0', '-n', '-s', '96', '--time-stamp-precision=nano', '-Z', 'root'];
  const tcpdump = host.launch(['tcpdump', ...options, '-w', file, filter]);
  const ready = (): boolean => {
    if (tcpdump.exit !== undefined) throw new Error(`tcpdump has ended: ${tcpdump.text()}`);
    return /listening on/.test(tcpdump.text());
  };
  await until('tcpdump listens', 5_000, ready, { everyMs: 10 });
  return {
    stop: async () => {
      await delay(flushMs);
      tcpdump.signal('SIGINT');
      await tcpdump.exited;
      const dropped = /(\d+) packets? dropped by kernel/.exec(tcpdump.text())?.[1] ?? '0';
      if (dropped !== '0') throw new Error(`tcpdump missed ${dropped} frames`);
      return readCapture(file);
    },
  };
}

async function readCapture(file: string): Promise<readonly Seen[]> {
  const reader = new PcapReader();
  const records = reader.push(await readFile(file));
  const problem = reader.end();
  if (problem !== undefined) throw new Error(`The capture cannot be read: ${problem}`);
  return records.map(({ time, bytes }) => ({ at: Number(time) / 1e6, ...inspect(bytes) }));
}
