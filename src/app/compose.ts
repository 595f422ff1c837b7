import { readFile, writeFile } from 'node:fs/promises'
import { homedir, hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

import packageFile from '../../package.json' with { type: 'json' }
import { AppError, systemClock, type Clock, type Secret } from '#base'
import type { CommandContext, CommandServices, GlobalOptions, OpenedServices } from '#cli'
import type { Configuration, SecretReference } from '#model'
import type { Setting } from './config/locate.ts'
import type { DaemonParts } from './daemon.ts'
import { memoryFile } from './memory-file.ts'
import { makeTemporaryFolder } from './temporary.ts'

/** Builds what commands may use. Everything heavy is loaded only when it is asked for. */
export function composeServices(options: GlobalOptions, clock: Clock = systemClock): CommandServices {
  return {
    loadConfiguration: () => loadFrom(options),
    configurationSchema: async () => (await import('./config/json-schema.ts')).configurationSchema(),
    proposeFirst: async (folders, vault, signal) =>
      (await import('./first-configuration.ts')).proposeFirst(options.config, folders, vault, signal),
    planning: () => ({ secret: secretsOf(), temporaryFolder: () => makeTemporaryFolder(tmpdir()) }),
    open: (configuration, context, purpose) => openServices(configuration, context, purpose, clock),
    places: (state) => ({
      clock,
      secret: secretsOf(),
      temporaryFolder: () => makeTemporaryFolder(tmpdir()),
      readText: (path) => readFile(path, 'utf8'),
      cacheFolder:
        state === undefined
          ? join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'bewaar', 'repositories')
          : join(state, 'cache', 'repositories'),
    }),
    planService: async (configuration, wish) => (await import('./service-units.ts')).planService(configuration, wish),
    serve: async (signal) => {
      const { serve } = await import('./daemon.ts')
      await serve(await daemonParts(options), signal)
    },
    performDue: async (context, signal) => {
      const { performDue } = await import('./daemon.ts')
      return await performDue(await daemonParts(options), context, signal)
    },
    recoveryFiles: async () => (await import('./recovery-files.ts')).recoveryFiles,
    writeText: (file, text) => writeFile(file, text),
    readLog: async (configuration, query) => {
      const { openCatalogOrNone, catalogFile } = await import('#catalog')
      const opened = await openCatalogOrNone(catalogFile(configuration.state), { purpose: 'read' })
      await using catalog = opened.catalog
      const { listLog } = await import('#usecases')
      const entries = catalog ? await listLog(catalog, query, clock.now()) : []
      return { entries, ...(opened.warning === undefined ? {} : { warning: opened.warning }) }
    },
  }
}

async function loadFrom(options: GlobalOptions): Promise<Configuration> {
  return await loadFile(await locateFrom(options))
}

async function locateFrom(options: GlobalOptions): Promise<string> {
  const { locateConfiguration } = await import('./config/locate.ts')
  return await locateConfiguration(options.config, settingOf())
}

async function loadFile(file: string): Promise<Configuration> {
  const { loadConfiguration } = await import('./config/load.ts')
  return await loadConfiguration(file, settingOf())
}

function settingOf(): Setting & { readonly root: boolean } {
  return {
    environment: process.env,
    workingFolder: process.cwd(),
    home: homedir(),
    root: process.getuid?.() === 0,
  }
}

async function daemonParts(options: GlobalOptions): Promise<DaemonParts> {
  const file = await locateFrom(options)
  return { options, file, load: () => loadFile(file), open: openServices }
}

async function openServices(
  configuration: Configuration,
  { progress, warn }: Pick<CommandContext, 'progress' | 'warn'>,
  purpose?: 'restoring',
  clock: Clock = systemClock,
): Promise<OpenedServices> {
  const { catalogFile, openCatalogOrNone } = await import('#catalog')
  await using resources = new AsyncDisposableStack()
  const open = async (file: string): ReturnType<typeof openCatalogOrNone> =>
    await openCatalogOrNone(file, { purpose: 'write', clock })
  let opened: Awaited<ReturnType<typeof open>>
  try {
    opened = await open(catalogFile(configuration.state))
  } catch (thrown) {
    if (purpose !== 'restoring' || !(thrown instanceof AppError)) throw thrown
    warn(`${thrown.message}. The restore goes on without it, and will not be in the log`)
    const passing = resources.use(await makeTemporaryFolder(tmpdir()))
    opened = await open(catalogFile(passing.path))
  }
  if (opened.warning !== undefined) warn(`${opened.warning}; \`bewaar init\` enters what the vaults hold`)
  const catalog = resources.use(opened.catalog!)
  const held = resources.move()
  return {
    services: {
      configuration,
      catalog,
      clock,
      hostname: hostname(),
      username: userName(),
      version: packageFile.version,
      secret: secretsOf(),
      temporaryFolder: () => makeTemporaryFolder(join(configuration.state, 'temporary')),
      readText: (path) => readFile(path, 'utf8'),
      cacheFolder: join(configuration.state, 'cache', 'repositories'),
      memoryOf: (vault, project, of) => memoryFile(configuration.state, vault, project, of),
      progress,
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** Each secret is fetched once for all projects, and one after the other: it may come from a program that asks a person. */
function secretsOf(): (reference: SecretReference, signal?: AbortSignal) => Promise<Secret> {
  const fetched = new Map<string, Promise<Secret>>()
  let turn: Promise<unknown> = Promise.resolve()
  return async (reference, signal) => {
    const key = JSON.stringify(reference)
    const { resolveSecret } = await import('#credentials')
    let secret = fetched.get(key)
    if (!secret) {
      secret = turn.then(() => resolveSecret(reference, process.env, signal))
      turn = secret.catch(() => {}) // because the next does not depend on how this one ends
      fetched.set(key, secret)
    }
    return await secret
  }
}

/** A container may run as a user that has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '')
  }
}
