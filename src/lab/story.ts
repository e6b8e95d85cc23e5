// What `tscarp lab` shows to a person: one aligned line for each thing that happens, and on a
// terminal also colours, a picture of the network when it has settled, and the seconds while nobody
// answers.

import {
  address,
  clientAddress,
  type Fault,
  type Findings,
  type HostName,
  hostAddresses,
  type LabEvent,
  type Role,
} from './failover.js';

export interface StoryOptions {
  readonly write: (text: string) => void;
  /** A person is watching: pictures and a running count, not only lines. */
  readonly live: boolean;
  readonly colour: boolean;
}

/** What is done to host a, what is done for it, and how one speaks of it afterwards. */
const faults: Readonly<Record<Fault, readonly [broken: string, mended: string, past: string]>> = {
  host: [
    'host a dies: off the network, every process gone in the same moment',
    'host a boots and starts tscarp again',
    'when host a died',
  ],
  cable: [
    "host a's cable is pulled out",
    'the cable is plugged in again',
    "when host a's cable was pulled out",
  ],
  split: [
    'the switch forwards nothing from and to host a; its link stays up',
    'the switch forwards again',
    'when the switch cut host a off',
  ],
  term: [
    'tscarp on host a is asked to stop (SIGTERM)',
    'tscarp is started again on host a',
    'when tscarp on host a stopped',
  ],
  kill: [
    'tscarp on host a is killed (SIGKILL); the host itself lives on',
    'tscarp is started again on host a',
    'when tscarp on host a was killed',
  ],
};

const codes = { green: 32, red: 31, yellow: 33, cyan: 36, bold: 1, dim: 2 } as const;
type Colour = keyof typeof codes;

const silenceWorthShowingMs = 300;

export class Story {
  readonly #options: StoryOptions;
  readonly #roles = new Map<HostName, Role>();
  #fault: Fault | undefined;
  #counting = false;

  constructor(options: StoryOptions) {
    this.#options = options;
  }

