/** A function whose module is loaded when it is wanted. */
export interface Lazy<Args extends unknown[], Result> {
  (...args: Args): Promise<Result>
  /** Begins to load the module, for whoever waits for something else just now; a call says what came of it. */
  load(): void
}

/**
 * An asynchronous function whose module is loaded when it is first called, so that a short command does not load what it
 * does not use.
 */
export function lazily<Args extends unknown[], Result>(
  load: () => Promise<(...args: Args) => Promise<Result>>,
): Lazy<Args, Result> {
  let loading: Promise<(...args: Args) => Promise<Result>> | undefined
  const lazy = async (...args: Args): Promise<Result> => {
    loading ??= load()
    return await (
      await loading
    )(...args)
  }
  return Object.assign(lazy, {
    load: () => {
      loading ??= load()
      loading.catch(() => {}) // because a call says it
    },
  })
}
