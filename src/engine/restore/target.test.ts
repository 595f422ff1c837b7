import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { makeTarget } from './target.ts'

test('folders made above the target can be passed by its owner, and the target itself is closed', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'bewaar-target-'))
  const umask = process.umask(0o022)
  try {
    const target = join(scratch, 'www/shop')
    makeTarget(Buffer.from(target), 'refuse')[Symbol.dispose]()
    const modes = [dirname(target), target].map((path) => statSync(path).mode & 0o777)
    assert.deepEqual(modes, [0o755, 0o700])
  } finally {
    process.umask(umask)
    rmSync(scratch, { recursive: true })
  }
})
