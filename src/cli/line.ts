// What the command lines of ucarp and tscarp have in common: how they are read and what they yield.

import type { Config, Personality, SyslogFacility } from '../daemon/config.js';
import { syslogFacilities } from '../daemon/config.js';
import { type Backend, backends } from '../net/ports.js';
import type { Ipv4 } from '../protocol/address.js';
import { type Duration, seconds } from '../protocol/units.js';
import { type GivenOption, getopt, type Item } from './getopt.js';
import { defaultRunDir, grammar, type Option, type OptionName } from './options.js';
import type { Files } from './secrets.js';

/** What a command line is read with, beside its words. */
export interface LineContext extends Files {
  readonly personality: Personality;
  /** argv[0], as messages begin with it. */
  readonly programName: string;
  /** Of this package. */
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The words as the kernel has them, parallel to argv: keeps passwords that are not UTF-8. */
  readonly rawArgv?: readonly Uint8Array[];
  /** The wall clock in milliseconds, for ucarp's time stamps. */
  readonly now?: () => number;
}

export interface Message {
  readonly level: 'debug' | 'info' | 'warning' | 'error';
  readonly text: string;
  /**
   * False for what --daemonize, by then read, keeps off the terminal; syslog gets it all the same.
   */
  readonly console: boolean;
}

export interface Output {
  readonly stream: 'stdout' | 'stderr';
  /** Whole lines, each with its line feed. */
  readonly text: string;
}

export type CommandLine =
  | { readonly type: 'run'; readonly config: Config; readonly messages: readonly Message[] }
  | {
      readonly type: 'exit';
      readonly status: number;
      /** To be written as it is, in this order; contains those messages that the console shows. */
      readonly output: readonly Output[];
      /** For syslog. */
      readonly messages: readonly Message[];
    };

export interface Given {
  /** No word at all, not even `--`. */
  readonly empty: boolean;
  readonly items: readonly Item<Option>[];
  has(name: OptionName): boolean;
  /** In the order of the line; the last one counts. */
  all(name: OptionName): readonly GivenOption<Option>[];
  /** The value of the last one. */
  value(name: OptionName): string | undefined;
}

export function readLine(argv: readonly string[], { env }: LineContext): Given {
  const items = getopt(argv, grammar, env['POSIXLY_CORRECT'] !== undefined);
  const all = (name: OptionName): readonly GivenOption<Option>[] => {
    return items
      .filter((item) => item.type === 'option')
      .filter(({ option }) => {
        return option.name === name;
      });
  };
  const value = (name: OptionName): string | undefined => all(name).at(-1)?.value;
  return { empty: argv.length === 0, items, all, value, has: (name) => value(name) !== undefined };
}

/** A value or a sentence on why there is none. */
type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

const longestGarpDelay = 3600;
const mostGarpRepeats = 16;

/**
 * `2,5`: seconds after the takeover, fractions allowed; `none`, `0` or nothing for no repetition.
 */
function readGarpRepeat(text: string): Checked<readonly Duration[]> {
  if (['', '0', 'none'].includes(text)) return { ok: true, value: [] };
  const words = text.split(',');
  const delays = words.map(Number).sort((a, b) => a - b);
  const valid =
    words.every((word) => /^\d+(\.\d+)?$/.test(word)) &&
    delays.every((delay) => delay > 0 && delay <= longestGarpDelay) &&
    delays.length <= mostGarpRepeats;
  if (valid) return { ok: true, value: delays.map(seconds) };
  const most = `at most ${mostGarpRepeats} numbers`;
  const expected = `${most} above 0 and up to ${longestGarpDelay}, or none, as in 2,5`;
  const problem = `--garp-repeat "${text}" is not a list of seconds: expected ${expected}`;
  return { ok: false, problem };
}

function readChoice<T extends string>(
  name: OptionName,
  text: string,
  choices: readonly T[],
): Checked<T> {
  const value = choices.find((choice) => choice === text);
  if (value !== undefined) return { ok: true, value };
  const last = choices.at(-1);
  const expected = `${choices.slice(0, -1).join(', ')} or ${last}`;
  return { ok: false, problem: `--${name} "${text}" does not exist: expected ${expected}` };
}

/** The options that ucarp has not: they are checked alike under both names. */
export interface OwnValues {
  readonly garpRepeat: readonly Duration[];
  readonly logFormat: 'text' | 'json';
  readonly backend: Backend;
}

