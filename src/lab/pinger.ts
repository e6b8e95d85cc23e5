// A client that asks an address every few milliseconds and knows how long it went without an
// answer.

import type { Program } from './command.js';
import type { Host } from './host.js';

// iputils rounds an interval of 10 ms or more up to whole kernel ticks (16 ms at 250 Hz); below
// that it is exact.
const intervalSeconds = '0.009';

export interface Gap {
  /** Seconds since the epoch, as ping(8) saw it, of the answer that ended the gap. */
  readonly until: number;
  readonly ms: number;
}

export interface Pinger {
  readonly replies: number;
  /** The longest time between two answers, since the beginning or the last `reset`. */
  readonly longestGapMs: number;
  /** How long it is since the last answer; undefined before the first one. */
  readonly silentMs: number | undefined;
  /** Forgets the longest gap: a new phase begins. A gap that is going on counts for it. */
  reset(): void;
  stop(): Promise<void>;
}

export interface PingerOptions {
  /** Told of each pause between two answers of at least `reportFromMs`. */
  readonly onGap?: (gap: Gap) => void;
  /** Told of every answer. */
  readonly onReply?: () => void;
  readonly reportFromMs?: number;
}

/** Pings from the host until stopped. */
export function startPinger(host: Host, address: string, options: PingerOptions = {}): Pinger {
  const { onGap, onReply, reportFromMs = 100 } = options;
  let last: number | undefined;
  let replies = 0;
  let longestGapMs = 0;
  const program: Program = host.launch(['ping', '-n', '-D', '-i', intervalSeconds, address], {
    keepLines: false,
    onLine: ({ text }) => {
      const at = replyTime(text);
      if (at === undefined) return;
      const ms = last === undefined ? 0 : (at - last) * 1000;
      last = at;
      replies += 1;
      longestGapMs = Math.max(longestGapMs, ms);
      if (ms >= reportFromMs) onGap?.({ until: at, ms });
      onReply?.();
    },
  });
  return {
    get replies() {
      return replies;
    },
    get longestGapMs() {
      return longestGapMs;
    },
    get silentMs() {
      return last === undefined ? undefined : Math.max(0, Date.now() - last * 1000);
    },
    reset: () => {
      longestGapMs = 0;
    },
    stop: async () => {
      program.signal('SIGTERM');
      await program.exited;
    },
  };
}

/**
 * `[1700000000.123456] 64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.1 ms`; other lines are
 * errors.
 */
function replyTime(line: string): number | undefined {
  const time = /^\[(\d+\.\d+)\] \d+ bytes from /.exec(line)?.[1];
  return time === undefined ? undefined : Number(time);
}
