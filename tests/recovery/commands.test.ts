import assert from 'node:assert/strict'
import { readFile, rename, stat } from 'node:fs/promises'
import { test } from 'node:test'

import { shopPlace } from '../e2e/shop.ts'

test('after a run, `recover` brings configuration and catalog back from a vault alone, with a yes only', async () => {
  await using place = await shopPlace()
  assert.equal((await place.bewaar('init')).code, 0)
  const own = await place.bewaar('list', '--project=bewaar', '--json')
  assert.deepEqual((JSON.parse(own.out) as { vault: string }[]).map(({ vault }) => vault).toSorted(), [
    'archive',
    'hot',
  ])
  assert.equal((await place.bewaar('run')).code, 0)
  await place.write('machine/typed', 'the password of the vaults\n', 0o600)
  await rename(place.at('hot'), place.at('machine/hot'))
  const recover = (...more: string[]) =>
    place.start(['recover', `--from=${place.at('machine/hot')}`, '--password-file=typed', '--to=.', ...more], {
      cwd: place.at('machine'),
    }).ended
  const unasked = await recover()
  assert.equal(unasked.code, 2)
  assert.match(unasked.err, /\(cli\.not-recovered\)\n$/)
  await assert.rejects(stat(place.at('machine/bewaar.yaml')))

  const done = await recover('--yes', '--json')
  assert.equal(done.code, 0, done.err)
  const { performed, projects, findings } = JSON.parse(done.out) as Record<string, unknown>
  assert.deepEqual([performed, findings], [true, []])
  assert.partialDeepStrictEqual(projects, [{ name: 'shop', snapshots: 1, error: null }])
  assert.equal(await readFile(place.at('machine/bewaar.yaml'), 'utf8'), await readFile(place.at('bewaar.yaml'), 'utf8'))
  const listed = await place.start(['list', '--vault=hot', '--json'], { cwd: place.at('machine') }).ended
  assert.equal(listed.code, 0, listed.err)
  assert.equal((JSON.parse(listed.out) as unknown[]).length, 1)

  const kit = await place.start(['kit', '--vault=hot', '--to=kit.html'], { cwd: place.at('machine') }).ended
  assert.equal(kit.code, 0, kit.err)
  assert.equal((await stat(place.at('machine/kit.html'))).mode & 0o777, 0o600)
  const check = ['kit', 'check', '--vault=hot', '--password-file=typed']
  const proven = await place.start(check, { cwd: place.at('machine') }).ended
  assert.equal(proven.code, 0, proven.err)
  assert.match(proven.out, /^hot +2 +opened$/m)
})
