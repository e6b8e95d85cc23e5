// What `tscarp status` shows of one instance, and in JSON exactly this.

import type { Backend } from '../net/ports.js';
import type { Counters } from './counters.js';

export interface Status {
  readonly protocol: 'carp';
  readonly vhid: number;
  /** As given (`eth1:0`). */
  readonly interface: string;
  readonly state: 'initialize' | 'backup' | 'master';
  /** Wall-clock time of the last change of state, ISO 8601. */
  readonly since: string;
  /** Why the state was entered. */
  readonly reason: string;
  readonly addresses: readonly string[];
  /** The last other host that advertised authentically; null when none ever did. */
  readonly master: HeardMaster | null;
  readonly counters: Counters;
  readonly source: string;
  readonly advbase: number;
  readonly advskew: number;
  readonly preempt: boolean;
  readonly backend: Backend;
  readonly pid: number;
}

export interface HeardMaster {
  readonly address: string;
  readonly advbase: number;
  readonly advskew: number;
  /** Milliseconds since it was heard. */
  readonly age: number;
}
