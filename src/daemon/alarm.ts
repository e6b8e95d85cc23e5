// One alarm for a process: rings once, at the instant it was last set to or soon after.

import type { Clock } from '../net/ports.js';
import { between, type Instant, toMilliseconds } from '../protocol/units.js';

const longestTimer = 2 ** 31 - 1; // milliseconds that setTimeout takes

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at: Instant | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Undefined switches it off. */
  set(at: Instant | undefined): void {
    if (at === this.#at && this.#timer !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = at;
    if (at !== undefined) this.#arm(at);
  }

  #arm(at: Instant): void {
    const wait = Math.max(0, Math.floor(toMilliseconds(between(this.#clock.now(), at))));
    this.#timer = setTimeout(() => this.#elapsed(at), Math.min(wait, longestTimer));
  }

  /** Node's timers count whole milliseconds and may ring one early: then the rest is waited for. */
  #elapsed(at: Instant): void {
    if (this.#clock.now() < at) {
      this.#arm(at);
      return;
    }
    this.#timer = undefined;
    this.#at = undefined;
    this.#ring();
  }
}
