// Scripts that run as long, and end, as a test says.

import type { HookCommand, HookResult, Hooks } from '../../src/net/ports.js';
import type { Journal } from './journal.js';

export class FakeHooks implements Hooks {
  readonly #journal: Journal;
  readonly commands: HookCommand[] = [];
  result: HookResult = { status: 0, problem: undefined, milliseconds: 4.2 };
  #gate: Promise<void> = Promise.resolve();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** What is wrong with every script. */
  wrong: string | undefined;

  problem(): string | undefined {
    return this.wrong;
  }

  /** Scripts that start from now on run until the function that this returns is called. */
  hold(): () => void {
    let open: () => void = () => undefined;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  async run(command: HookCommand): Promise<HookResult> {
    this.commands.push(command);
    this.#journal.note(`run ${[command.path, ...command.args].join(' ')}`);
    await this.#gate;
    this.#journal.note(`ended ${command.path}`);
    return this.result;
  }
}
