// What one daemon is asked to do: the meaning of its command line, checked and complete.

import type { Backend } from '../net/ports.js';
import type { Ipv4 } from '../protocol/address.js';
import type { Duration } from '../protocol/units.js';

/**
 * Which program's habits to follow: exit codes, messages and defaults (the name it was called by).
 */
export type Personality = 'ucarp' | 'tscarp';

export const syslogFacilities = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
] as const;

/** One of syslogFacilities, `security` (auth) or local0 to local7. */
export type SyslogFacility = string;

export interface Config {
  readonly personality: Personality;
  /** As given, alias suffix included (`eth1:0`); `auto` for the default route's. */
  readonly interface: string;
  /** `auto` for the address of the default route or of the interface. */
  readonly source: Ipv4 | 'auto';
  readonly group: Ipv4;
  readonly broadcast: boolean;
  readonly vhid: number;
  /** 1 to 19 bytes. */
  readonly password: Uint8Array;
  readonly address: Ipv4;
  /** The address as given, for scripts; without prefix length. */
  readonly addressText: string;
  /** Undefined for a bare address: the prefix of a connected subnet that contains it, else /32. */
  readonly prefixLength: number | undefined;
  readonly advbase: number;
  readonly advskew: number;
  readonly deadRatio: number;
  readonly preempt: boolean;
  readonly neutral: boolean;
  readonly upscript: string | undefined;
  readonly downscript: string | undefined;
  readonly xparam: string | undefined;
  /** Run the down script at exit, and leave cleanly on TERM, INT, HUP and QUIT. */
  readonly shutdown: boolean;
  readonly daemonize: boolean;
  readonly ignoreLinkState: boolean;
  /** Undefined for no syslog. */
  readonly facility: SyslogFacility | undefined;
  readonly debug: boolean;
  readonly pidfile: string | undefined;
  /** tscarp itself adds and removes the address. */
  readonly manageAddress: boolean;
  /** When to repeat the gratuitous ARP, counted from the takeover. */
  readonly garpRepeat: readonly Duration[];
  readonly logFormat: 'text' | 'json';
  readonly backend: Backend;
  /** Send from the interface's own hardware address. */
  readonly realMac: boolean;
  readonly runDir: string;
  readonly stateDir: string;
}
