// The command line under the name tscarp: ucarp's options, but every mistake is named in a sentence
// that says what was wrong, what was expected and what to do; all of them at once; and the status
// is 2.

import type { Config, SyslogFacility } from '../daemon/config.js';
import { type Ipv4, isMulticastIpv4, parseCidr, parseIpv4 } from '../protocol/address.js';
import { type CNumber, readCNumber } from './c-number.js';
import type { GetoptError } from './getopt.js';
import {
  type CommandLine,
  defaultGroup,
  type Given,
  type LineContext,
  longestInterfaceName,
  type Output,
  type PlainValues,
  readFacility,
  readOwnValues,
  readPlainValues,
  scriptWarnings,
} from './line.js';
import { type Option, type OptionName, options } from './options.js';
import {
  maximumPasswordLength,
  type PasswordFile,
  passwordOnLine,
  readPasswordFile,
  readWaitingPassword,
} from './secrets.js';
import { similar } from './similar.js';
import { usage } from './usage.js';

const usageError = 2;

export function readTscarpLine(given: Given, context: LineContext): CommandLine {
  const text = usage(context.programName, context.version);
  if (given.empty) return exit(usageError, [{ stream: 'stderr', text }]);
  if (given.has('help')) return exit(0, [{ stream: 'stdout', text }]);
  if (given.has('version')) {
    return exit(0, [{ stream: 'stdout', text: `tscarp ${context.version}\n` }]);
  }
  const line = new TscarpLine(given, context);
  const config = line.read();
  if (line.problems.length === 0) {
    const messages = line.warnings.map((warning) => {
      return { level: 'warning', text: warning, console: true } as const;
    });
    return { type: 'run', config, messages };
  }
  const sentences = [
    ...line.problems,
    ...line.warnings.map((warning) => `warning: ${warning}`),
    `"${context.programName} --help" shows all options.`,
  ];
  const output = sentences.map((sentence) => {
    return { stream: 'stderr', text: `${context.programName}: ${sentence}\n` } as const;
  });
  return exit(usageError, output);
}

function exit(status: number, output: readonly Output[]): CommandLine {
  return { type: 'exit', status, output, messages: [] };
}

interface Range {
  readonly least: number;
  readonly most: number;
}

class TscarpLine {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #given: Given;
  readonly #context: LineContext;
  readonly #plain: PlainValues;

  constructor(given: Given, context: LineContext) {
    this.#given = given;
    this.#context = context;
    this.#plain = readPlainValues(given, context);
  }

  /** Meaningless, but harmless, as soon as there is a problem. */
  read(): Config {
    this.#readWords();
    this.#checkInterface();
    const vhid = this.#readVhid();
    const { problems, ...own } = readOwnValues(this.#given);
    const config = {
      ...this.#plain,
      ...own,
      vhid,
      password: this.#readPassword(vhid),
      ...this.#readAddress(),
      source: this.#readSource(),
      group: this.#readGroup(),
      ...this.#readTimes(),
      facility: this.#readFacility(),
    };
    this.problems.push(...problems);
    if (config.source === config.address && config.source !== 0) {
      this.problems.push(
        `--src and --addr are both ${config.addressText}: --src is this host's own address, ` +
          '--addr the one that moves between the hosts',
      );
    }
    this.warnings.push(...scriptWarnings(this.#given, this.#plain));
    return config;
  }

  #readWords(): void {
    const passwordAt = this.#given.all('pass').map(({ place }) => place.word);
    for (const item of this.#given.items) {
      if (item.type === 'error') this.problems.push(describe(item));
      if (item.type !== 'word') continue;
      // The rest of an unquoted password must not be shown.
      this.warnings.push(
        passwordAt.includes(item.place.word - 1)
          ? 'the word after the password is ignored: put quotes around a password with blanks'
          : `"${item.text}" is ignored: it belongs to no option`,
      );
    }
  }

  #checkInterface(): void {
    const name = this.#plain.interface;
    const fits = new TextEncoder().encode(name).length <= longestInterfaceName;
    if (fits && !/[\s/]/.test(name)) return;
    this.problems.push(
      `--interface "${name}" cannot be an interface: expected at most ${longestInterfaceName} ` +
        'bytes without blank or slash; "ip link" lists the interfaces',
    );
  }

  #readVhid(): number {
    if (this.#given.has('vhid')) return this.#readNumber('vhid', { least: 1, most: 255 }, 1);
    this.problems.push(
      '--vhid is missing: give the number of the group, 1 to 255, the same on all its hosts',
    );
    return 1;
  }

  #readTimes(): Pick<Config, 'advbase' | 'advskew' | 'deadRatio'> {
    const advbase = this.#readNumber('advbase', { least: 0, most: 255 }, 1);
    const advskew = this.#readNumber('advskew', { least: 0, most: 255 }, 0);
    const deadRatio = this.#readNumber('deadratio', { least: 1, most: 2 ** 32 - 1 }, 3);
    if (advbase === 0 && advskew === 0) {
      this.problems.push(
        '--advbase and --advskew are both 0, which is no interval: make one of them 1 or more',
      );
    }
    return { advbase, advskew, deadRatio };
  }

