import { after, before, suite } from 'node:test'

import { sourceSuite } from '#sources/testing'
import { makeScene, skip, type Scene } from './mysql-scene.ts'

suite('the source of MariaDB', { skip }, () => {
  let scene: Scene
  before(async () => {
    scene = await makeScene()
    await scene.createDatabase('shop')
    await scene.server.run('create table t (id int); insert into t select seq from seq_1_to_5000', 'shop')
  })
  after(() => scene[Symbol.asyncDispose]())

  sourceSuite('mysql', {
    prepare: async () => ({
      kind: 'mysql',
      options: {
        connection: scene.address,
        databases: [{ name: 'shop', at: 'database/shop.sql' }],
        driver: 'mariadb',
        grants: 'database/globals.sql',
      },
    }),
  })
})
