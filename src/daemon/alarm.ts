// One alarm for a process: rings once, at the instant it was last set to or soon after. What had
// arrived by then is heard first: Node rings its timers before it looks at its sockets, so that a
// process that was stopped for a while would take its own deafness for a master's silence.

import type { Clock } from '../net/ports.js';
import { between, type Instant, milliseconds, toMilliseconds } from '../protocol/units.js';

const longestTimer = 2 ** 31 - 1; // milliseconds that setTimeout takes
/** Later than a busy machine makes it: the process was stopped, and much may have arrived. */
const stalled = milliseconds(20);
const turnsAfterStall = 8; // of the event loop, each of which takes a batch of frames

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at: Instant | undefined;
  /** Takes back what was arranged for `#at`. */
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Undefined switches it off. */
  set(at: Instant | undefined): void {
    if (at === this.#at) return;
    this.#cancel();
    this.#at = at;
    if (at !== undefined) this.#arm(at);
  }

  #arm(at: Instant): void {
    const wait = Math.max(0, Math.floor(toMilliseconds(between(this.#clock.now(), at))));
    const timer = setTimeout(() => this.#elapsed(at), Math.min(wait, longestTimer));
    this.#cancel = () => clearTimeout(timer);
  }

  /** Node's timers count whole milliseconds and may ring one early: then the rest is waited for. */
  #elapsed(at: Instant): void {
    const lateness = between(at, this.#clock.now());
    if (lateness < 0) this.#arm(at);
    else this.#listen(lateness > stalled ? turnsAfterStall : 1);
  }

  /** Rings after so many looks at the sockets, unless what came from them sets it anew. */
  #listen(turns: number): void {
    const turn = setImmediate(() => {
      if (turns > 1) this.#listen(turns - 1);
      else {
        this.#at = undefined;
        this.#ring();
      }
    });
    this.#cancel = () => clearImmediate(turn);
  }
}
