import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { needs } from '../needs.ts'
import { startSshd } from '../remote/sshd.ts'
import { configured, type FarVault } from './configured.ts'
import { startRclone } from './rest-server.ts'
import { makeScene, skip, type Scene } from './s3-scene.ts'
import { grantDocumented, lockedVault } from './s3-vault.ts'

interface ProbeJson {
  readonly vault: string
  readonly outcome: string
  readonly worth: string
  readonly lock: { readonly mode: string; readonly until: string | null } | null
  readonly left: number
}

interface VaultJson {
  readonly vault: string
  readonly worth: string
  readonly used: number
  readonly free: number | null
  readonly projects: readonly { readonly project: string; readonly bytes: number; readonly olderBytes: number }[]
}

interface HealthJson {
  readonly verdict: string
  readonly vaults: readonly { readonly vault: string; readonly verdict: string; readonly worth: string }[]
  readonly rules: readonly { readonly rule: string; readonly met: boolean }[]
}

/** Backs up to a vault elsewhere, and gives what is found out about it. */
async function look(vault: FarVault): Promise<{ probe: ProbeJson; state: VaultJson; health: HealthJson }> {
  await using shop = await configured(vault)
  for (const args of [['init'], ['run']]) await shop.succeed(...args)
  const read = async <T>(...args: string[]): Promise<T[]> =>
    JSON.parse((await shop.succeed(...args, '--json')).out) as T[]
  const [probe] = await read<ProbeJson>('vault', 'probe', 'far')
  const states = await read<VaultJson>('vault', 'list')
  const [health] = await read<HealthJson>('health', '--project=copied')
  return { probe: probe!, state: states.find(({ vault: name }) => name === 'far')!, health: health! }
}

const ruleOf = ({ rules }: HealthJson, name: string): boolean => rules.find(({ rule }) => rule === name)!.met

suite('what a configured vault is worth', () => {
  test('over SFTP: it can be changed, and tells its free space', { skip: needs('sshd', 'ssh') }, async () => {
    await using sshd = await startSshd()
    const { identity, knownHosts } = sshd.target
    const { probe, state, health } = await look({
      settings: [
        `location: sftp://${sshd.user.name}@127.0.0.1:${sshd.port}/./backups`,
        `identity: { file: ${identity} }`,
        `known-hosts: ${knownHosts}`,
      ],
      secrets: [],
      storedBytes: () => 0,
    })
    assert.deepEqual([probe.worth, probe.left, state.worth], ['mutable', 0, 'mutable'])
    assert.ok(state.free! > 0 && state.used > 6_000_000)
    assert.deepEqual(state.projects.map(({ project }) => project).toSorted(), ['copied', 'direct'])
    assert.deepEqual([health.verdict, ruleOf(health, 'immutable')], ['healthy', false])
  })

  test('behind rclone that only appends: it can only be added to', { skip: needs('rclone') }, async () => {
    await using server = await startRclone('--append-only')
    const settings = [`location: rest:${server.url}/`]
    const { probe, state, health } = await look({ settings, secrets: [], storedBytes: () => 0 })
    assert.deepEqual([probe.worth, probe.left, state.worth, state.free], ['append-only', 5, 'append-only', null])
    assert.deepEqual([health.verdict, ruleOf(health, 'immutable')], ['healthy', true])
  })
})

suite('what a vault with Object Lock is worth', { skip }, () => {
  let scene: Scene
  before(async () => {
    scene = await makeScene()
  })
  after(() => scene?.[Symbol.asyncDispose]())

  test('with the rights of the documents: locked, for as long as the newest backup is, versions counted', async () => {
    const keys = await scene.makeUser('documented')
    await using vault = await lockedVault(scene, { mode: 'compliance', keys })
    await grantDocumented(scene, vault.bucket, 'documented')
    for (const args of [['init'], ['run']]) await vault.done(...args)
    const [probe] = JSON.parse(await vault.done('vault', 'probe', 's3', '--json')) as ProbeJson[]
    assert.deepEqual([probe?.outcome, probe?.worth, probe?.lock?.mode], ['now', 'locked', 'compliance'])
    assert.ok(Date.parse(probe!.lock!.until!) > Date.now() + 364 * 24 * 60 * 60 * 1000)
    const [again] = JSON.parse(await vault.done('vault', 'probe', 's3', '--json')) as ProbeJson[]
    assert.deepEqual([again?.outcome, again?.worth], ['resting', 'locked'])
    const [snapshot] = (await vault.versions()).filter(({ key }) => key.includes('/snapshots/'))
    await scene.clientOf(keys).putObject({ Bucket: vault.bucket, Key: snapshot!.key, Body: Buffer.alloc(10_000) })
    const states = JSON.parse(await vault.done('vault', 'list', '--measure', '--json')) as VaultJson[]
    const [project] = states[1]!.projects
    assert.ok(project!.olderBytes > 0 && project!.olderBytes < 10_000 && project!.bytes > 300_000)
    const [health] = JSON.parse(await vault.done('health', '--json')) as HealthJson[]
    assert.deepEqual([health!.verdict, ruleOf(health!, 'immutable')], ['healthy', true])
  })

  test('with keys that may bypass governance: weaker than it says, and health says so', async () => {
    await using vault = await lockedVault(scene, { mode: 'governance' })
    for (const args of [['init'], ['run']]) await vault.done(...args)
    const text = await vault.done('vault', 'probe', 's3')
    assert.match(text, /^s3: its files should be locked \(governance\), and are not$/m)
    const { code, out } = await vault.place.bewaar('health')
    assert.equal(code, 1)
    assert.match(out, /^shop: weak\n {2}weak: s3: its files should be locked \(governance\), and can be deleted$/m)
  })
})
