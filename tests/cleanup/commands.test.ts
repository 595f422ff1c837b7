import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { CleanupScene } from './scene.ts'

suite('the command', { concurrency: 1 }, () => {
  test('shows what would go and why the rest stays, and changes nothing', async () => {
    await using scene = await CleanupScene.make('copies: [{ to: disk }]', 'keep: { local: { last: 2 } }')
    const ids = await scene.at('2026-11-01T03:00').runDaily(4)
    await scene.copy('disk')
    const plan = await scene.command([], 'cleanup', '--dry-run', '--all')
    assert.equal(plan.code, 0, plan.err)
    assert.match(plan.out, /^PROJECT +VAULT +SNAPSHOT +TIME +SIZE +KEPT BECAUSE\n/)
    const [newest, oldest] = [ids[3]!, ids[0]!].map((id) => id.slice(0, 8))
    assert.match(
      plan.out,
      new RegExp(`^shop +local +${newest} +2026-11-04 03:00:00 +\\S+ \\S+ +last 1 of 2; newest$`, 'm'),
    )
    assert.match(plan.out, new RegExp(`^shop +local +${oldest} .* GOES$`, 'm'))
    assert.match(plan.out, /^shop +disk .* no rule for this vault$/m)
    assert.match(plan.out, /^shop in local: 2 of 4 go, about .* would be freed$/m)
    assert.match(plan.out, /^shop in disk: all 4 stay$/m)
    assert.doesNotMatch((await scene.command(undefined, 'cleanup', '--dry-run')).out, /newest/)

    const { out } = await scene.command(undefined, 'cleanup', '--dry-run', '--json', '--vault=local')
    const [report] = JSON.parse(out) as { status: string; snapshots: { snapshot: string; kept: string[] }[] }[]
    assert.deepEqual(
      [report!.status, report!.snapshots.map(({ kept }) => kept)],
      ['planned', [['last 1 of 2', 'newest'], ['last 2 of 2'], [], []]],
    )
    assert.equal(scene.lying('local').length, 4)
  })

  test('asks a person, who may say no', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 1 } }')
    await scene.at('2026-11-01T03:00').runDaily(6)
    const refused = await scene.command(['n'], 'cleanup')
    assert.equal(refused.code, 2)
    assert.match(refused.err, /GOES\n.*does not go by itself \(much\): 5 of 6 .*Remove them\?.*\(cli\.not-cleaned\)/s)
    assert.equal(scene.lying('local').length, 6)

    const stopped = await scene.command(undefined, 'cleanup', '--quiet')
    assert.equal(stopped.code, 3)
    assert.match(stopped.out, /stopped \(much\): 5 of 6 backups would go/)
    assert.match((await scene.command(['yes'], 'cleanup')).out, /^shop +local +complete +5 +1 /m)
    assert.deepEqual(await scene.command(undefined, 'cleanup', '--quiet'), { code: 0, out: '', err: '' })
    assert.equal((await scene.command([], 'cleanup')).code, 0)
  })

  test('takes the date of today for an answer when the clock is doubted, and no other', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 1 } }')
    await scene.at('2026-11-01T03:00').runDaily(2)
    await scene.at('2026-12-01T03:00').run()
    assert.match((await scene.command(undefined, 'cleanup', '--yes')).out, /stopped \(clock\)/)
    assert.equal((await scene.command(undefined, 'cleanup', '--yes', '--confirm=2026-11-30')).code, 3)
    assert.equal((await scene.command(['2026-11-02'], 'cleanup')).code, 2)
    assert.equal(scene.lying('local').length, 3)
    assert.equal((await scene.command(['2026-12-01', 'y'], 'cleanup')).code, 0)
    assert.equal(scene.lying('local').length, 1)
  })

  test('touches no archive by any flag but --archive, and that with the name of the project', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 1, prune: never } }')
    await scene.at('2026-11-01T03:00').runDaily(4)
    const flags = ['--all', '--yes', '--dry-run', '--project=shop', '--vault=local', '--confirm=2026-11-04']
    for (let chosen = 0; chosen < 2 ** flags.length; chosen++) {
      const some = flags.filter((_, bit) => chosen & (2 ** bit))
      assert.equal((await scene.command(undefined, 'cleanup', ...some)).code, 0, some.join(' '))
    }
    const archive = ['cleanup', '--archive', '--project=shop', '--vault=local']
    for (const [code, more] of [
      [2, []],
      [2, ['--yes']],
      [2, ['--confirm=blog']],
      [2, ['--confirm=2026-11-04']],
      [0, ['--dry-run', '--confirm=shop']],
    ] as const)
      assert.equal((await scene.command(undefined, ...archive, ...more)).code, code, more.join(' '))
    assert.equal((await scene.command(undefined, 'cleanup', '--archive')).code, 2)
    assert.equal((await scene.command(['blog'], ...archive)).code, 2)
    assert.equal(scene.lying('local').length, 4)

    const done = await scene.command(['shop'], ...archive)
    assert.match(done.out, /^shop +local +complete +3 +1 /m)
    assert.match((await scene.command(undefined, ...archive, '--confirm=shop')).out, /nothing goes/)
  })

  test('holds are made, listed and lifted', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 1 } }')
    const [id] = await scene.at('2026-11-01T03:00').runDaily(2)
    const add = ['hold', 'add', '--project=shop', '--reason', 'audit 2026']
    const added = await scene.command(
      undefined,
      ...add,
      `--snapshot=${id!.slice(0, 6)}`,
      '--until',
      '2027-06-30',
      '--json',
    )
    const hold = JSON.parse(added.out) as { id: string; snapshot: string; until: string; state: string }
    assert.deepEqual([added.code, hold.snapshot, hold.until, hold.state], [0, id, '2027-06-30', 'in force'])
    assert.match(
      (await scene.command(undefined, 'hold')).out,
      /^h-\S+ +shop +all +\S+ .* 2027-06-30 +in force .* audit 2026$/m,
    )
    assert.match((await scene.command([], 'cleanup')).out, /^shop +local +complete +0 +2 /m)

    const lift = ['hold', 'lift', hold.id, '--reason', 'closed']
    assert.equal((await scene.command(undefined, ...lift)).code, 0)
    assert.equal((await scene.command(undefined, ...lift)).code, 1)
    assert.match((await scene.command(undefined, 'hold', 'list')).out, /^There are no holds\.$/m)
    assert.match((await scene.command(undefined, 'hold', 'list', '--all')).out, /lifted by \S+: closed$/m)
    for (const [code, args] of [
      [2, ['hold', 'add', '--project=shop']],
      [2, [...add, '--vault=archive']],
      [1, [...add, '--snapshot=ffffffff']],
      [2, [...add, '--until', '2026-02-30']],
      [2, [...add, '--until', '2026-11-01']],
      [2, ['hold', 'lift', 'audit', '--reason', 'x']],
      [1, ['hold', 'lift', 'h-000000', '--reason', 'x']],
      [1, ['hold', 'list', '--project=blog']],
    ] as const)
      assert.equal((await scene.command(undefined, ...args)).code, code, args.join(' '))
  })
})
