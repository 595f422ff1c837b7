/** What a program asked of the system, read from the output of `strace -f -y`. */
export interface Call {
  readonly name: string
  /** As strace prints them; descriptors with their paths: `21</vault/data>`. */
  readonly args: string
  /** Lines of the log at which the call began and ended: two threads may be within calls at once. */
  readonly began: number
  readonly ended: number
  readonly succeeded: boolean
}

const whole = /^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)/
const begun = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/
const resumed = /^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?)/

export function readTrace(log: string): Call[] {
  const calls: Call[] = []
  const open = new Map<string, { name: string; args: string; began: number }>()
  for (const [line, text] of log.split('\n').entries()) {
    const [, , name, args, result] = whole.exec(text) ?? []
    if (name !== undefined) {
      calls.push({ name, args: args!, began: line, ended: line, succeeded: isSuccess(result!) })
      continue
    }
    const unfinished = begun.exec(text)
    if (unfinished) {
      open.set(unfinished[1]!, { name: unfinished[2]!, args: unfinished[3]!, began: line })
      continue
    }
    const end = resumed.exec(text)
    const start = end && open.get(end[1]!)
    if (!end || start?.name !== end[2]) continue
    open.delete(end[1]!)
    const { name: called, args: before, began } = start!
    calls.push({ name: called, args: before + end[3]!, began, ended: line, succeeded: isSuccess(end[4]!) })
  }
  return calls.sort((a, b) => a.began - b.began)
}

function isSuccess(result: string): boolean {
  return /^\d+$/.test(result)
}

/** A file that got its final name. */
interface Naming {
  readonly from: string
  readonly to: string
  readonly call: Call
}

/**
 * Breaches of the write rule among the calls on a repository: a file is written, then fsynced, then named, and the names
 * of all files that a snapshot needs are fsynced before the snapshot has its own.
 */
export function breachesOf(calls: readonly Call[], repository: string): string[] {
  const namings = calls
    .filter(isNaming)
    .map(namingOf)
    .filter(({ to }) => to.startsWith(`${repository}/`))
  const breaches = namings.flatMap(({ from, to, call }) => [
    ...(hasFsync(calls, from, { before: call.began }) ? [] : [`${to} was named before its bytes were durable`]),
    ...(writesAfterFsync(calls, from) ? [`${to} was written to after its fsync`] : []),
    ...(hasFsync(calls, folderOf(to), { after: call.ended }) ? [] : [`the name of ${to} was never made durable`]),
  ])
  const isOf = (type: string) => (naming: Naming) => naming.to.startsWith(`${repository}/${type}/`)
  const order = [namings.filter(isOf('data')), namings.filter(isOf('index')), namings.filter(isOf('snapshots'))]
  for (const [stage, later] of order.entries()) {
    for (const { to, call } of later) {
      for (const earlier of order.slice(0, stage).flat()) {
        const span = { after: earlier.call.ended, before: call.began }
        if (earlier.call.ended < call.began && hasFsync(calls, folderOf(earlier.to), span)) continue
        // because an index of an early part may be there before the packs of a later one
        if (stage === 1 && earlier.call.began > call.began) continue
        breaches.push(`${to} was named before ${earlier.to} was sure to stay`)
      }
    }
  }
  return breaches
}

export function namedFiles(calls: readonly Call[], repository: string): string[] {
  return calls
    .filter(isNaming)
    .map((call) => namingOf(call).to)
    .filter((path) => path.startsWith(`${repository}/`))
}

function isNaming({ name, succeeded }: Call): boolean {
  return succeeded && /^(link|rename)(at|at2)?$/.test(name)
}

function namingOf(call: Call): Naming {
  const [from, to] = Array.from(call.args.matchAll(/"([^"]*)"/g), ([, path]) => path!)
  return { from: from!, to: to!, call }
}

function hasFsync(
  calls: readonly Call[],
  path: string,
  { after = -1, before = Infinity }: { readonly after?: number; readonly before?: number },
): boolean {
  return calls.some((call) => isFsyncOf(call, path) && call.succeeded && call.began > after && call.ended < before)
}

function isFsyncOf({ name, args }: Call, path: string): boolean {
  return (name === 'fsync' || name === 'fdatasync') && args.includes(`<${path}>`)
}

function writesAfterFsync(calls: readonly Call[], path: string): boolean {
  const fsync = calls.find((call) => isFsyncOf(call, path))
  return calls.some(
    ({ name, args, began }) => /write/.test(name) && args.includes(`<${path}>`) && began > (fsync?.began ?? 0),
  )
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
