// The story that `tscarp lab` tells: two hosts share an address, a client uses it, host a is broken
// in one of several ways, the address moves, and it moves back when the host is well again.
// Everything that happens is an event, told at the moment it is seen; nothing is assumed.

import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Program } from './command.js';
import { createNetwork, type Network } from './network.js';
import { type Pinger, startPinger } from './pinger.js';
import { DeadlineError, until } from './until.js';

/** What can happen to host a. */
export const faults = ['host', 'cable', 'split', 'term', 'kill'] as const;
export type Fault = (typeof faults)[number];

export type HostName = 'a' | 'b';
export type Role = 'MASTER' | 'BACKUP';

export type LabEvent = {
  /** Seconds since the lab began. */
  readonly t: number;
} & (
  | { readonly event: 'built'; readonly milliseconds: number }
  | { readonly event: 'start'; readonly host: HostName; readonly command: string }
  | { readonly event: 'state'; readonly host: HostName; readonly state: Role }
  | { readonly event: 'holders'; readonly hosts: readonly string[] }
  | { readonly event: 'answers' }
  | { readonly event: 'gap'; readonly milliseconds: number }
  | { readonly event: 'break'; readonly fault: Fault }
  | { readonly event: 'repair'; readonly fault: Fault }
  | { readonly event: 'settled'; readonly master: HostName }
  | {
      readonly event: 'exit';
      readonly host: HostName;
      readonly how: string;
      readonly said: string;
    }
);

/** A LabEvent without its time. */
type Happening = LabEvent extends infer E ? (E extends LabEvent ? Omit<E, 't'> : never) : never;

export interface Findings {
  readonly ok: boolean;
  readonly fault: Fault;
  /** In words, when `ok` is false. */
  readonly problem?: string;
  /** Milliseconds from the fault until b was master; undefined when it never was. */
  readonly takeoverMs?: number;
  /**
   * The longest time between two answers that the client saw because of the fault, and the repair.
   */
  readonly faultGapMs?: number;
  readonly repairGapMs?: number;
  /** Who held the address while the fault lasted. */
  readonly holdersDuringFault?: readonly string[];
}

export interface FailoverOptions {
  readonly fault: Fault;
  /** The daemon: its interpreter and script, without arguments. */
  readonly program: readonly string[];
  readonly tell: (event: LabEvent) => void;
  /** Called once: `silentMs` says at any time how long the client has had no answer. */
  readonly watch?: (silentMs: () => number | undefined) => void;
  /** Ends the story early; `runFailover` then rejects with its reason. */
  readonly signal?: AbortSignal;
}

export const address = '10.0.0.10';
export const clientAddress = '10.0.0.99';
export const hostAddresses: Readonly<Record<HostName, string>> = { a: '10.0.0.1', b: '10.0.0.2' };

const settleMs = 15_000;
const lookEveryMs = 200;
const calmMs = 1_500;
const gapWorthTellingMs = 150;

/** Tells the whole story; rejects only when the network cannot be built. Leaves nothing behind. */
export async function runFailover(options: FailoverOptions): Promise<Findings> {
  const begin = performance.now();
  const network = await createNetwork({
    hosts: [
      { name: 'a', nics: [nic(hostAddresses.a)] },
      { name: 'b', nics: [nic(hostAddresses.b)] },
      { name: 'client', nics: [nic(clientAddress)] },
    ],
  });
  const failover = new Failover(network, options, begin);
  try {
    return await failover.run();
  } finally {
    await failover.end();
  }
}

function nic(own: string) {
  return { device: 'eth0', segment: 'lan', addresses: [`${own}/24`] };
}

class Failover {
  readonly #network: Network;
  readonly #options: FailoverOptions;
  readonly #begin: number;
  readonly #daemons = new Map<HostName, Program>();
  readonly #roles = new Map<HostName, Role>();
  readonly #pinger: Pinger;
  readonly #found: { -readonly [K in keyof Findings]?: Findings[K] } = {};
  #holders: readonly string[] = [];
  #looking: NodeJS.Timeout | undefined;
  #over = false;
  #problem: string | undefined;

