import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'

import { AppError, Secret } from '#base'
import { checkKit, joinGiven, makeKit, watch, type Held } from '#usecases'
import { backedUpScene, configuration, password, type Scene } from './scene.ts'

const yearMs = 366 * 24 * 60 * 60 * 1000

suite('a recovery kit', () => {
  let scene: Scene
  before(async () => {
    scene = await backedUpScene()
  })
  after(() => scene?.[Symbol.asyncDispose]())

  async function held(...given: readonly string[]): Promise<Held> {
    const joined = await joinGiven(given.map((one) => new Secret(one)))
    assert.ok(!('missing' in joined))
    return joined
  }

  test('is proven by the password that a person types, and not by that of the configuration', async () => {
    const check = async (typed: string, vaults: readonly string[] = []) =>
      await scene.use(async (services) => checkKit(services, await held(typed), vaults, scene.signal))
    const good = await check(password)
    assert.deepEqual([good.status, good.by], ['complete', 'password'])
    const wrong = await check('another')
    assert.equal(wrong.status, 'failed')
    assert.ok(wrong.vaults.every(({ opened, failures }) => opened === 0 && failures[0]?.error.kind === 'denied'))
    assert.equal((await check(password, ['archive'])).vaults.length, 1)
    const checks = await scene.use((services) => services.catalog.recovery.checks())
    assert.deepEqual(checks[0]?.vaults, ['archive'])
    assert.ok(checks.every((one) => !JSON.stringify(one).includes(password)))
  })

  test('is asked for again after a year, until somebody proves every vault', async () => {
    await using later = await scene.copy()
    const kinds = async () =>
      (await later.use((services) => watch(services, later.signal))).troubles
        .filter(({ kind }) => kind === 'kit')
        .map(({ text }) => text)
    assert.deepEqual(await kinds(), [])
    later.ahead = yearMs
    const [text = ''] = await kinds()
    assert.match(text, /^for a year nobody has proven that the password on paper opens hot, archive$/)
    const prove = async (vaults: readonly string[]) =>
      await later.use(async (services) => checkKit(services, await held(password), vaults, later.signal))
    await prove(['hot'])
    assert.match((await kinds())[0] ?? '', /opens archive$/)
    await prove([])
    assert.deepEqual(await kinds(), [])
  })

  test('is not made with a password that opens nothing, and has no shares of several', async () => {
    await using other = await scene.copy()
    await other.write('password', 'another\n')
    const request = { form: 'password', vaults: [] } as const
    await assert.rejects(
      other.use((services) => makeKit(services, request, other.signal)),
      { code: 'repository.password' },
    )
    await other.write('password', `${password}\n`)
    await other.write('second', 'the second\n')
    await rm(other.at('archive'), { recursive: true })
    await other.write(
      'bewaar.yaml',
      configuration.replace('archive, password: { file: ./password }', 'archive, password: { file: ./second }'),
    )
    await other.backUp()
    const shares = { form: 'shares', vaults: [], shares: { needed: 2, count: 2 } } as const
    await assert.rejects(
      other.use((services) => makeKit(services, shares, other.signal)),
      (error) => error instanceof AppError && error.code === 'kit.passwords-differ',
    )
    const both = await other.use((services) => makeKit(services, request, other.signal))
    assert.match(both.pages[0]!, /wachtwoord A[^]*wachtwoord B/)
  })
})
