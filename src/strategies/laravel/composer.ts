import { resolve } from 'node:path'

import { rawPathOf, type Host } from '#sources'

/** What matters of a composer.json. */
export interface Composer {
  readonly name?: string
  readonly type?: string
  /** Packages by name, with the versions that are asked for. */
  readonly require: Readonly<Record<string, string>>
  /** True when it names providers for Laravel to find. */
  readonly isLaravelPackage: boolean
}

/** Undefined when a folder has no composer.json, or one that is no JSON. */
export async function readComposer(folder: string, host: Host): Promise<Composer | undefined> {
  const text = await host.findText(rawPathOf(`${resolve(folder)}/composer.json`))
  const json = text === undefined ? undefined : tableOf(parse(text))
  if (!json) return undefined
  const { name, type } = json
  return {
    ...(typeof name === 'string' && { name }),
    ...(typeof type === 'string' && { type }),
    require: { ...texts(json['require-dev']), ...texts(json['require']) },
    isLaravelPackage: tableOf(tableOf(json['extra'])?.['laravel'])?.['providers'] !== undefined,
  }
}

/** The version of the framework that is asked for, as it is written. */
export function laravelVersionOf({ require }: Composer): string | undefined {
  return require['laravel/framework'] ?? require['laravel/lumen-framework']
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // because a composer.json that is none says nothing about a project
  }
}

function tableOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(tableOf(value) ?? {})
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
