import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import type { ProjectFacts, VaultFacts } from './project-facts.ts'
import { judgeThreeTwoOne } from './three-two-one.ts'
import {
  box,
  bucket,
  facts,
  fresh,
  hot,
  hourMs,
  locked,
  now,
  open,
  project,
  sound,
  vaultNamed,
} from './watched-shop.ts'

suite('the rule 3-2-1-1-0', () => {
  const judge = (changed: Partial<ProjectFacts>) => {
    const rules = judgeThreeTwoOne({ ...facts, ...changed }, now)
    return { found: rules.map(({ found }) => found).join('-'), advice: rules.map(({ advice }) => advice) }
  }
  const elsewhere = (one: VaultFacts, site: string | undefined): VaultFacts => {
    const { place: _, ...vault } = one.vault
    return { ...one, vault: { ...vault, ...(site !== undefined && { place: { site } }) } }
  }

  test('is met by copies at three sites of which one cannot be changed', () => {
    const { found, advice } = judge({})
    assert.equal(found, '4-3-2-1-0')
    assert.deepEqual(advice, ['', '', '', '', ''])
  })

  test('counts two vaults on one site once', () => {
    const { found, advice } = judge({ vaults: [hot, elsewhere(box, 'amsterdam '), elsewhere(bucket, 'AMSTERDAM')] })
    assert.equal(found, '2-1-0-1-0')
    assert.match(advice[0]!, /^hot, box and bucket are in one place and count once; Add a vault in another place/)
    assert.match(advice[1]!, /^Everything is in one place/)
    assert.match(
      advice[2]!,
      /^box and bucket and hot are on one site, and burn together; Copy to a vault on another site$/,
    )
  })

  test('assumes no site that nobody has named', () => {
    const unknown = judge({
      vaults: [elsewhere(hot, undefined), elsewhere(box, undefined), elsewhere(bucket, undefined)],
    })
    assert.equal(unknown.found, '4-3-0-1-0', 'other machines are other places, and may stand in the same room')
    assert.match(unknown.advice[2]!, /^Nobody knows where hot, box and bucket are: say so with `place: \{ site: … \}`$/)
    const half = judge({ vaults: [hot, elsewhere(box, undefined)] })
    assert.equal(half.found, '3-2-0-0-0')
    assert.match(half.advice[2]!, /^Nobody knows where box is/)
  })

  test('takes a server for a place of its own, by what it is reached by', () => {
    const rest = { location: { kind: 'rest', url: 'https://rest.example.com/shop/' } } as const
    const overSsh = { location: { kind: 'rest-ssh', host: 'box.example.org', path: '' } } as const
    const vaults = [
      hot,
      { ...fresh, vault: vaultNamed('rest', rest) },
      { ...fresh, vault: vaultNamed('same', { ...overSsh }) },
    ]
    assert.equal(judge({ vaults: [...vaults, elsewhere(box, undefined)] }).found, '4-3-0-0-0')
  })

  test('knows that a project on another server is in another place than a vault here', () => {
    const on = { kind: 'ssh', host: 'web2' } as const
    assert.equal(judge({ project: { ...project, on }, vaults: [hot] }).found, '2-2-0-0-0')
    assert.equal(judge({ vaults: [hot] }).found, '2-1-0-0-0')
    assert.equal(judge({ vaults: [] }).found, '1-1-0-0-0')
    assert.equal(judge({ project: { ...project, vault: 'box' }, vaults: [box] }).found, '2-2-0-0-0')
  })

  test('does not count a vault whose backups are late', () => {
    const late = (one: VaultFacts): VaultFacts => ({ ...one, newestAt: 0 })
    const one = judge({ vaults: [hot, late(box), bucket] })
    assert.equal(one.found, '3-2-1-1-0')
    const two = judge({ vaults: [hot, late(box), late(bucket)] })
    assert.equal(two.found, '2-1-0-0-0')
    assert.match(two.advice[0]!, /^box and bucket have no backup in time; /)
    assert.match(judge({ vaults: [late(hot)] }).advice[0]!, /^hot has no backup in time; Add two vaults/)
  })

  test('takes for immutable only what held lately', () => {
    const tried = (at: number, probe = locked): VaultFacts => ({ ...bucket, probe: { ...probe, at } })
    const old = judge({ vaults: [tried(now - 8 * 24 * hourMs)] })
    assert.deepEqual(
      [old.found.split('-')[3], old.advice[3]],
      ['0', 'bucket was not tried lately: run `bewaar vault probe`'],
    )
    assert.match(judge({ vaults: [hot, box] }).advice[3]!, /^hot and box were not tried lately/)
    assert.match(judge({ vaults: [tried(now, open)] }).advice[3]!, /^Whoever has this machine can destroy every copy/)
  })

  test('counts what went wrong, and what was never looked at', () => {
    const { lastVerification: _, ...never } = hot
    const vaults = [
      never,
      {
        ...box,
        lastCopy: { status: 'failed', endedAt: now, findings: [] },
        lastVerification: { ...sound, status: 'damaged' },
      },
      { ...bucket, lastVerification: { ...sound, status: 'failed' } },
    ] as const
    const { found, advice } = judge({ vaults, lastRun: { status: 'incomplete', startedAt: now } })
    assert.equal(found.split('-')[4], '5')
    assert.equal(
      advice[4],
      'never verified: hot; damaged: box; could not be verified: bucket; last copy failed: box; last run incomplete. ' +
        'Run `bewaar verify --project=shop`',
    )
  })
})
