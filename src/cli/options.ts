// The one table of the daemon's options. Parsing, usage text, manual page and shell completion are
// all derived from it. ucarp's own options come first and in ucarp's order, which its error
// messages show.

import type { Grammar, LongName } from './getopt.js';

export type OptionGroup = 'group' | 'address' | 'election' | 'network' | 'process' | 'log' | 'help';

/** The headings of the usage text, in their order. */
export const optionGroups: readonly (readonly [OptionGroup, string])[] = [
  ['group', 'The hosts'],
  ['address', 'The address, and what is run when it moves'],
  ['election', 'Who becomes master, and when'],
  ['network', 'On the wire'],
  ['process', 'The process'],
  ['log', 'Messages'],
  ['help', 'Help'],
];

type UcarpOption =
  | 'interface'
  | 'srcip'
  | 'mcastip'
  | 'vhid'
  | 'pass'
  | 'preempt'
  | 'neutral'
  | 'addr'
  | 'help'
  | 'advbase'
  | 'advskew'
  | 'upscript'
  | 'downscript'
  | 'deadratio'
  | 'debug'
  | 'shutdown'
  | 'facility'
  | 'daemonize'
  | 'ignoreifstate'
  | 'nomcast'
  | 'passfile'
  | 'xparam';

type OwnOption =
  | 'manage-addr'
  | 'no-manage-addr'
  | 'garp-repeat'
  | 'backend'
  | 'real-mac'
  | 'pidfile'
  | 'run-dir'
  | 'state-dir'
  | 'log-format'
  | 'version';

export type OptionName = UcarpOption | OwnOption;

export interface Option {
  readonly name: OptionName;
  readonly aliases?: readonly string[];
  readonly short?: string;
  /** How the value is called in the usage text; without one the option takes none. */
  readonly value?: string;
  readonly group: OptionGroup;
  /** For the usage text: a phrase without capital and full stop. */
  readonly help: string;
}

const ucarpOptions: readonly Option[] = [
  {
    name: 'interface',
    aliases: ['if'],
    short: 'i',
    value: 'DEVICE',
    group: 'group',
    help: "network interface, also an alias such as eth1:0 (default: the default route's)",
  },
  {
    name: 'srcip',
    aliases: ['src'],
    short: 's',
    value: 'ADDRESS',
    group: 'group',
    help: "this host's own address on that interface, or auto",
  },
  {
    name: 'mcastip',
    aliases: ['mcast'],
    short: 'm',
    value: 'ADDRESS',
    group: 'network',
    help: 'multicast group to advertise to (default 224.0.0.18)',
  },
  {
    name: 'vhid',
    short: 'v',
    value: 'NUMBER',
    group: 'group',
    help: 'number of the virtual host group, 1 to 255, the same on all its hosts',
  },
  {
    name: 'pass',
    short: 'p',
    value: 'PASSWORD',
    group: 'group',
    help: 'password, 1 to 19 bytes, the same on all hosts of the group',
  },
  {
    name: 'preempt',
    short: 'P',
    group: 'election',
    help: 'take over from a master with a longer advertisement interval',
  },
  {
    name: 'neutral',
    short: 'n',
    group: 'address',
    help: 'do not run the down script at start',
  },
  {
    name: 'addr',
    short: 'a',
    value: 'ADDRESS',
    group: 'address',
    help: 'the address that is kept alive, under the name tscarp also as 10.0.0.5/24',
  },
  { name: 'help', short: 'h', group: 'help', help: 'show this text' },
  {
    name: 'advbase',
    short: 'b',
    value: 'SECONDS',
    group: 'election',
    help: 'advertise every so many seconds, 0 to 255 (default 1)',
  },
  {
    name: 'advskew',
    short: 'k',
    value: 'NUMBER',
    group: 'election',
    help: 'and so many 256ths of a second, 0 to 255 (default 0); the shortest interval wins',
  },
  {
    name: 'upscript',
    short: 'u',
    value: 'PATH',
    group: 'address',
    help: 'run when this host becomes master: PATH DEVICE ADDRESS [XPARAM]',
  },
  {
    name: 'downscript',
    short: 'd',
    value: 'PATH',
    group: 'address',
    help: 'run when this host becomes backup, with the same arguments',
  },
  {
    name: 'deadratio',
    short: 'r',
    value: 'NUMBER',
    group: 'election',
    help: 'a master silent for so many intervals is dead (default 3)',
  },
  { name: 'debug', short: 'D', group: 'log', help: 'show debugging messages' },
  {
    name: 'shutdown',
    short: 'z',
    group: 'address',
    help: 'run the down script at exit too',
  },
  {
    name: 'facility',
    short: 'f',
    value: 'NAME',
    group: 'log',
    help: 'syslog facility (default daemon, but none for tscarp in the foreground), or none',
  },
  {
    name: 'daemonize',
    short: 'B',
    group: 'process',
    help: 'run in the background, with messages to syslog only',
  },
  {
    name: 'ignoreifstate',
    short: 'S',
    group: 'network',
    help: 'go on without link or carrier',
  },
  {
    name: 'nomcast',
    short: 'M',
    group: 'network',
    help: 'send to the broadcast hardware address instead of the multicast one',
  },
  {
    name: 'passfile',
    short: 'o',
    value: 'PATH',
    group: 'group',
    help: 'file whose first line is the password',
  },
  {
    name: 'xparam',
    short: 'x',
    value: 'TEXT',
    group: 'address',
    help: 'third argument for the scripts',
  },
];

const ownOptions: readonly Option[] = [
  {
    name: 'manage-addr',
    group: 'address',
    help: 'add and remove the address itself (default for tscarp without scripts)',
  },
  {
    name: 'no-manage-addr',
    group: 'address',
    help: 'leave the address to the scripts (default otherwise)',
  },
  {
    name: 'garp-repeat',
    value: 'SECONDS',
    group: 'network',
    help: 'times after a takeover to repeat the gratuitous ARP (default 2,5), or none',
  },
  {
    name: 'backend',
    value: 'NAME',
    group: 'network',
    help: 'how frames are sent and received: packet (default), cap or raw',
  },
  {
    name: 'real-mac',
    group: 'network',
    help: "send from the interface's own hardware address instead of the group's",
  },
  { name: 'pidfile', value: 'PATH', group: 'process', help: 'write the process id to this file' },
  {
    name: 'run-dir',
    value: 'PATH',
    group: 'process',
    help: 'where the control socket is (TSCARP_RUN_DIR, default /run/tscarp)',
  },
  {
    name: 'state-dir',
    value: 'PATH',
    group: 'process',
    help: 'for what outlives a restart: nothing yet (TSCARP_STATE_DIR, default /var/lib/tscarp)',
  },
  { name: 'log-format', value: 'FORMAT', group: 'log', help: 'text (default) or json' },
  { name: 'version', group: 'help', help: 'show the version' },
];

export const defaultRunDir = '/run/tscarp';

export const options: readonly Option[] = [...ucarpOptions, ...ownOptions];

const aliases = options.flatMap((option) => {
  return (option.aliases ?? []).map((name) => ({ name, option }));
});

function canonical(option: Option): LongName<Option> {
  return { name: option.name, option };
}

/**
 * An abbreviation is looked up among ucarp's options first, so that a command line that worked with
 * ucarp, or that ucarp called ambiguous, stays what it was whatever is added to the table.
 */
export const grammar: Grammar<Option> = {
  short: new Map(options.flatMap((option) => (option.short ? [[option.short, option]] : []))),
  long: [ucarpOptions.map(canonical), [...ownOptions.map(canonical), ...aliases]],
};
