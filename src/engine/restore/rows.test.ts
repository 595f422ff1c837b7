import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Rows } from './rows.ts'

test('rows give back what was put in, however many there are', () => {
  const rows = new Rows('a', 'b', 'c')
  for (let row = 0; row < 10_000; row++) assert.equal(rows.push(row, row * 3, 2 ** 32 - 1 - row), row)
  rows.set(77, 'b', 5)
  assert.equal(rows.length, 10_000)
  for (let row = 0; row < rows.length; row++) {
    const cells = [rows.get(row, 'a'), rows.get(row, 'b'), rows.get(row, 'c')]
    assert.deepEqual(cells, [row, row === 77 ? 5 : row * 3, 2 ** 32 - 1 - row])
  }
})
