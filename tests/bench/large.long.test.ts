import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { formatBytes } from '#base'
import { needs } from '../needs.ts'
import { backUpLargeFile, backUpManyFiles } from './large.ts'

/** 1 is a million files and a file of 50 GB. */
const scale = Number(process.env['BEWAAR_SCALE'] ?? 0.1)
const cases = [
  { what: `${Math.round(scale * 1_000_000)} files`, work: backUpManyFiles },
  { what: `a file of ${formatBytes(scale * 50e9)}`, work: backUpLargeFile },
]

for (const { what, work } of cases) {
  test(`${what}: backed up, read back and checked in bounded memory`, { skip: needs('restic') }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'bewaar-large-'))
    try {
      work({
        folder,
        scale,
        seed: '1',
        told({ name, measured, most }) {
          t.diagnostic(`${name}: ${measured.cpuSeconds.toFixed(1)} s of CPU, ${formatBytes(measured.peak)}`)
          assert.ok(measured.peak <= most, `${name}: ${formatBytes(measured.peak)}, at most ${formatBytes(most)}`)
        },
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}