export function readOwnValues(given: Given): OwnValues & { readonly problems: readonly string[] } {
  const garpRepeat = readGarpRepeat(given.value('garp-repeat') ?? '2,5');
  const format = given.value('log-format') ?? 'text';
  const logFormat = readChoice('log-format', format, ['text', 'json']);
  const backend = readChoice('backend', given.value('backend') ?? 'packet', backends);
  const checks = [garpRepeat, logFormat, backend];
  return {
    garpRepeat: garpRepeat.ok ? garpRepeat.value : [],
    logFormat: logFormat.ok ? logFormat.value : 'text',
    backend: backend.ok ? backend.value : 'packet',
    problems: checks.flatMap((check) => (check.ok ? [] : [check.problem])),
  };
}

/** The options that cannot be wrong. */
export type PlainValues = Pick<
  Config,
  | 'personality'
  | 'interface'
  | 'broadcast'
  | 'preempt'
  | 'neutral'
  | 'upscript'
  | 'downscript'
  | 'xparam'
  | 'shutdown'
  | 'daemonize'
  | 'ignoreLinkState'
  | 'debug'
  | 'pidfile'
  | 'manageAddress'
  | 'realMac'
  | 'runDir'
  | 'stateDir'
>;

export function readPlainValues(given: Given, { personality, env }: LineContext): PlainValues {
  // An empty value is as good as none, except for xparam: the script then gets an empty argument.
  const text = (name: OptionName): string | undefined => given.value(name) || undefined;
  const upscript = text('upscript');
  const downscript = text('downscript');
  const scripted = upscript !== undefined || downscript !== undefined;
  return {
    personality,
    interface: text('interface') ?? 'auto',
    broadcast: given.has('nomcast'),
    preempt: given.has('preempt'),
    neutral: given.has('neutral'),
    upscript,
    downscript,
    xparam: given.value('xparam'),
    shutdown: given.has('shutdown'),
    daemonize: given.has('daemonize'),
    ignoreLinkState: given.has('ignoreifstate'),
    debug: given.has('debug'),
    pidfile: text('pidfile'),
    manageAddress: isManaged(given) ?? (personality === 'tscarp' && !scripted),
    realMac: given.has('real-mac'),
    runDir: text('run-dir') ?? (env['TSCARP_RUN_DIR'] || defaultRunDir),
    stateDir: text('state-dir') ?? (env['TSCARP_STATE_DIR'] || '/var/lib/tscarp'),
  };
}

/** What the later of --manage-addr and --no-manage-addr says. */
function isManaged({ items }: Given): boolean | undefined {
  let managed: boolean | undefined;
  for (const item of items) {
    if (item.type !== 'option') continue;
    if (item.option.name === 'manage-addr') managed = true;
    if (item.option.name === 'no-manage-addr') managed = false;
  }
  return managed;
}

/** ucarp's two warnings; without scripts somebody must hold the address. */
export function scriptWarnings(given: Given, plain: PlainValues): readonly string[] {
  if (plain.manageAddress) return [];
  // ucarp does not warn of a script that is given as an empty word, and runs none.
  const isMissing = (script: 'upscript' | 'downscript'): boolean => {
    return plain.personality === 'ucarp' ? !given.has(script) : plain[script] === undefined;
  };
  return [
    ...(isMissing('upscript') ? ['Warning: no script called when going up'] : []),
    ...(isMissing('downscript') ? ['Warning: no script called when going down'] : []),
  ];
}

/**
 * In any case of letters; `none` stands for no syslog; undefined for a name that does not exist.
 */
export function readFacility(text: string): SyslogFacility | 'none' | undefined {
  const name = text.toLowerCase();
  // syslog(3): an old name, and syslogd's own marks, which nobody else can send.
  if (name === 'security') return 'auth';
  if (name === 'mark') return 'syslog';
  const known = name === 'none' || /^local[0-7]$/.test(name);
  return known || syslogFacilities.some((facility) => facility === name) ? name : undefined;
}

/** Bytes, as the kernel counts them (IFNAMSIZ less its NUL). */
export const longestInterfaceName = 15;

export const defaultGroup: Ipv4 = 0xe0000012 as Ipv4; // 224.0.0.18, which VRRP uses too
