import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { runProgram } from '#base'
import { needs } from '../../../../tests/needs.ts'
import { createLocal } from './local.ts'
import { translate } from './system-errors.ts'

const scratch = await mkdtemp(join(tmpdir(), 'bewaar-faults-'))
after(() => rm(scratch, { recursive: true, force: true }))

const name = 'a'.repeat(64)
/** Saves 100,000 bytes under the name of the third argument, and prints the code of what was thrown, or `saved`. */
const script = join(scratch, 'save.ts')
await writeFile(
  script,
  `import { openLocal } from ${JSON.stringify(new URL('./local.ts', import.meta.url).href)}
  const backend = await openLocal(process.argv[2]!)
  for (const name of process.argv.slice(3)) {
    const outcome = await backend.save({ type: 'pack', name }, new Uint8Array(100_000).fill(1)).then(
      () => 'saved',
      (thrown) => thrown.code,
    )
    console.log(outcome)
  }
  await backend[Symbol.asyncDispose]()
  `,
)

let made = 0
async function place(): Promise<string> {
  const folder = join(scratch, String(made++))
  await using _ = await createLocal(folder)
  return folder
}

const log = join(scratch, 'calls')
const node = [process.execPath, '--disable-warning=ExperimentalWarning', script]

/** Saves files under strace, which may inject a fault. @returns the outcome of each. */
async function save(folder: string, inject: string | undefined, ...names: string[]): Promise<string[]> {
  const injected = inject === undefined ? [] : ['-e', `inject=${inject}`]
  const traced = ['-f', '-y', '-s', '0', '-o', log, '-e', 'trace=openat,write,fsync,link,rename,unlink', ...injected]
  // one thread for files, because strace counts the calls of each thread on its own
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
  const printed = await runProgram('strace', [...traced, ...node, folder, ...names], { env })
  return printed.trim().split('\n')
}

/** The calls on files below `folder`, in order, each as its name and the kind of file. */
async function callsOn(folder: string): Promise<string[]> {
  const calls: string[] = []
  for (const line of (await readFile(log, 'utf8')).split('\n')) {
    const match = /^\d+ +(\w+)\((.*)/.exec(line)
    if (match === null || !match[2]!.includes(folder)) continue
    const [, call, rest] = match
    const kind = rest!.includes('-tmp-') ? 'temporary' : rest!.includes(name) ? 'file' : 'folder'
    if (call !== 'openat' || rest!.includes('O_EXCL')) calls.push(`${call} ${kind}`)
  }
  return calls
}

test('a file is written, made durable, named and made findable, in this order', { skip: needs('strace') }, async () => {
  const folder = await place()
  assert.deepEqual(await save(folder, undefined, name), ['saved'])
  const expected = ['openat temporary', 'write temporary', 'fsync temporary', 'link temporary', 'unlink temporary']
  assert.deepEqual(await callsOn(folder), [...expected, 'fsync folder'])
})

test(
  'a file whose fsync fails is given up: one attempt, an error, nothing left',
  { skip: needs('strace') },
  async () => {
    const folder = await place()
    assert.deepEqual(await save(folder, 'fsync:error=EIO:when=1', name), ['backend.sync-failed'])
    assert.equal((await callsOn(folder)).filter((call) => call.startsWith('fsync')).length, 1)
    assert.deepEqual(await readdir(join(folder, 'data/aa')), [])
  },
)

test(
  'when the fsync of the folder fails the name is taken away, and the folder is not trusted again',
  {
    skip: needs('strace'),
  },
  async () => {
    const folder = await place()
    const other = `aa${'b'.repeat(62)}`
    const outcomes = await save(folder, 'fsync:error=EIO:when=2', name, other)
    assert.deepEqual(outcomes, ['backend.sync-failed', 'backend.sync-failed'])
    const fsyncs = (await callsOn(folder)).filter((call) => call.startsWith('fsync'))
    assert.deepEqual(fsyncs, ['fsync temporary', 'fsync folder', 'fsync temporary'])
    assert.deepEqual(await readdir(join(folder, 'data/aa')), [])
  },
)

test('a file system that cannot fsync folders is used as it is', { skip: needs('strace') }, async () => {
  const folder = await place()
  assert.deepEqual(await save(folder, 'fsync:error=EINVAL:when=2', name), ['saved'])
})

test('a file system without hard links keeps the promise never to overwrite', { skip: needs('strace') }, async () => {
  const folder = await place()
  assert.deepEqual(await save(folder, 'link:error=EPERM', name, name), ['saved', 'backend.conflict'])
  assert.deepEqual(await readdir(join(folder, 'data/aa')), [name])
  assert.ok((await callsOn(folder)).includes('rename temporary'))
})

/** Runs `steps` of a shell in a mount namespace of its own, with a small file system on `folder`. */
async function onSmallDisk(folder: string, steps: string): Promise<string[]> {
  const mounted = `set -e; mount -t tmpfs -o size=1m tmpfs "$0"; mkdir -p "$0/data/aa"; ${steps}`
  const printed = await runProgram('unshare', ['--mount', 'sh', '-c', mounted, folder, ...node])
  return printed.trim().split('\n')
}

test(
  'a full disk is an error of its own, leaves nothing behind, and passes',
  {
    skip: needs('unshare', 'root'),
  },
  async () => {
    const outcomes = await onSmallDisk(
      await place(),
      `"$@" "$0" ${name}
    dd if=/dev/zero of="$0/ballast" bs=1k count=880 status=none
    "$@" "$0" ${'b'.repeat(64)}
    find "$0" -type f | wc -l
    rm "$0/ballast"
    "$@" "$0" ${'b'.repeat(64)}`,
    )
    assert.deepEqual(outcomes, ['saved', 'backend.full', '2', 'saved'])
  },
)

test('a disk that is mounted read-only is denied', { skip: needs('unshare', 'root') }, async () => {
  const outcomes = await onSmallDisk(await place(), `mount -o remount,ro "$0"; "$@" "$0" ${name}`)
  assert.deepEqual(outcomes, ['backend.denied'])
})

test('each trouble of the system has one code, and says what to do', () => {
  const codes: Record<string, string> = {
    EEXIST: 'backend.conflict',
    ENOSPC: 'backend.full',
    EDQUOT: 'backend.full',
    EACCES: 'backend.denied',
    EPERM: 'backend.denied',
    EROFS: 'backend.denied',
    ENOENT: 'backend.place-missing',
    ENOTDIR: 'backend.place-missing',
    EIO: 'backend.unavailable',
    EMFILE: 'backend.unavailable',
  }
  for (const [code, expected] of Object.entries(codes)) {
    const error = translate(Object.assign(new Error(`${code}: words`), { code }), '/vault', 'save', 'pack 0123')
    assert.equal(error.code, expected, code)
    assert.match(error.message, /\/vault/)
    assert.ok(error.hint.length > 20)
  }
  const gone = Object.assign(new Error('x'), { code: 'ENOENT' })
  for (const verb of ['load', 'remove'] as const) assert.equal(translate(gone, 'p', verb, 'f').code, 'backend.missing')
})
