import { after, before, describe } from 'node:test'

import { backendSuite } from '#engine/testing'
import { makeScene, skip, type Scene } from './s3-scene.ts'

describe('S3', { skip }, () => {
  let scene: Scene
  before(async () => {
    scene = await makeScene()
  })
  after(() => scene?.[Symbol.asyncDispose]())

  // a bucket with Object Lock is one with versions too; one with versions alone is for the long sweep
  for (const kind of ['plain', 'locked'] as const) {
    let bucket: string
    before(async () => {
      bucket = await scene.makeBucket(kind)
    })
    backendSuite(`S3, ${kind} bucket`, () => scene.open(bucket))
  }
})
