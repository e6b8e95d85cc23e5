// The life of a daemon on fakes, but for its control socket and pid file, which are real. Signals
// are raised without the kernel's help, because their default would end the tests.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Config } from '../../src/daemon/config.js';
import { socketPath } from '../../src/daemon/control.js';
import { type Ending, type Message, type Readiness, run } from '../../src/daemon/run.js';
import { testConfig } from '../fakes/config.js';
import { InstanceBed } from './instance-bed.js';

export const handled = [
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'uncaughtException',
] as const;
type Handled = (typeof handled)[number];
type Listener = (...args: unknown[]) => void;

export const scripts: Partial<Config> = { upscript: '/up', downscript: '/down' };

const listeners = (name: Handled): Listener[] => process.listeners(name as 'SIGTERM') as Listener[];

/** One for each test of the file that calls this. */
export function useLife(): Life {
  const life = new Life();
  beforeEach(() => life.begin());
  afterEach(() => life.end());
  return life;
}

class Life {
  #bed: InstanceBed | undefined;
  #before = new Map<Handled, readonly Listener[]>();
  folder = '';
  /** Of the daemon that was started last. */
  ending: Promise<Ending> | undefined;

  get bed(): InstanceBed {
    if (this.#bed === undefined) throw new Error('no test runs');
    return this.#bed;
  }

  begin(): void {
    this.#bed = new InstanceBed();
    this.folder = mkdtempSync(join(tmpdir(), 'tscarp-run-'));
    this.#before = new Map(handled.map((name) => [name, listeners(name)]));
    this.ending = undefined;
  }

  async end(): Promise<void> {
    this.raise('SIGTERM');
    await this.ending;
    for (const name of handled) {
      for (const listener of this.added(name)) process.off(name, listener);
    }
    vi.useRealTimers();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the daemon listens with, and not the test runner. */
  added(name: Handled): readonly Listener[] {
    return listeners(name).filter(
      (listener) => this.#before.get(name)?.includes(listener) === false,
    );
  }

  raise(name: Handled, ...args: readonly unknown[]): void {
    for (const listener of this.added(name)) listener(...args);
  }

  get pidfile(): string {
    return join(this.folder, 'pid');
  }

  socket(name = 'eth1'): string {
    return socketPath(this.folder, 1, name);
  }

  /** Resolves when the daemon is ready or has failed. */
  start(overrides: Partial<Config> = {}, messages: readonly Message[] = []): Promise<Readiness> {
    return new Promise((ready) => {
      const { folder, pidfile } = this;
      const config = testConfig({ runDir: folder, pidfile, ...overrides });
      const { ports, logger } = this.bed;
      this.ending = run({ config, messages, ports, logger, ready });
    });
  }

  async startMaster(overrides: Partial<Config> = {}): Promise<void> {
    expect(await this.start(overrides)).toEqual({ ok: true });
    await this.bed.clock.pass(3_000);
    this.bed.journal.take();
  }

  /** Everything but the log since the last call. */
  done(): readonly string[] {
    return this.bed.journal.take().filter((line) => !line.startsWith('log'));
  }
}