  #readNumber(name: OptionName, { least, most }: Range, fallback: number): number {
    const text = this.#given.value(name);
    if (text === undefined) return fallback;
    const number = readCNumber(text);
    const value = Number(number.value);
    const valid = number.digits !== '' && number.rest === '' && !number.negative;
    if (valid && value >= least && value <= most) {
      if (number.base === 8) {
        this.warnings.push(
          `${name} "${text}" read as octal ${value}, as ucarp does; write ${value}`,
        );
      }
      return value;
    }
    const problem = valid ? 'is out of range' : `is not a number${remark(text, number)}`;
    this.problems.push(`--${name} "${text}" ${problem}: expected ${least} to ${most}`);
    return fallback;
  }

  #readPassword(vhid: number): Uint8Array {
    const last = this.#given.items.findLast((item) => {
      return item.type === 'option' && /^pass(file)?$/.test(item.option.name);
    });
    if (last?.type === 'option' && last.option.name === 'pass') {
      const { rawArgv } = this.#context;
      return this.#checkPassword(passwordOnLine(last.value, last.place, rawArgv), '--pass');
    }
    const file =
      last?.type === 'option'
        ? readPasswordFile(last.value, this.#context)
        : readWaitingPassword(this.#context.env, vhid, this.#context);
    if (file !== undefined) return this.#readPasswordFile(file);
    this.problems.push(
      'the password is missing: give --passfile a file whose first line is the password, or ' +
        '--pass the password itself; it is the same on all hosts of the group',
    );
    return new Uint8Array();
  }

  #readPasswordFile(file: PasswordFile): Uint8Array {
    if (file.ok) {
      this.warnings.push(...file.advice);
      return this.#checkPassword(file.password, 'the password file');
    }
    this.problems.push(`${file.problem}; its first line should be the password`);
    return new Uint8Array();
  }

  #checkPassword(password: Uint8Array, where: string): Uint8Array {
    const { length } = password;
    if (length < 1 || length > maximumPasswordLength) {
      const expected = `expected 1 to ${maximumPasswordLength}, the same on all hosts of the group`;
      this.problems.push(`the password in ${where} has ${length} bytes: ${expected}`);
    }
    return password;
  }

  #readAddress(): Pick<Config, 'address' | 'addressText' | 'prefixLength'> {
    const texts = [...new Set(this.#given.all('addr').map(({ value }) => value))];
    const text = texts.at(-1) ?? '';
    const nothing = { address: 0 as Ipv4, addressText: '', prefixLength: undefined };
    if (texts.length === 0) {
      this.problems.push(
        '--addr is missing: give the address to keep alive, for instance --addr 10.0.0.5/24',
      );
      return nothing;
    }
    if (texts.length > 1 || text.includes(',')) {
      this.problems.push(
        'several addresses in one group are not yet supported: give one --addr, and run one ' +
          'tscarp with a --vhid of its own for each further address',
      );
      return nothing;
    }
    const found = this.#readIpv4('addr', text);
    if (found === undefined) return nothing;
    const { address, prefixLength } = found;
    if (prefixLength === 0 || address === 0xffffffff || address === 0 || isMulticastIpv4(address)) {
      this.problems.push(`--addr "${text}" cannot be the address of a host: expected one that can`);
    }
    return { address, addressText: text.replace(/\/.*/, ''), prefixLength };
  }

  #readSource(): Config['source'] {
    const text = this.#given.value('srcip') ?? 'auto';
    if (text === 'auto') return 'auto';
    const source = this.#readIpv4('srcip', text)?.address;
    if (source !== undefined && (source === 0 || isMulticastIpv4(source))) {
      this.problems.push(
        `--srcip "${text}" cannot be the address of a host: give this host's own, or auto`,
      );
    }
    return source ?? 'auto';
  }

  #readGroup(): Ipv4 {
    const text = this.#given.value('mcastip');
    if (text === undefined) return defaultGroup;
    const group = parseIpv4(text);
    if (group !== undefined && (this.#plain.broadcast || isMulticastIpv4(group))) return group;
    this.problems.push(
      `--mcastip "${text}" is not a multicast address: expected 224.0.0.0 to 239.255.255.255, ` +
        'the same on all hosts of the group',
    );
    return defaultGroup;
  }

  #readIpv4(
    name: OptionName,
    text: string,
  ): { address: Ipv4; prefixLength: number | undefined } | undefined {
    const address = parseIpv4(text);
    if (address !== undefined) return { address, prefixLength: undefined };
    const cidr = parseCidr(text);
    if (typeof cidr?.address === 'number') {
      return { address: cidr.address, prefixLength: cidr.prefixLength };
    }
    const example = name === 'addr' ? '10.0.0.5 or 10.0.0.5/24' : '10.0.0.1';
    this.problems.push(
      text.includes(':')
        ? `--${name} "${text}": IPv6 is not yet supported; give an IPv4 address such as ${example}`
        : `--${name} "${text}" is not an IPv4 address: expected one such as ${example}` +
            swallowed(text),
    );
    return undefined;
  }

  #readFacility(): SyslogFacility | undefined {
    // In the foreground stderr is enough: what a supervisor reads there would come twice.
    const usual = this.#given.has('daemonize') ? 'daemon' : 'none';
    const text = this.#given.value('facility') ?? usual;
    const facility = readFacility(text);
    if (facility === undefined) {
      this.problems.push(
        `--facility "${text}" does not exist: expected one of syslog's, such as daemon or ` +
          'local0, or none for no syslog',
      );
    }
    return facility === 'none' ? undefined : facility;
  }
}

