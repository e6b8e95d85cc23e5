// Waiting for something to become true, with a deadline and a reason: what a test bed does instead
// of sleeping. A wait that fails says what it waited for, how long, and how things stood at the
// end.

import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  /** How often to look. */
  readonly everyMs?: number;
  /** How things stand, for the message of a wait that failed. */
  readonly describe?: () => string | Promise<string>;
}

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Resolves with the milliseconds it took until `condition` held. `what` is a clause that completes
 * "waited in vain for ...". An error thrown by the condition ends the wait at once.
 */
export async function until(
  what: string,
  deadlineMs: number,
  condition: () => boolean | Promise<boolean>,
  options: UntilOptions = {},
): Promise<number> {
  const start = performance.now();
  for (;;) {
    if (await condition()) return performance.now() - start;
    if (performance.now() - start >= deadlineMs) {
      const state = options.describe === undefined ? '' : `\n${await options.describe()}`;
      throw new DeadlineError(`Waited ${deadlineMs} ms in vain for: ${what}.${state}`);
    }
    await delay(options.everyMs ?? 50);
  }
}
