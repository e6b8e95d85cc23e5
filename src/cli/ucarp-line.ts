// The command line under the name ucarp: ucarp 1.5.2's order of checks, messages, exit codes and
// silence. Options are read in their order, and the first thing wrong ends it.

import type { SyslogFacility } from '../daemon/config.js';
import { consoleLine } from '../daemon/log.js';
import { type Ipv4, isMulticastIpv4, parseIpv4 } from '../protocol/address.js';
import { readCNumber, truncate } from './c-number.js';
import { type GetoptError, type GivenOption, glibcMessage } from './getopt.js';
import {
  type CommandLine,
  defaultGroup,
  type Given,
  type LineContext,
  longestInterfaceName,
  type Message,
  type Output,
  type PlainValues,
  readFacility,
  readOwnValues,
  readPlainValues,
  scriptWarnings,
} from './line.js';
import type { Option } from './options.js';
import {
  maximumPasswordLength,
  passwordOnLine,
  readPasswordFile,
  readWaitingPassword,
} from './secrets.js';
import { usage } from './usage.js';

const usageExit = 0;
const badOption = 1;
const startFailure = 2;

export function readUcarpLine(given: Given, context: LineContext): CommandLine {
  return new UcarpLine(given, context).read();
}

class UcarpLine {
  readonly #given: Given;
  readonly #context: LineContext;
  readonly #plain: PlainValues;
  readonly #messages: Message[] = [];
  readonly #output: Output[] = [];
  #console = true;
  #syslog = true;
  #facility: SyslogFacility = 'daemon';
  #vhid = 0;
  #password: Uint8Array = new Uint8Array();
  #passwordGiven = false;
  #source: Ipv4 | 'auto' | undefined;
  #group = defaultGroup;
  #address: Ipv4 | undefined;

  constructor(given: Given, context: LineContext) {
    this.#given = given;
    this.#context = context;
    this.#plain = readPlainValues(given, context);
  }

  read(): CommandLine {
    if (this.#given.empty) return this.#usage();
    for (const item of this.#given.items) {
      const end =
        item.type === 'option'
          ? this.#readOption(item)
          : item.type === 'error'
            ? this.#parseError(item)
            : undefined;
      if (end !== undefined) return end;
    }
    return this.#check() ?? this.#run();
  }

  #readOption(item: GivenOption<Option>): CommandLine | undefined {
    const { name } = item.option;
    switch (name) {
      case 'help':
        return this.#usage();
      case 'version':
        return this.#show(`tscarp ${this.#context.version}\n`);
      case 'daemonize':
        this.#console = false;
        return undefined;
      case 'facility':
        return this.#readFacility(item.value);
      case 'vhid':
        return this.#readVhid(item.value);
      case 'srcip':
      case 'mcastip':
      case 'addr':
        return this.#readAddress(name, item.value);
      case 'pass':
        this.#passwordGiven = true;
        this.#password = passwordOnLine(item.value, item.place, this.#context.rawArgv);
        return undefined;
      case 'passfile':
        this.#passwordGiven = true;
        return this.#readPassfile(item.value);
      default:
        return undefined;
    }
  }