  constructor(network: Network, options: FailoverOptions, begin: number) {
    this.#network = network;
    this.#options = options;
    this.#begin = begin;
    this.#pinger = startPinger(network.host('client'), address, {
      reportFromMs: gapWorthTellingMs,
      onGap: ({ ms }) => this.#tell({ event: 'gap', milliseconds: Math.round(ms) }),
      onReply: () => {
        if (this.#pinger.replies === 1) this.#tell({ event: 'answers' });
      },
    });
  }

  async run(): Promise<Findings> {
    const { fault } = this.#options;
    this.#tell({ event: 'built', milliseconds: this.#elapsed() });
    this.#options.watch?.(() => this.#pinger.silentMs);
    this.#look();
    try {
      for (const name of ['a', 'b'] as const) this.#start(name);
      await this.#settle('a');
      await this.#breakAndTakeOver();
      await this.#repairAndReturn();
      return { ok: true, fault, ...this.#found };
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      return { ok: false, fault, problem: error.message, ...this.#found };
    }
  }

  async end(): Promise<void> {
    this.#over = true;
    clearTimeout(this.#looking);
    await this.#network.dispose();
  }

  async #breakAndTakeOver(): Promise<void> {
    await this.#calm();
    this.#pinger.reset();
    this.#tell({ event: 'break', fault: this.#options.fault });
    const broken = performance.now();
    await this.#apply();
    await this.#until('host b is master', () => this.#roles.get('b') === 'MASTER');
    this.#found.takeoverMs = Math.round(performance.now() - broken);
    await this.#until('host b has the address', () => this.#holders.includes('b'));
    await this.#clientIsServed();
    this.#tell({ event: 'settled', master: 'b' });
    await this.#calm();
    this.#found.faultGapMs = Math.round(this.#pinger.longestGapMs);
    this.#found.holdersDuringFault = await this.#network.holders(address);
  }

  async #repairAndReturn(): Promise<void> {
    this.#pinger.reset();
    this.#tell({ event: 'repair', fault: this.#options.fault });
    await this.#repair();
    await this.#settle('a');
    await this.#calm();
    this.#found.repairGapMs = Math.round(this.#pinger.longestGapMs);
  }

  async #calm(): Promise<void> {
    await delay(calmMs, undefined, { signal: this.#options.signal });
  }

  async #apply(): Promise<void> {
    const a = this.#network.host('a');
    const daemon = this.#daemons.get('a');
    switch (this.#options.fault) {
      case 'host':
        this.#forget('a');
        return a.kill();
      case 'cable':
        return a.cut();
      case 'split':
        return a.block('both');
      case 'term':
      case 'kill':
        this.#forget('a');
        daemon?.signal(this.#options.fault === 'term' ? 'SIGTERM' : 'SIGKILL');
    }
  }

  async #repair(): Promise<void> {
    const a = this.#network.host('a');
    switch (this.#options.fault) {
      case 'cable':
        return a.restore();
      case 'split':
        return a.unblock();
      case 'host':
        await a.boot();
        this.#start('a');
        return;
      case 'term':
      case 'kill':
        this.#start('a');
    }
  }

  /** The daemon's end is meant; nothing it may still say is news. */
  #forget(name: HostName): void {
    this.#daemons.delete(name);
    this.#roles.delete(name);
  }

  #start(name: HostName): void {
    const host = this.#network.host(name);
    const rank = name === 'a' ? ['--preempt'] : ['--advskew', '50'];
    const line = ['--vhid', '1', '--pass', 'love', '--src', hostAddresses[name]];
    line.push('--addr', `${address}/24`, '--if', 'eth0', ...rank);
    this.#tell({ event: 'start', host: name, command: ['tscarp', ...line].join(' ') });
    const program = host.launch([...this.#options.program, ...line], {
      onLine: ({ text }) => {
        const role = /Switching to state: (MASTER|BACKUP)/.exec(text)?.[1] as Role | undefined;
        if (role !== undefined) this.#learn(name, program, role);
      },
    });
    this.#daemons.set(name, program);
    program.exited.then(
      ({ status, signal }) => this.#ended(name, program, signal ?? `status ${status}`),
      (error: Error) => this.#ended(name, program, error.message),
    );
  }

  #learn(name: HostName, program: Program, state: Role): void {
    if (this.#daemons.get(name) !== program || this.#roles.get(name) === state) return;
    this.#roles.set(name, state);
    this.#tell({ event: 'state', host: name, state });
  }

  /** A daemon that ends although nobody meant it to. */
  #ended(name: HostName, program: Program, how: string): void {
    if (this.#over || this.#daemons.get(name) !== program) return;
    this.#forget(name);
    const said = program.lines.at(-1)?.text ?? '';
    this.#tell({ event: 'exit', host: name, how, said });
    this.#problem = `tscarp on host ${name} ended: ${how}.`;
  }

  async #settle(master: HostName): Promise<void> {
    const other = master === 'a' ? 'b' : 'a';
    await this.#until(
      `host ${master} is master, ${other} is not, and only ${master} has it`,
      () => {
        const alone = this.#holders.length === 1 && this.#holders[0] === master;
        return alone && this.#roles.get(master) === 'MASTER' && this.#roles.get(other) === 'BACKUP';
      },
    );
    await this.#clientIsServed();
    this.#tell({ event: 'settled', master });
  }

  async #clientIsServed(): Promise<void> {
    const { replies } = this.#pinger;
    await this.#until('the client gets answers', () => this.#pinger.replies > replies);
  }

  /** Waits, and gives up at once when a daemon is gone that should run. */
  async #until(what: string, condition: () => boolean): Promise<void> {
    await until(what, settleMs, () => {
      this.#options.signal?.throwIfAborted();
      if (this.#problem !== undefined) throw new DeadlineError(this.#problem);
      return condition();
    });
  }

  /** Tells who has the address whenever that has changed. */
  #look(): void {
    const again = (hosts: readonly string[]): void => {
      if (this.#over) return;
      if (hosts.join() !== this.#holders.join()) {
        this.#holders = hosts;
        this.#tell({ event: 'holders', hosts });
      }
      this.#looking = setTimeout(() => this.#look(), lookEveryMs);
    };
    // A host that dies while it is asked is not an answer; the next look is.
    this.#network.holders(address).then(again, () => again(this.#holders));
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.#begin);
  }

  #tell(happening: Happening): void {
    if (this.#over) return;
    this.#options.tell({ t: this.#elapsed() / 1000, ...happening } as LabEvent);
  }
}
