// What happened, counted: nothing is dropped, failed or suppressed without a number that status
// shows.

import { type DropReason, dropReasons } from '../protocol/parsed.js';

export interface Counters {
  sent: number;
  sendFailed: number;
  /** Authentic advertisements heard. */
  received: number;
  announced: number;
  announceFailed: number;
  stateChanges: number;
  /** How often the interface lost its link, or was lost itself. */
  linkLost: number;
  /** Log lines that were held back because one of their kind had just been written. */
  logSuppressed: number;
  readonly dropped: Record<DropReason, number>;
}

export function createCounters(): Counters {
  const dropped = Object.fromEntries(dropReasons.map((reason) => [reason, 0]));
  return {
    sent: 0,
    sendFailed: 0,
    received: 0,
    announced: 0,
    announceFailed: 0,
    stateChanges: 0,
    linkLost: 0,
    logSuppressed: 0,
    dropped: dropped as Record<DropReason, number>,
  };
}
