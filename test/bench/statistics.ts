// What a row of measurements comes to.

export interface Sample {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** How many measurements there were. */
  readonly n: number;
}

/** Throws when there is nothing to summarize: a measurement without a value has failed. */
export function summarize(values: readonly number[]): Sample {
  if (values.length === 0) throw new Error('nothing was measured');
  return {
    median: percentile(values, 50),
    least: Math.min(...values),
    most: Math.max(...values),
    n: values.length,
  };
}

/** With linear interpolation between the two nearest ranks. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}
