/** Events of work that runs side by side, gathered for the one generator that hands them on. */

/** Where workers put what happened, and a reader waits for it. */
export class Outbox<T> {
  #items: T[] = [];
  #wake: (() => void) | undefined;
  #woken = false;

  put(...items: readonly T[]): void {
    this.#items.push(...items);
    this.wake();
  }

  /** Something has changed that the reader looks at: an event, or a worker that ended. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
    this.#wake = undefined;
  }

  /** What was put since the last time. */
  take(): readonly T[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** Resolves when it was woken since the last call. */
  async changed(): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#woken = false;
  }
}
