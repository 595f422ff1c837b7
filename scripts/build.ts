/**
 * Emits dist/: the sources that the program is made of, as JavaScript with every line where it was, and a package.json
 * whose doors lead to them. `bin/bewaar.js` runs them with the packages of node_modules.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname } from 'node:path'

import { productionFiles, readSources } from '../tests/architecture/imports.ts'

interface PackageFile {
  readonly name: string
  readonly version: string
  readonly imports: Readonly<Record<string, string>>
}

const root = new URL('../', import.meta.url)
const dist = new URL('dist/', root)
const packageFile = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as PackageFile
const files = [...productionFiles(readSources(['src/**/*.ts']))]

rmSync(dist, { recursive: true, force: true })
for (const file of files) emit(file)
store('package.json', `${JSON.stringify(builtPackage(), null, 2)}\n`)
console.log(`dist: ${files.length} files`)

function emit(file: string): void {
  const code = stripTypeScriptTypes(readFileSync(new URL(file, root), 'utf8'))
  store(builtName(file), code.replace(/(['"])(\.{1,2}\/[^'"\n]+)\.ts\1/g, '$1$2.js$1'))
}

/** `src/base/mod.ts` becomes `base/mod.js`. */
function builtName(file: string): string {
  return file.replace(/^(?:\.\/)?src\//, '').replace(/\.ts$/, '.js')
}

function builtPackage(): Record<string, unknown> {
  const { name, version, imports } = packageFile
  const doors = Object.entries(imports).filter(([, file]) => files.includes(file.replace(/^\.\//, '')))
  return {
    name,
    version,
    private: true,
    type: 'module',
    imports: Object.fromEntries(doors.map(([door, file]) => [door, `./${builtName(file)}`])),
  }
}

function store(name: string, text: string): void {
  const target = new URL(name, dist)
  mkdirSync(dirname(target.pathname), { recursive: true })
  writeFileSync(target, text)
}