  opening(): void {
    this.#line(
      'Two hosts keep one address alive. Everything here is real: kernel, packets, daemons;',
    );
    this.#line('the network is made of namespaces on this machine and vanishes at the end.');
    this.#line('');
  }

  tell(event: LabEvent): void {
    this.#remember(event);
    if (event.event === 'settled') this.#picture();
    else this.#line(`${seconds(event.t)}  ${this.#words(event)}`);
  }

  #remember(event: LabEvent): void {
    if (event.event === 'state') this.#roles.set(event.host, event.state);
    if (event.event === 'exit') this.#roles.delete(event.host);
    if (event.event === 'repair') this.#fault = undefined;
    if (event.event !== 'break') return;
    this.#fault = event.fault;
    if (event.fault !== 'cable' && event.fault !== 'split') this.#roles.delete('a');
  }

  #words(event: Exclude<LabEvent, { event: 'settled' }>): string {
    switch (event.event) {
      case 'built':
        return about('lan', `a switch, two hosts and a client, built in ${event.milliseconds} ms`);
      case 'start':
        return about(event.host, this.#paint('dim', this.#command(event.command)));
      case 'state':
        return about(event.host, this.#role(event.state));
      case 'holders':
        return about('address', this.#holders(event.hosts));
      case 'answers':
        return about('client', `${address} answers`);
      case 'gap':
        return about('client', this.#gap(event.milliseconds));
      case 'exit':
        return about(event.host, this.#paint('red', `tscarp ended, ${event.how}: ${event.said}`));
      case 'break':
        return this.#paint('red', `>>> ${faults[event.fault][0]}`);
      case 'repair':
        return this.#paint('green', `>>> ${faults[event.fault][1]}`);
    }
  }

  /** Called several times a second with how long the client has had no answer. */
  tick(silentMs: number | undefined): void {
    if (!this.#options.live) return;
    if (silentMs === undefined || silentMs < silenceWorthShowingMs) {
      this.#clear();
      return;
    }
    const text = `no answer for ${(silentMs / 1000).toFixed(1)} s`;
    this.#options.write(`\r\x1b[K         ${'client'.padEnd(9)}${this.#paint('red', text)}`);
    this.#counting = true;
  }

  closing(findings: Findings): void {
    if (!this.#options.live) this.#line('');
    if (findings.problem !== undefined) {
      this.#line(this.#paint('red', `Not as it should be. ${findings.problem}`));
      return;
    }
    this.#line(this.#paint('bold', 'The longest time that the client went without an answer:'));
    this.#line(`${milliseconds(findings.faultGapMs)}  ${faults[findings.fault][2]}`);
    this.#line(`${milliseconds(findings.repairGapMs)}  when host a took its role back`);
    for (const line of remarks(findings)) this.#line(this.#paint('dim', line));
  }

  #picture(): void {
    if (!this.#options.live) return;
    const cut = this.#fault === 'host' || this.#fault === 'cable' || this.#fault === 'split';
    const [a, b] = [this.#box('a'), this.#box('b')];
    this.#line('');
    this.#line(`          ${row([a.name, b.name, 'client'])}`);
    this.#line(`          ${row([hostAddresses.a, hostAddresses.b, clientAddress])}`);
    this.#line(`          ${a.role}${b.role}asks ${address}`);
    const cable = cut ? this.#paint('red', pad('    x')) : pad('    |');
    this.#line(`          ${cable}${row(['    |', '    |'])}`);
    this.#line(`        ------+---------------------+---------------------+------ switch`);
    this.#line('');
  }

  #box(host: HostName): { readonly name: string; readonly role: string } {
    const gone = host === 'a' && this.#fault === 'host';
    const role = gone ? 'dead' : (this.#roles.get(host) ?? 'no tscarp');
    const colour = role === 'MASTER' ? 'green' : role === 'BACKUP' ? 'yellow' : 'red';
    return { name: `host ${host}`, role: this.#paint(colour, pad(role)) };
  }

  /** On two lines where people watch: it is longer than a terminal is wide. */
  #command(command: string): string {
    const fold = this.#options.live ? command.indexOf(' --addr') : -1;
    if (fold < 0) return `$ ${command}`;
    return `$ ${command.slice(0, fold)} \\\n${' '.repeat(22)}${command.slice(fold + 1)}`;
  }

  #role(role: Role): string {
    return role === 'MASTER' ? this.#paint('green', 'MASTER') : this.#paint('yellow', 'BACKUP');
  }

  #holders(hosts: readonly string[]): string {
    if (hosts.length === 0) return this.#paint('red', `${address} is on no host`);
    if (hosts.length === 1) return `${address} is on host ${hosts[0]}`;
    return this.#paint('red', `${address} is on both hosts`);
  }

  #gap(ms: number): string {
    return this.#paint('cyan', `answered again, after ${number(ms)} ms without`);
  }

  #line(text: string): void {
    this.#clear();
    this.#options.write(`${text}\n`);
  }

  #clear(): void {
    if (this.#counting) this.#options.write('\r\x1b[K');
    this.#counting = false;
  }

  #paint(colour: Colour, text: string): string {
    return this.#options.colour ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text;
  }
}

function remarks({ fault, holdersDuringFault = [] }: Findings): readonly string[] {
  const silence =
    'A backup takes over when it has heard nothing for three intervals and a bit (3.2 s).';
  const both = 'While they could not hear each other both were master, as it must be; now one is.';
  if (fault === 'term') return [];
  if (fault !== 'kill') return fault === 'split' ? [silence, both] : [silence];
  if (holdersDuringFault.length < 2) return [];
  return [
    'A daemon that is killed cannot take its address away: both hosts held it until tscarp ran',
    'again. The client noticed little, but other machines may have been served by either.',
  ];
}

function about(who: string, text: string): string {
  return `${who.padEnd(9)}${text}`;
}

function seconds(t: number): string {
  return `${t.toFixed(1).padStart(5)} s`;
}

function milliseconds(ms = 0): string {
  return `${number(ms).padStart(7)} ms`;
}

function number(value: number): string {
  return String(value).replace(/(?<=\d)(?=(\d{3})+$)/g, ' ');
}

function pad(text: string): string {
  return text.padEnd(22);
}

function row(cells: readonly string[]): string {
  return cells.map(pad).join('').trimEnd();
}
