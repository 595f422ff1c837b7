import { dirname, resolve } from 'node:path'

import { nearest } from '#base'
import { channelNames, formatLocation, isWithin, ownProject, parseLocation, type Location } from '#model'
import type { ConfigDocument, Path, Problem } from './document.ts'

/**
 * What no schema can see: names that must be there, names that are there twice, and parts that do not go together.
 *
 * It looks at the values as they are written, so that it finds its share also when a schema refused another part.
 * The first document is the main file.
 */
export function crossCheck(documents: readonly ConfigDocument[]): Problem[] {
  const [main] = documents
  if (!main) return []
  const vaults = tableOf(main.value, 'vaults')
  return [
    ...checkVaults(main, vaults),
    ...checkNotify(main),
    ...documents.flatMap((document) => checkProjects(document, vaults)),
    ...checkTwice(documents),
  ]
}

function checkVaults(main: ConfigDocument, vaults: Table): Problem[] {
  const problems: Problem[] = []
  const places: { name: string; location: Location }[] = []
  for (const [name, vault] of Object.entries(vaults)) {
    const location = locationOf(vault, dirname(main.file))
    if (!location) continue
    const report = (key: string, text: string): void => {
      problems.push(main.problemAt(['vaults', name, key], text))
    }
    for (const other of places) {
      const trouble = clash(location, other)
      if (trouble) report('location', trouble)
    }
    places.push({ name, location })
    for (const [key, kinds] of Object.entries(onlyFor)) {
      if (has(vault, key) && !kinds.includes(location.kind)) report(key, `is for ${schemes(kinds)} locations only`)
    }
    if (location.kind === 's3' && !has(vault, 'access-key') && !has(vault, 'secret-key')) {
      report('location', 'needs access-key and secret-key beside it')
    }
    for (const [key, other] of [
      ['access-key', 'secret-key'],
      ['secret-key', 'access-key'],
    ] as const) {
      if (has(vault, key) && !has(vault, other)) report(key, `needs ${other} beside it`)
    }
  }
  return problems
}

const onlyFor: Readonly<Record<string, readonly Location['kind'][]>> = {
  identity: ['sftp', 'rest-ssh'],
  'known-hosts': ['sftp', 'rest-ssh'],
  'login-password': ['rest'],
  ca: ['rest'],
  'access-key': ['s3'],
  'secret-key': ['s3'],
  'object-lock': ['s3'],
  region: ['s3'],
  connections: ['sftp', 's3', 'rest', 'rest-ssh'],
  bandwidth: ['sftp', 's3', 'rest', 'rest-ssh'],
}

function schemes(kinds: readonly Location['kind'][]): string {
  const say = { local: 'local', sftp: 'sftp://', s3: 's3://', rest: 'rest:https://', 'rest-ssh': 'rest+ssh://' }
  return kinds.map((kind) => say[kind]).join(', ')
}

function clash(location: Location, other: { name: string; location: Location }): string | undefined {
  if (formatLocation(location) === formatLocation(other.location))
    return `is the location of the vault ${other.name} too`
  if (location.kind !== 'local' || other.location.kind !== 'local') return undefined
  if (isWithin(location.path, other.location.path)) return `lies inside the vault ${other.name}`
  return isWithin(other.location.path, location.path) ? `has the vault ${other.name} inside it` : undefined
}

function locationOf(vault: unknown, folder: string): Location | undefined {
  const text = isTable(vault) ? vault['location'] : undefined
  if (typeof text !== 'string') return undefined
  try {
    return parseLocation(/^\.(\/|$)/.test(text) ? resolve(folder, text) : text)
  } catch {
    return undefined // because the schema reports what is wrong with it
  }
}

