import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'
import wabt from 'wabt'

import { RowCounter, scannerModule } from './row-counter.ts'

const text = `(module
  (memory (export "memory") 2)
  (global $lines (export "lines") (mut i32) (i32.const 0))
  (func (export "scan") (param $at i32) (param $end i32) (result i32)
    (local $feeds i32) (local $ends i32) (local $count i32) (local $block v128)
    (local.set $end (i32.sub (local.get $end) (i32.const 18)))
    (block $done
      (loop $next
        (br_if $done (i32.gt_s (local.get $at) (local.get $end)))
        (local.set $block (i8x16.eq (v128.load (local.get $at)) (i8x16.splat (i32.const 10))))
        (local.set $feeds (i8x16.bitmask (local.get $block)))
        (local.set $ends (i8x16.bitmask (v128.and (local.get $block) (v128.and
          (i8x16.eq (v128.load offset=1 (local.get $at)) (i8x16.splat (i32.const 92)))
          (i8x16.eq (v128.load offset=2 (local.get $at)) (i8x16.splat (i32.const 46)))))))
        (if (local.get $ends) (then
          (local.set $ends (i32.ctz (local.get $ends)))
          (local.set $feeds (i32.and (local.get $feeds)
            (i32.sub (i32.shl (i32.const 2) (local.get $ends)) (i32.const 1))))
          (global.set $lines (i32.add (local.get $count) (i32.popcnt (local.get $feeds))))
          (return (i32.add (local.get $at) (local.get $ends)))))
        (local.set $count (i32.add (local.get $count) (i32.popcnt (local.get $feeds))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))
    (global.set $lines (local.get $count))
    (i32.xor (local.get $at) (i32.const -1))))`

test('the module that counts is the one that its text makes', async () => {
  const assembler = await wabt()
  const module = assembler.parseWat('scanner.wat', text, { simd: true })
  const made = Buffer.from(module.toBinary({}).buffer)
  module.destroy()
  assert.equal(Buffer.from(scannerModule, 'base64').toString('hex'), made.toString('hex'))
})

test('rows are counted, and the end is found, wherever the block begins, ends and is cut', () => {
  const line = fc.string({ unit: fc.constantFrom('a', '\\\\', '\\N', '.', '\t', 'é'), maxLength: 40 })
  const cases = fc.record({ lines: fc.array(line, { maxLength: 40 }), cuts: fc.array(fc.nat(400), { maxLength: 6 }) })
  const counter = new RowCounter()
  fc.assert(
    fc.property(cases, ({ lines, cuts }) => {
      const rest = '\n\n--\nSELECT 1;\n\\.\n'
      const block = Buffer.from(`${lines.map((row) => `${row}\n`).join('')}\\.${rest}`)
      counter.begin()
      const places = [0, ...cuts.filter((cut) => cut < block.length).toSorted((a, b) => a - b), block.length]
      for (const [nth, start] of places.entries()) {
        const piece = block.subarray(start, places[nth + 1])
        const end = counter.read(piece, 0)
        if (end === -1) continue
        assert.equal(start + end, block.length - rest.length)
        assert.equal(counter.rows, lines.length)
        return
      }
      assert.fail('the end was not found')
    }),
    { numRuns: 500 },
  )
})

test('pieces longer than the memory of the module are counted too', () => {
  const counter = new RowCounter()
  counter.begin()
  const block = Buffer.from(`${'some row\n'.repeat(100_000)}\\.\n`)
  assert.equal(counter.read(block, 0), block.length - 1)
  assert.equal(counter.rows, 100_000)
})
