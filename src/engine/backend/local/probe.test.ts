import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { probeName } from '../probe.ts'
import { createLocal } from './local.ts'
import { probeLocal, spaceOfLocal } from './probe.ts'

const isRoot = process.getuid?.() === 0

async function repository(): Promise<Disposable & { readonly path: string }> {
  const path = mkdtempSync(join(tmpdir(), 'bewaar-probe-'))
  await using _ = await createLocal(path)
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
}

test('in a folder of its own a backup can do everything, and the probe leaves nothing there', async () => {
  using made = await repository()
  assert.deepEqual(await probeLocal([made.path]), {
    deletes: 'allowed',
    overwrites: 'allowed',
    truncates: 'allowed',
    left: 0,
  })
  assert.deepEqual(filesIn(made.path), [])
})

test('folders that are only added to keep names and not bytes, and hold one probe each, however often', async (t) => {
  using made = await repository()
  const chattr = (flag: string): boolean => spawnSync('chattr', ['-R', flag, made.path]).status === 0
  if (!isRoot || !chattr('+a')) {
    chattr('-a')
    t.skip('needs to run as root on a file system with attributes')
    return
  }
  try {
    // because -R puts the attribute on files as well, and new files have none
    const first = await probeLocal([made.path])
    assert.deepEqual(first, { deletes: 'refused', overwrites: 'allowed', truncates: 'allowed', left: 5 })
    assert.deepEqual(await probeLocal([made.path]), first)
    assert.equal(filesIn(made.path).length, 5)
  } finally {
    chattr('-a')
  }
})

test('what is allowed in one of several repositories is allowed', async (t) => {
  using own = await repository()
  using kept = await repository()
  const chattr = (flag: string): boolean => spawnSync('chattr', ['-R', flag, kept.path]).status === 0
  if (!isRoot || !chattr('+a')) {
    chattr('-a')
    t.skip('needs to run as root on a file system with attributes')
    return
  }
  try {
    const { deletes, left } = await probeLocal([own.path, kept.path])
    assert.deepEqual({ deletes, left }, { deletes: 'allowed', left: 5 })
  } finally {
    chattr('-a')
  }
})

test('a place where nothing can be stored is no place to find anything out', async (t) => {
  using made = await repository()
  const forbid = (): boolean => {
    if (!isRoot) chmodSync(made.path, 0o500)
    return !isRoot || spawnSync('chattr', ['+i', made.path]).status === 0
  }
  if (!forbid()) {
    t.skip('needs a file system with attributes')
    return
  }
  try {
    await assert.rejects(probeLocal([made.path]), { code: 'backend.denied' })
  } finally {
    if (isRoot) spawnSync('chattr', ['-i', made.path])
    else chmodSync(made.path, 0o700)
  }
})

test('what has the name of a probe and is none is not touched, nor what a link leads to', async () => {
  using made = await repository()
  const secret = join(made.path, 'secret')
  writeFileSync(secret, 'precious')
  const name = join(made.path, 'keys', probeName)
  symlinkSync(secret, name)
  await assert.rejects(probeLocal([made.path]), { code: 'backend.unavailable' })
  rmSync(name)
  writeFileSync(name, 'somebody else needs this')
  await assert.rejects(probeLocal([made.path]), { code: 'backend.denied', message: /another file has its name/ })
  assert.deepEqual([readFileSync(secret, 'utf8'), readFileSync(name, 'utf8')], ['precious', 'somebody else needs this'])
})

test('a repository that is not there is no place to probe', async () => {
  using made = await repository()
  await assert.rejects(probeLocal([join(made.path, 'none')]), { code: 'backend.place-missing' })
})

test('the free space is that of the disk, and of a folder that is not there nothing is said', async () => {
  using made = await repository()
  const judge = (): number[] => {
    const [, numbers] = execFileSync('df', ['-B1', '--output=size,avail', made.path], { encoding: 'utf8' }).split('\n')
    return numbers!.trim().split(/ +/).map(Number)
  }
  const [size, before] = judge()
  const { sizeBytes, freeBytes } = await spaceOfLocal(made.path)
  const [, after] = judge()
  // Others write to this disk meanwhile.
  const slack = 2 ** 28
  assert.equal(sizeBytes, size)
  assert.ok(freeBytes > Math.min(before!, after!) - slack && freeBytes < Math.max(before!, after!) + slack)
  await assert.rejects(spaceOfLocal(join(made.path, 'none')), { code: 'backend.place-missing' })
})
