// Time that passes only when a test says so. Timers are vitest's fake ones; the clock may be let
// lag behind them, as Node's timers ring early.

import { vi } from 'vitest';
import type { Clock } from '../../src/net/ports.js';
import { type Duration, type Instant, instantFromMicroseconds } from '../../src/protocol/units.js';

export class FakeClock implements Clock {
  #lag = 0;

  /** Takes the timers and the wall clock over until `vi.useRealTimers()`. */
  constructor() {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'Date'],
      now: Date.UTC(2026, 10, 22, 12),
    });
  }

  now(): Instant {
    return instantFromMicroseconds(Date.now() * 1000 - this.#lag);
  }

  /** From now on the clock shows that much less than the timers count with. */
  fallBehind(by: Duration): void {
    this.#lag += by;
  }

  /** Rings what is due on the way, with everything that follows from it. */
  async pass(milliseconds: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(milliseconds);
    // The event loop turns for real: alarms wait for that, and more than once if they are late.
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(0);
  }

  /** Lets everything happen that needs no time. */
  settle(): Promise<void> {
    return this.pass(0);
  }
}