/** An option was taken for the value of the one before it: a shell variable was empty. */
function swallowed(text: string): string {
  return text.startsWith('-') ? ' (its value seems to be missing on the command line)' : '';
}

function remark(text: string, { digits, rest }: CNumber): string {
  if (/^0\d*[89]/.test(text)) return ' (it begins with 0, so ucarp reads it as octal)';
  if (digits !== '' && rest !== '') return ` ("${rest}" follows it)`;
  return swallowed(text);
}

function describe({ problem, given, candidates }: GetoptError<Option>): string {
  const [name = given] = given.split('=');
  const names = candidates.map((candidate) => `--${candidate.name}`);
  switch (problem) {
    case 'unknown': {
      const spellings = options.flatMap((option) => [option.name, ...(option.aliases ?? [])]);
      const guess = name.startsWith('--') ? similar(name.slice(2), spellings) : undefined;
      return `there is no option ${name}${guess === undefined ? '' : `; did you mean --${guess}?`}`;
    }
    case 'ambiguous':
      return `${name} may stand for ${names.join(', ')}: write it in full`;
    case 'missing-value':
      return `${names[0] ?? name} is the last word: expected a value after it`;
    case 'unwanted-value':
      return `${names[0] ?? name} takes no value: leave out the "=" and what follows it`;
  }
}