function checkProjects(document: ConfigDocument, vaults: Table): Problem[] {
  const problems: Problem[] = []
  const known = Object.keys(vaults)
  for (const [name, project] of Object.entries(tableOf(document.value, 'projects'))) {
    const report = (path: Path, text: string): void => {
      problems.push(document.problemAt(['projects', name, ...path], text))
    }
    const mustBeVault = (path: Path, vault: unknown): void => {
      if (typeof vault !== 'string' || known.includes(vault)) return
      const like = nearest(vault, known)
      report(path, `there is no vault ${JSON.stringify(vault)}; ${like ? `did you mean ${like}?` : sayKnown(known)}`)
    }
    if (name === ownProject) report([], `${ownProject} is the name of Bewaar's own project, choose another`)
    if (!isTable(project)) continue

    mustBeVault(['vault'], project['vault'])
    const written = project['vault'] ?? defaultVault(vaults)
    if (written === undefined && known.length > 0) {
      report(['vault'], `is missing: there are ${known.length} vaults and none of them is hot`)
    }
    const isElsewhere = typeof project['on'] === 'string' && project['on'].startsWith('ssh:')
    for (const key of ['identity', 'known-hosts']) {
      if (has(project, key) && !isElsewhere) report([key], 'is for on: ssh://… only')
    }
    const quiet = project['quiet']
    if (isTable(quiet) && quiet['maintenance'] === true && project['type'] !== 'laravel-app') {
      report(['quiet', 'maintenance'], 'is for type: laravel-app only; use before and after')
    }
    const used = new Set<unknown>([written])
    for (const [index, copy] of listOf(project['copies']).entries()) {
      const to = isTable(copy) ? copy['to'] : undefined
      const path = ['copies', index, 'to']
      mustBeVault(path, to)
      if (typeof to === 'string' && used.has(to)) {
        report(path, to === written ? `${to} is where the runs write already` : `${to} is there twice`)
      }
      used.add(to)
    }
    for (const vault of Object.keys(tableOf(project, 'keep'))) {
      mustBeVault(['keep', vault], vault)
      if (known.includes(vault) && !used.has(vault)) {
        report(['keep', vault], `the project neither writes nor copies to the vault ${vault}`)
      }
    }
    const keep = tableOf(project, 'keep')
    for (const vault of known.filter((name) => used.has(name) && has(vaults[name], 'object-lock'))) {
      if (has(keep[vault], 'for') || has(keep[vault], 'within')) continue
      const because = `because ${vault} locks what it gets until a date`
      report(['keep', vault], `needs for or within, ${because}, for example { for: 7 years }`)
    }
    if (isElsewhere && typeof project['path'] === 'string' && project['path'].startsWith('.')) {
      report(['path'], 'must be absolute for a project on another server, for example "/var/www/shop"')
    }
  }
  return problems
}

function checkNotify(main: ConfigDocument): Problem[] {
  const notify = tableOf(main.value, 'notify')
  const problems: Problem[] = []
  const mail = tableOf(notify, 'mail')
  const smtp = typeof mail['smtp'] === 'string' ? URL.parse(mail['smtp']) : null
  if (smtp) {
    const hasUser = smtp.username !== '' || has(mail, 'user')
    const path = ['notify', 'mail']
    if (hasUser && !has(mail, 'password')) {
      problems.push(main.problemAt([...path, 'smtp'], 'names a user, so it needs password beside it'))
    }
    if (!hasUser && has(mail, 'password')) {
      problems.push(main.problemAt([...path, 'password'], 'needs user beside it, or a user in smtp'))
    }
  }
  const channels = channelNames.filter((name) => has(notify, name))
  for (const [index, route] of listOf(notify['routes']).entries()) {
    for (const [position, to] of listOf(isTable(route) ? route['to'] : undefined).entries()) {
      if (!channelNames.some((name) => name === to) || has(notify, String(to))) continue
      const text = `notify has no ${String(to)}; ${channels.length === 0 ? 'it has no channels' : `it has ${channels.join(', ')}`}`
      problems.push(main.problemAt(['notify', 'routes', index, 'to', position], text))
    }
  }
  return problems
}

/** The vault of a project that names none: the first hot one, or the only one. */
export function defaultVault(vaults: Readonly<Record<string, unknown>>): string | undefined {
  const names = Object.keys(vaults)
  const hot = names.find((name) => {
    const vault = vaults[name]
    return isTable(vault) && (vault['tier'] ?? 'hot') === 'hot'
  })
  return hot ?? (names.length === 1 ? names[0] : undefined)
}

function checkTwice(documents: readonly ConfigDocument[]): Problem[] {
  const seen = new Map<string, ConfigDocument>()
  return documents.flatMap((document) =>
    Object.keys(tableOf(document.value, 'projects')).flatMap((name) => {
      const first = seen.get(name)
      if (!first) {
        seen.set(name, document)
        return []
      }
      const { line, column } = first.problemAt(['projects', name], '')
      return [document.problemAt(['projects', name], `is already in ${first.label}:${line}:${column}`)]
    }),
  )
}

type Table = Readonly<Record<string, unknown>>

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function tableOf(value: unknown, key: string): Table {
  const inner = isTable(value) ? value[key] : undefined
  return isTable(inner) ? inner : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function has(table: unknown, key: string): boolean {
  return isTable(table) && table[key] !== undefined
}

function sayKnown(known: readonly string[]): string {
  return known.length === 0 ? 'there are no vaults' : `there are ${known.join(', ')}`
}
