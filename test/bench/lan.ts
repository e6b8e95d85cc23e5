// The network of one measurement: hosts a and b for the daemon, and a prober that speaks in the
// name of another host, captures and asks. Every measurement has a LAN of its own, deleted when it
// is over.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Program } from '../../src/lab/command.js';
import type { Host } from '../../src/lab/host.js';
import { createNetwork, type Network } from '../../src/lab/network.js';
import { until } from '../../src/lab/until.js';
import { parseIpv4, parseMac } from '../../src/protocol/address.js';
import { type Capture, startCapture } from './capture.js';
import type { Sender } from './frames.js';
import { address, type Post, type Subject } from './programs.js';

export type HostName = 'a' | 'b';

const own = { a: '10.0.0.1', b: '10.0.0.2', prober: '10.0.0.9' } as const;
const masterDeadlineMs = 15_000;

/** The compiled programs that run inside of hosts. */
export interface Tools {
  readonly player: string;
  readonly client: string;
}

/** A frame and when to send it, in milliseconds. */
export interface Note {
  readonly at: number;
  readonly frame: Uint8Array;
}

export class Lan {
  readonly #network: Network;
  readonly #subject: Subject;
  readonly #tools: Tools;
  #files = 0;

  private constructor(network: Network, subject: Subject, tools: Tools) {
    this.#network = network;
    this.#subject = subject;
    this.#tools = tools;
  }

  /** Builds the network, uses it and removes it, whatever happens. */
  static async use<T>(subject: Subject, tools: Tools, work: (lan: Lan) => Promise<T>): Promise<T> {
    const hosts = (['a', 'b', 'prober'] as const).map((name) => {
      const addresses = [`${own[name]}/24`];
      return { name, nics: [{ device: 'eth0', segment: 'lan', addresses }] };
    });
    const network = await createNetwork({ hosts });
    try {
      return await work(new Lan(network, subject, tools));
    } finally {
      await network.dispose();
    }
  }

  host(name: HostName): Host {
    return this.#network.host(name);
  }

  /** In whose name the prober speaks. */
  get sender(): Sender {
    return this.identity('prober');
  }

  identity(name: HostName | 'prober'): Sender {
    const address = parseIpv4(own[name]);
    const mac = parseMac(this.#network.host(name).nics[0]?.mac ?? '');
    if (address === undefined || mac === undefined) throw new Error(`${name} has no address.`);
    return { address, mac };
  }

  /**
   * Starts the daemon; its first line is `exec`, written when its program is about to be loaded.
   */
  start(name: HostName, rank: Pick<Post, 'skew' | 'preempt' | 'backend'>): Daemon {
    const line = this.#subject.line({ ...rank, folder: this.folder(), source: own[name] });
    const argv = ['sh', '-c', 'echo exec; exec "$@"', 'sh', ...line];
    return new Daemon(this.#subject, this.host(name).launch(argv));
  }

  /** A new one. */
  folder(): string {
    const path = this.#file('folder');
    mkdirSync(path);
    return path;
  }

  capture(filter: string): Promise<Capture> {
    return startCapture(this.#prober, this.#file('capture.pcap'), filter);
  }

  /** Puts frames on the wire; resolves when the last one is out. */
  async play(score: readonly Note[]): Promise<void> {
    const file = this.#file('score.json');
    const hex = (frame: Uint8Array): string => Buffer.from(frame).toString('hex');
    writeFileSync(file, JSON.stringify(score.map(({ at, frame }) => ({ at, frame: hex(frame) }))));
    const timeoutMs = (score.at(-1)?.at ?? 0) + 20_000;
    await this.#prober.must([process.execPath, this.#tools.player, 'eth0', file], { timeoutMs });
  }

  /**
   * From now on the prober asks the virtual address every so often, until the network is removed.
   */
  async ask(everyMs: number): Promise<void> {
    const argv = [process.execPath, this.#tools.client, address, String(everyMs)];
    const client = this.#prober.launch(argv);
    await until('the client asks', 5_000, () => client.lines.length > 0, { everyMs: 20 });
  }

  get #prober(): Host {
    return this.#network.host('prober');
  }

  #file(name: string): string {
    this.#files += 1;
    return `${this.#network.folder}/${this.#files}-${name}`;
  }
}

/** A daemon that was started, as far as it says what it does. */
export class Daemon {
  readonly program: Program;
  readonly #subject: Subject;

  constructor(subject: Subject, program: Program) {
    this.#subject = subject;
    this.program = program;
  }

  /**
   * Resolves to when it said that it is in BACKUP, in milliseconds after its program was executed.
   */
  async backup(): Promise<number> {
    const said = await this.#said(this.#subject.backup, 0);
    const executed = this.program.lines.find(({ text }) => text === 'exec');
    if (executed === undefined) throw new Error('The shell did not say when it ran the program.');
    return said - executed.at;
  }

  /** Milliseconds that its main thread has run, and that it could have run but had no processor. */
  processor(): { readonly running: number; readonly waiting: number } {
    const text = readFileSync(`/proc/${this.program.pid}/schedstat`, 'utf8');
    const [running = 0, waiting = 0] = text.split(' ').map((value) => Number(value) / 1e6);
    return { running, waiting };
  }

  /** Resolves when it says, from now on, that it became master or backup. */
  async becomes(state: 'master' | 'backup'): Promise<void> {
    await this.#said(this.#subject[state], this.program.lines.length);
  }

  /** Resolves when it is master; by itself it is soon after it was started alone. */
  async master(): Promise<void> {
    await this.#said(this.#subject.master, 0);
  }

  async #said(pattern: RegExp, from: number): Promise<number> {
    let at: number | undefined;
    const heard = (): boolean => {
      at = this.program.lines.slice(from).find(({ text }) => pattern.test(text))?.at;
      if (at === undefined && this.program.exit !== undefined) {
        throw new Error(`${this.#subject.name} has ended: ${this.program.text()}`);
      }
      return at !== undefined;
    };
    const describe = (): string => `It said:\n${this.program.text()}`;
    const what = `${this.#subject.name} says ${pattern.source}`;
    await until(what, masterDeadlineMs, heard, { everyMs: 20, describe });
    return at ?? Number.NaN;
  }
}

/** Long enough for everybody to have heard of a change of master and to have settled. */
export async function calm(subject: Subject): Promise<void> {
  await delay(1_500 + subject.noticeMs);
}
