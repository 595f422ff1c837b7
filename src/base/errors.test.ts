import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AppError, defineErrors, systemCode, textOf } from './errors.ts'

const shopError = defineErrors({
  'shop.closed': {
    kind: 'unavailable',
    message: '{shop} is closed until {hour}:00',
    hint: 'Come back at {hour}:00, or go to another shop than {shop}.',
  },
})

test('an error carries its code, its kind, its facts, its cause, and texts with every blank filled', () => {
  const cause = new Error('door locked')
  const error = shopError('shop.closed', { shop: 'The bakery', hour: 8 }, cause)
  assert.ok(error instanceof AppError && error instanceof Error)
  assert.equal(error.code, 'shop.closed')
  assert.equal(error.kind, 'unavailable')
  assert.equal(error.message, 'The bakery is closed until 8:00')
  assert.equal(error.hint, 'Come back at 8:00, or go to another shop than The bakery.')
  assert.deepEqual(error.facts, { shop: 'The bakery', hour: 8 })
  assert.equal(error.cause, cause)
})

test('a fact that looks like a blank or a pattern of replacement is printed as it is', () => {
  const error = shopError('shop.closed', { shop: '{hour} $& $1', hour: 8 })
  assert.equal(error.message, '{hour} $& $1 is closed until 8:00')
})

test('the table of a room is kept for the reference of errors', () => {
  assert.deepEqual(Object.keys(shopError.table), ['shop.closed'])
})

test('the compiler asks for a fact for every blank', () => {
  // @ts-expect-error because the blank {hour} is not filled
  assert.equal(shopError('shop.closed', { shop: 'The bakery' }).message, 'The bakery is closed until {hour}:00')
})

test('anything that was thrown has a text, and a code only when the system gave one', () => {
  assert.equal(textOf(new TypeError('no such thing')), 'no such thing')
  assert.equal(textOf('just words'), 'just words')
  assert.equal(textOf(undefined), 'undefined')
  assert.equal(systemCode(Object.assign(new Error('gone'), { code: 'ENOENT' })), 'ENOENT')
  assert.equal(systemCode(Object.assign(new Error('odd'), { code: 7 })), undefined)
  assert.equal(systemCode({ code: 'ENOENT' }), undefined)
})
