// Network interfaces that are what a test says.

import type { InterfaceFacts, Interfaces, Subscription } from '../../src/net/ports.js';
import type { Mac } from '../../src/protocol/address.js';

type Watcher = (facts: InterfaceFacts | undefined) => void;

export class FakeInterfaces implements Interfaces {
  readonly #facts = new Map<string, InterfaceFacts>();
  readonly #watchers = new Map<Watcher, string>();
  /** What `watch` throws. */
  watchError: Error | undefined;

  /** An interface that is up and has link, but for what is said otherwise. */
  put(name: string, facts: Partial<InterfaceFacts> = {}): void {
    const before = this.#facts.get(name) ?? {
      name,
      index: 7,
      mac: 0x02000000000a as Mac,
      mtu: 1500,
      ethernet: true,
      up: true,
      running: true,
    };
    this.#facts.set(name, { ...before, ...facts });
    this.#tell(name);
  }

  remove(name: string): void {
    this.#facts.delete(name);
    this.#tell(name);
  }

  read(device: string): InterfaceFacts | undefined {
    return this.#facts.get(device);
  }

  watch(device: string, changed: Watcher): Subscription {
    if (this.watchError !== undefined) throw this.watchError;
    this.#watchers.set(changed, device);
    return { close: () => this.#watchers.delete(changed) };
  }

  get watched(): number {
    return this.#watchers.size;
  }

  #tell(name: string): void {
    for (const [changed, device] of this.#watchers) {
      if (device === name) changed(this.read(name));
    }
  }
}
