// The monotonic clock of the machine. Stepping the wall clock does not move it.

import { type Instant, instantFromMicroseconds } from '../protocol/units.js';
import type { Clock } from './ports.js';

export const monotonicClock: Clock = {
  now: (): Instant => instantFromMicroseconds(Number(process.hrtime.bigint() / 1000n)),
};
