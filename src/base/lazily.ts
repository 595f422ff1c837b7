/**
 * An asynchronous function whose module is loaded when it is first called, so that a short command does not load what it
 * does not use.
 */
export function lazily<Args extends unknown[], Result>(
  load: () => Promise<(...args: Args) => Promise<Result>>,
): (...args: Args) => Promise<Result> {
  let loading: Promise<(...args: Args) => Promise<Result>> | undefined
  return async (...args) => {
    loading ??= load()
    return await (
      await loading
    )(...args)
  }
}
