import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Project } from '#model'
import { chooseCopies, type CopyWish } from './choose-copies.ts'

const project: Project = {
  name: 'shop',
  title: 'Shop',
  type: 'generic',
  path: '/srv/shop',
  criticality: 'medium',
  schedule: { kind: 'daily', at: { hour: 3, minute: 0 } },
  leaveOut: [],
  vault: 'near',
  copies: [{ to: 'box' }, { to: 'b2', schedule: { kind: 'daily', at: { hour: 6, minute: 0 } } }],
  keep: new Map(),
  restore: {},
  paused: false,
}

function chosen(wish: CopyWish): string {
  const { from, to } = chooseCopies(project, wish)
  return `${from} to ${to.join(' and ')}`
}

test('copies go from the vault that runs write to, to all others or the one that is named', () => {
  assert.equal(chosen({}), 'near to box and b2')
  assert.equal(chosen({ to: 'b2' }), 'near to b2')
  assert.equal(chosen({ to: 'elsewhere' }), 'near to ')
})

test('a copy may be copied, and back to the vault that runs write to when that is named', () => {
  assert.equal(chosen({ from: 'box' }), 'box to b2')
  assert.equal(chosen({ from: 'box', to: 'near' }), 'box to near')
  assert.equal(chosen({ from: 'near', to: 'near' }), 'near to ')
  assert.equal(chosen({ from: 'elsewhere' }), 'elsewhere to ')
})
