/** Work that is loaded when somebody first asks for it, since loading code is most of what a short command takes. */

/** An iterable that is loaded at the first step; after that it costs nothing more than the one it loaded. */
export function lazily<T>(load: () => Promise<AsyncIterableIterator<T>>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      let inner: AsyncIterator<T> | undefined;
      let loading: Promise<AsyncIterator<T>> | undefined;
      let ended = false;
      return {
        next: () => {
          if (inner) return inner.next();
          if (ended) return Promise.resolve({ done: true, value: undefined });
          // whoever asks ahead of the first answer waits for the same one: a second would run the commands again
          loading ??= load();
          return loading.then((loaded) => {
            inner = loaded;
            return inner.next();
          });
        },
        return: async () => {
          ended = true;
          await (await loading)?.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
