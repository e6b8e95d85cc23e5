// Does one thing at a time. Of what is asked for meanwhile only the last is done: who flaps has one
// more thing to wait for and not all of them.

interface Waiting {
  readonly work: () => Promise<void>;
  readonly settle: (outcome: boolean | Promise<boolean>) => void;
}

export class Latest {
  #running: Promise<boolean> | undefined;
  #waiting: Waiting | undefined;

  /** Resolves to true when it was done, to false when something later took its place. */
  do(work: () => Promise<void>): Promise<boolean> {
    if (this.#running === undefined) return this.#run(work);
    return new Promise((settle) => {
      this.#waiting?.settle(false);
      this.#waiting = { work, settle };
    });
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
  }

  #run(work: () => Promise<void>): Promise<boolean> {
    const running = work().then(() => true);
    this.#running = running;
    const next = (): void => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      this.#running = undefined;
      if (waiting !== undefined) waiting.settle(this.#run(waiting.work));
    };
    running.then(next, next);
    return running;
  }
}
