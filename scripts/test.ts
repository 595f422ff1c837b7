/**
 * Runs the tests: `test.ts all|fast|long [part of a path]…`.
 *
 * `fast` is what needs no program of the system, `all` is everything but the sweeps that take long (`*.long.test.ts`),
 * and `long` is everything, with BEWAAR_LONG=1 so that samples become full sweeps.
 */
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { run } from 'node:test'
import { spec as Spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

interface Selection {
  readonly patterns: readonly string[]
  readonly leaveOut: readonly string[]
  readonly minutesPerTest: number
  /** After these the files that still run are killed and count as failed. */
  readonly minutesInAll: number
}

const everything = ['src/**/*.test.ts', 'tests/**/*.test.ts']
const selections: Record<string, Selection> = {
  fast: {
    patterns: ['src/**/*.test.ts', 'tests/architecture/*.test.ts'],
    leaveOut: ['**/*.restic.test.ts', '**/*.long.test.ts'],
    minutesPerTest: 2,
    minutesInAll: 5,
  },
  all: { patterns: everything, leaveOut: ['**/*.long.test.ts'], minutesPerTest: 15, minutesInAll: 60 },
  long: { patterns: everything, leaveOut: [], minutesPerTest: 120, minutesInAll: 480 },
}

const root = fileURLToPath(new URL('..', import.meta.url))
const leastMemory = 8 * 2 ** 30
/** Every test file loads most of the sources: a second of processor time each when none is compiled yet. */
const compileCache = join(root, 'node_modules', '.cache', 'bewaar')
const [name = 'all', ...parts] = process.argv.slice(2)
const selection = selections[name]
if (selection) await runTests(selection)
else fail(`"${name}" is not one of ${Object.keys(selections).join(', ')}`)

async function runTests({ patterns, leaveOut, minutesPerTest, minutesInAll }: Selection): Promise<void> {
  const found = globSync(patterns, { cwd: root, exclude: leaveOut })
  const files = found.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part))).toSorted()
  if (files.length === 0) return fail(`no test file fits ${parts.join(' ') || name}`)
  const scratch = process.env['TMPDIR'] ?? (name === 'long' ? tmpdir() : inMemory())
  await print(
    run({
      files,
      cwd: root,
      // because tests wait for servers, locks and disks about a third of the time
      concurrency: Math.min(4, availableParallelism() + 1),
      timeout: minutesPerTest * 60_000,
      signal: AbortSignal.timeout(minutesInAll * 60_000),
      // because a test that timed out leaves timers and sockets behind that keep its process alive
      execArgv: ['--disable-warning=ExperimentalWarning', '--test-force-exit'],
      env: {
        ...process.env,
        TMPDIR: scratch,
        NODE_COMPILE_CACHE: compileCache,
        ...(name === 'long' && { BEWAAR_LONG: '1' }),
      },
    }),
  )
}

/**
 * A folder in memory for what tests make, for a root with room for it: they wait for a disk to sync most of their time
 * otherwise. The long tests are on the disk, whatever it takes.
 */
function inMemory(): string {
  if (process.getuid?.() !== 0 || process.availableMemory() < leastMemory) return tmpdir()
  const folder = mkdtempSync(join(tmpdir(), 'bw-'))
  // with a mode for servers in tests, which run as users with few rights
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'bewaar-tests', folder])
  process.once('exit', () => {
    if (status === 0) spawnSync('umount', ['--lazy', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  return folder
}

/** Prints the tests as they end, what was skipped and why, and the counts in the words of the TAP reporter. */
async function print(tests: ReturnType<typeof run>): Promise<void> {
  const skipped = new Map<string, number>()
  const counts: string[] = []
  const seconds = new Map<string, number>()
  let failed = false
  tests.on('test:pass', ({ skip }) => {
    if (typeof skip === 'string') skipped.set(skip, (skipped.get(skip) ?? 0) + 1)
  })
  tests.on('test:fail', () => (failed = true))
  tests.on('test:complete', ({ nesting, file, details }) => {
    if (nesting === 0 && file) seconds.set(file, (seconds.get(file) ?? 0) + details.duration_ms / 1000)
  })
  tests.on('test:diagnostic', ({ nesting, file, message }) => {
    if (nesting === 0 && file === undefined) counts.push(message)
  })
  for await (const text of tests.compose(new Spec())) process.stdout.write(text as string)
  for (const [reason, count] of skipped) console.log(`skipped ${count}: ${reason}`)
  const slowest = [...seconds].toSorted((a, b) => b[1] - a[1]).slice(0, 20)
  for (const [file, spent] of slowest) console.log(`${spent.toFixed(1)} s in ${relative(root, file)}`)
  for (const count of counts) console.log(`# ${count}`)
  if (failed) process.exitCode = 1
}

function fail(message: string): void {
  console.error(`test: ${message}`)
  process.exitCode = 1
}