  #readFacility(text: string): undefined {
    const facility = readFacility(text);
    if (facility === undefined) this.#say('error', `Unknown syslog facility: [${text}]`);
    else if (facility === 'none') this.#syslog = false;
    else this.#facility = facility;
  }

  #readVhid(text: string): CommandLine | undefined {
    const number = readCNumber(text);
    if (number.value < 1n || number.value > 255n) {
      return this.#fail(badOption, 'vhid must be between 1 and 255.');
    }
    this.#vhid = Number(number.value);
    if (number.base === 8) this.#say('debug', `vhid "${text}" read as octal ${this.#vhid}`);
    return undefined;
  }

  #readAddress(name: 'srcip' | 'mcastip' | 'addr', text: string): CommandLine | undefined {
    // Departs from ucarp: `auto` lets the daemon find the host's address.
    const address = name === 'srcip' && text === 'auto' ? 'auto' : parseIpv4(text);
    if (address === undefined) return this.#fail(badOption, `Invalid address: [${text}]`);
    if (name === 'srcip' || address === 'auto') this.#source = address;
    else if (name === 'addr') this.#address = address;
    else this.#group = address;
    return undefined;
  }

  #readPassfile(path: string): CommandLine | undefined {
    const file = readPasswordFile(path, this.#context);
    if (!file.ok) return this.#fail(badOption, file.problem);
    this.#password = file.password;
    for (const advice of file.advice) this.#say('debug', advice);
    return undefined;
  }

  /** What is checked once the whole line is read; the order is ucarp's. */
  #check(): CommandLine | undefined {
    const required = this.#checkRequired();
    if (required !== undefined) return this.#fail(badOption, required);
    const [problem] = readOwnValues(this.#given).problems;
    if (problem !== undefined) return this.#fail(badOption, problem);
    for (const warning of scriptWarnings(this.#given, this.#plain)) this.#say('warning', warning);
    if (this.#deadRatio === 0) return this.#fail(badOption, "Dead ratio can't be zero");
    if (this.#password.length > maximumPasswordLength) {
      return this.#fail(startFailure, 'Password too long');
    }
    return this.#checkInterface() ?? this.#checkGroup();
  }

  #checkRequired(): string | undefined {
    if (this.#vhid === 0) return 'You must supply a valid virtual host id';
    const problem = this.#findPassword();
    if (problem !== undefined) return problem;
    if (this.#advbase === 0 && this.#advskew === 0) {
      return 'You must supply an advertisement time base';
    }
    // 0.0.0.0 counts as none.
    if (!this.#source) return 'You must supply a persistent source address';
    if (!this.#address) return 'You must supply a virtual host address';
    return undefined;
  }

  #findPassword(): string | undefined {
    if (!this.#passwordGiven) {
      const waiting = readWaitingPassword(this.#context.env, this.#vhid, this.#context);
      if (waiting?.ok === false) return waiting.problem;
      if (waiting !== undefined) this.#password = waiting.password;
    }
    return this.#password.length === 0 ? 'You must supply a password' : undefined;
  }

  #checkInterface(): CommandLine | undefined {
    const name = this.#plain.interface;
    if (new TextEncoder().encode(name).length <= longestInterfaceName) return undefined;
    this.#say('error', 'Interface name too long');
    return this.#fail(startFailure, `Unable to find MAC address of [${name}]`);
  }

  /** Departs from ucarp, which runs the down script before the kernel refuses to join the group. */
  #checkGroup(): CommandLine | undefined {
    if (this.#plain.broadcast || isMulticastIpv4(this.#group)) return undefined;
    return this.#fail(startFailure, "Can't do IP_ADD_MEMBERSHIP errno=Invalid argument (22)");
  }

  get #advbase(): number {
    return truncate(readCNumber(this.#given.value('advbase') ?? '1'), 8);
  }

  get #advskew(): number {
    return truncate(readCNumber(this.#given.value('advskew') ?? '0'), 8);
  }

  get #deadRatio(): number {
    return truncate(readCNumber(this.#given.value('deadratio') ?? '3'), 32);
  }

  #run(): CommandLine {
    const source = this.#source;
    const address = this.#address;
    if (source === undefined || address === undefined) throw new Error('an address is unchecked');
    const { garpRepeat, logFormat, backend } = readOwnValues(this.#given);
    const config = {
      ...this.#plain,
      source,
      group: this.#group,
      vhid: this.#vhid,
      password: this.#password,
      address,
      addressText: this.#given.value('addr') ?? '',
      prefixLength: undefined,
      advbase: this.#advbase,
      advskew: this.#advskew,
      deadRatio: this.#deadRatio,
      facility: this.#syslog ? this.#facility : undefined,
      garpRepeat,
      logFormat,
      backend,
    };
    return { type: 'run', config, messages: this.#messages };
  }

  #say(level: Message['level'], text: string): void {
    this.#messages.push({ level, text, console: this.#console });
    if (level === 'debug' || !this.#console) return;
    const line = `${consoleLine(level, text, this.#context.now?.())}\n`;
    this.#output.push({ stream: level === 'info' ? 'stdout' : 'stderr', text: line });
  }

  #fail(status: number, text: string): CommandLine {
    this.#say('error', text);
    return { type: 'exit', status, output: this.#output, messages: this.#messages };
  }

  #parseError(error: GetoptError<Option>): CommandLine {
    const text = `${this.#context.programName}: ${glibcMessage(error)}\n`;
    this.#output.push({ stream: 'stderr', text });
    return this.#usage();
  }

  #usage(): CommandLine {
    return this.#show(usage(this.#context.programName, this.#context.version));
  }

  #show(text: string): CommandLine {
    const output: Output[] = [...this.#output, { stream: 'stdout', text }];
    return { type: 'exit', status: usageExit, output, messages: this.#messages };
  }
}
