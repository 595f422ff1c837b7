import type { FileOutcome, SealResult, StretchEnd } from './job.ts'

/**
 * A large file, a stretch after the other: while one thread stores what it has cut, another reads on.
 *
 * @param begin - hands a stretch to a thread, which tells where it ends before it is done.
 * @returns when all is stored. No thread reads the file any more then, nor after a throw.
 */
export async function storeStretches(
  begin: (from: number, onNews: (end: StretchEnd) => void) => Promise<{ done: Promise<SealResult> }>,
): Promise<FileOutcome> {
  const stretches: Promise<SealResult>[] = []
  for (let from: number | undefined = 0; from !== undefined;) {
    const cut = Promise.withResolvers<StretchEnd | undefined>()
    const { done } = await begin(from, cut.resolve)
    done.then(() => cut.resolve(undefined), cut.reject) // because one that cannot be read tells nothing
    stretches.push(done)
    const end: StretchEnd | undefined = await cut.promise
    from = end === undefined || end.isLast ? undefined : end.end
  }
  const outcomes = (await Promise.all(stretches)).flatMap(({ files }) => files!)
  const failure = outcomes.find(({ status }) => status === 'failed')
  if (failure) return failure
  const size = outcomes.reduce((sum, outcome) => sum + outcome.size, 0)
  return { status: 'stored', content: outcomes.flatMap(({ content }) => content), size }
}
