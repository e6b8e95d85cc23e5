// Time as whole microseconds, in two types that cannot be mixed up: an Instant is a point on the
// monotonic clock (its zero means nothing), a Duration is a distance between two of them.

declare const instant: unique symbol;
declare const duration: unique symbol;

/** A point in time: whole microseconds of a monotonic clock with an arbitrary zero. */
export type Instant = number & { readonly [instant]: true };

/** A length of time in whole microseconds. */
export type Duration = number & { readonly [duration]: true };

export function instantFromMicroseconds(us: number): Instant {
  return Math.trunc(us) as Instant;
}

export function microseconds(us: number): Duration {
  return Math.trunc(us) as Duration;
}

export function milliseconds(ms: number): Duration {
  return microseconds(ms * 1_000);
}

export function seconds(s: number): Duration {
  return microseconds(s * 1_000_000);
}

export function toMilliseconds(length: Duration): number {
  return length / 1_000;
}

export function later(at: Instant, by: Duration): Instant {
  return (at + by) as Instant;
}

/** How long it is from one instant to another; negative when `to` lies before `from`. */
export function between(from: Instant, to: Instant): Duration {
  return (to - from) as Duration;
}

/** The earliest of those that are set; undefined when none is. */
export function earliest(...candidates: readonly (Instant | undefined)[]): Instant | undefined {
  let first: Instant | undefined;
  for (const candidate of candidates) {
    if (candidate !== undefined && (first === undefined || candidate < first)) first = candidate;
  }
  return first;
}
