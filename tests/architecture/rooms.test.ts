import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { type Import, isTest, readSource, readSources, type SourceFile } from './imports.ts'
import { engineRooms, type Room, rooms } from './rooms.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = readSources(['src/**/*.ts', 'tests/**/*.ts', 'scripts/**/*.ts', 'bin/*.js'])
const inside = sources.filter((source) => source.path.startsWith('src/'))

test('every import stays in its room, or enters by the door a room that it may enter', () => {
  assert.deepEqual(inside.flatMap(trespasses), [])
})

test('inside the engine every import runs down, and archive, restore and maintain never meet', () => {
  assert.deepEqual(inside.flatMap(engineTrespasses), [])
})

test('tests and scripts enter the rooms by their doors', () => {
  const around = sources
    .filter((source) => !source.path.startsWith('src/'))
    .flatMap((source) =>
      source.imports
        .filter(
          ({ target, file }) => target.startsWith('.') && file?.startsWith('src/') && !mayEnterAnywhere(source.path),
        )
        .map(
          ({ target }) =>
            `${source.path} goes round a door to ${target}: only tests of one file, which lie beside it, may`,
        ),
    )
  assert.deepEqual(around, [])
})

test('every room stands in the plan, and every row of the plan is a room', () => {
  assert.deepEqual(Object.keys(rooms).toSorted(), foldersOf('src'))
  assert.deepEqual(Object.keys(engineRooms).toSorted(), foldersOf('src/engine'))
})

test('the walls are seen in each way to write an import', () => {
  const source = readSource(
    'src/model/example.ts',
    [
      `import { a } from '#engine'`,
      `import {\n  b,\n  c,\n} from '#usecases'`,
      `export * from '../engine/mod.ts'`,
      `export type { D } from '#cli'`,
      `import '#app'`,
      `const later = await import('#catalog')`,
      `new Worker(new URL('../sources/copy.ts', import.meta.url))`,
      `const text = 'https://example.org' // import { z } from '#sources'`,
      `import { fine } from '#base'`,
    ].join('\n'),
  )
  assert.equal(source.imports.length, 8)
  assert.equal(trespasses(source).length, 7)
})

function trespasses(source: SourceFile): string[] {
  const name = source.path.split('/')[1]!
  const room = rooms[name]
  if (!room) return [`${source.path} lies in no room of the plan`]
  return source.imports
    .filter((entry) => !isAllowed(source, name, room, entry))
    .map(
      ({ target }) =>
        `${source.path} enters ${target}; ${name} may enter ${list(room)} by their doors, and must never ${room.mustNever}`,
    )
}

function isAllowed(source: SourceFile, name: string, room: Room, { target, file }: Import): boolean {
  if (target.startsWith('#')) {
    const [entered, part] = target.slice(1).split('/') as [string, string?]
    if (part === 'testing' && !isTest(source.path)) return false
    return entered !== name && [...room.mayEnter, ...(name === 'base' ? [] : ['base'])].includes(entered)
  }
  if (!target.startsWith('.')) return true
  if (isTest(source.path) && file === 'tests/needs.ts') return true
  return file!.startsWith(`src/${name}/`) && (file !== `src/${name}/mod.ts` || isTest(source.path))
}

function engineTrespasses(source: SourceFile): string[] {
  const name = innerRoom(source.path)
  if (name === undefined) return []
  const room = engineRooms[name]
  if (!room) return [`${source.path} lies in no room of the engine's plan`]
  return source.imports
    .filter(({ file }) => {
      const entered = file === undefined ? undefined : innerRoom(file)
      if (entered === undefined) return file?.startsWith('src/engine/') && !isTest(source.path)
      return entered !== name && !room.mayEnter.includes(entered)
    })
    .map(
      ({ target }) =>
        `${source.path} enters ${target}; ${name} may enter ${list(room)}, and must never ${room.mustNever}`,
    )
}

function innerRoom(path: string): string | undefined {
  return /^src\/engine\/([^/]+)\//.exec(path)?.[1]
}

function foldersOf(folder: string): string[] {
  return globSync(`${folder}/*/`, { cwd: root })
    .map((path) => path.split('/').at(-1)!)
    .toSorted()
}

function list(room: Room): string {
  return room.mayEnter.length > 0 ? room.mayEnter.join(', ') : 'nothing but base'
}

/** Generators read tables that no door shows. */
function mayEnterAnywhere(path: string): boolean {
  return path.startsWith('scripts/generate-')
}
