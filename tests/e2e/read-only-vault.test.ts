import assert from 'node:assert/strict'
import { test } from 'node:test'

import { needs } from '../needs.ts'
import { backedUpShop } from './shop.ts'

const nobody = 65_534

test('a vault that cannot be written to is verified and restored from', { skip: needs('root') }, async () => {
  await using place = await backedUpShop()
  for (const args of [
    ['chmod', 'a+x', place.path],
    ['chmod', '-R', 'a+rX', place.at('hot')],
    ['chown', '-R', `${nobody}:${nobody}`, place.at('state'), place.at('home'), place.at('tmp'), place.at('password')],
    ['mkdir', '--mode=777', place.at('restored')],
  ] as const) {
    assert.equal((await place.run(args[0], args.slice(1)).ended).code, 0, args.join(' '))
  }
  const asNobody = async (...args: string[]): Promise<void> => {
    const { code, err, out } = await place.start(args, { uid: nobody, gid: nobody }).ended
    assert.equal(code, 0, `${args.join(' ')}: ${err}${out}`)
  }
  const before = await place.content('state', 'home', 'tmp', 'restored')
  await asNobody('verify', '--vault=hot', '--share=100%')
  await asNobody(
    'restore',
    '--project=shop',
    '--vault=hot',
    '--only=files',
    `--to=${place.at('restored/shop')}`,
    '--yes',
  )
  assert.deepEqual(await place.content('state', 'home', 'tmp', 'restored'), before)
})
