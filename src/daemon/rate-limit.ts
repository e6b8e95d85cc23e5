// Lets about one event of a kind through per second and counts the rest, so that a flood cannot
// fill a log.

import type { Clock } from '../net/ports.js';
import { between, type Instant, milliseconds } from '../protocol/units.js';

/** Less than the usual interval of advertisements: each of a peer's own has its line. */
const spacing = milliseconds(900);
const kindLimit = 64; // kinds are few; a bound all the same

export type Allowance = { readonly ok: true; readonly suppressed: number } | { readonly ok: false };

export class RateLimit {
  readonly #clock: Clock;
  readonly #kinds = new Map<string, { at: Instant; suppressed: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one of this kind may pass now, and how many did not since the last that did. */
  allow(kind: string): Allowance {
    const now = this.#clock.now();
    const known = this.#kinds.get(kind);
    if (known !== undefined && between(known.at, now) < spacing) {
      known.suppressed += 1;
      return { ok: false };
    }
    if (known === undefined && this.#kinds.size >= kindLimit) this.#kinds.clear();
    this.#kinds.set(kind, { at: now, suppressed: 0 });
    return { ok: true, suppressed: known?.suppressed ?? 0 };
  }
}
